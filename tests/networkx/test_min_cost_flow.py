"""networkx.min_cost_flow: flows of least cost, whichever the graph, the demands and the capacities."""

from __future__ import annotations

import copy
import itertools
import math
import pickle

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_networkx.min_cost_flow import MinCostFlow

import imle_core as imle
from imle_core.errors import (
    InfeasibleError,
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
    SolverParameterError,
    UnboundedError,
)

METHODS = ["compiled", "networkx"]
HUGE = 10**30  # a flow that makes up for all costs of these graphs


def make_network(rng, most=8):
    """A directed graph with loops, parallel and opposite edges, isolated nodes, and demands that may not be met."""
    n = int(rng.integers(1, most + 1))
    nodes = [("node", i) if i % 2 else f"n{i}" for i in range(n)]
    graph = (nx.DiGraph, nx.MultiDiGraph)[rng.integers(2)]()
    graph.add_nodes_from(nodes[i] for i in rng.permutation(n))
    limited = rng.choice([0.5, 0.9, 1.0])
    for _ in range(int(rng.integers(n - 1, 3 * n + 1))):
        u, v = rng.integers(n, size=2)
        limit = {"capacity": int(rng.integers(0, 5))} if rng.random() < limited else {}
        graph.add_edge(nodes[u], nodes[v], **limit)
    shipments = rng.integers(0, 3, (int(rng.integers(0, 3)), 1)) * (
        np.eye(n, dtype=int)[rng.integers(n)] - np.eye(n, dtype=int)[rng.integers(n)]
    )
    demand = shipments.sum(0)
    if rng.random() < 0.05:
        demand[0] += 1
    nx.set_node_attributes(graph, dict(zip(nodes, demand.tolist(), strict=True)), "demand")
    return graph


def make_integers(rng, rows, entries):
    """Costs that are integers: with many ties, with near ones, with hardly any, or none of them negative."""
    kind = rng.integers(5)
    if kind == 0:
        return rng.integers(-2, 4, (rows, entries))
    if kind == 1:
        return rng.integers(0, 3, (rows, entries))
    if kind == 4:
        return rng.integers(-1, 3, (rows, entries)) * 2**40 + rng.integers(-2, 3, (rows, entries))
    return rng.integers(-(2**40) if kind == 2 else 0, 2**40, (rows, entries))


def by_networkx(graph, entries, costs):
    """The least cost by NetworkX, None where there is no flow, minus infinity where there is no least cost.

    Unlimited edges are given a limit: NetworkX's own way to tell that costs are unbounded is mistaken at times.
    """
    graph = graph.copy()
    for edge, cost in zip(entries, costs, strict=True):
        graph.edges[edge]["weight"] = cost
        graph.edges[edge].setdefault("capacity", HUGE)
    try:
        cost, _ = nx.network_simplex(graph)
    except nx.NetworkXUnfeasible:
        return None
    return -math.inf if cost < -HUGE // 2 else cost


def cost_of(solver, theta, integers):
    """The same of a solver, as the integer that the cost of one row is a multiple of."""
    try:
        z = solver.solve(theta[None], validate="full")[0]
    except InfeasibleError:
        return None
    except UnboundedError:
        return -math.inf
    return sum(int(flow) * cost for flow, cost in zip(z, integers, strict=True))


@settings(max_examples=2000, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1))
def test_costs_are_those_of_networkx_to_the_last_unit(seed):
    rng = np.random.default_rng(seed)
    graph = make_network(rng)
    solver = MinCostFlow(graph, threads=1)
    integers = make_integers(rng, 3, len(solver.entries))
    theta = integers * 2.0 ** rng.integers(-60, 20)
    for row, costs in zip(theta, integers.tolist(), strict=True):
        assert cost_of(solver, row, costs) == by_networkx(graph, solver.entries, costs)


def test_first_flows_have_trees_from_which_every_node_can_send_to_the_root():
    """The rule that keeps the simplex method from going in circles."""
    rng = np.random.default_rng(8)
    for _ in range(300):
        solver = MinCostFlow(make_network(rng, most=12))
        capacity, tree = solver.prepare({}).task.start
        root = len(tree.parent) - 1
        room = np.where(tree.upward, capacity[tree.link] - tree.flow[tree.link], tree.flow[tree.link])[:root]
        assert (room > 0).all()
        assert (tree.depth[:root] == tree.depth[tree.parent[:root]] + 1).all()
        assert (tree.outside[tree.link[:root]] == 0).all()
        order = [root]
        while len(order) <= root:
            order.append(int(tree.after[order[-1]]))
        assert sorted(order) == list(range(root + 1))
        assert (tree.before[np.roll(order, -1)] == order).all()
        place = np.argsort(order)
        assert (place[tree.parent[:root]] < place[:root]).all()


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 2**32 - 1))
def test_flows_are_the_best_of_all_flows(seed):
    rng = np.random.default_rng(seed)
    graph = make_network(rng, most=4)
    for *_, data in graph.edges(data=True):
        data["capacity"] = min(data.get("capacity", 2), 2)
    graph.remove_edges_from(list(graph.edges)[6:])
    solver = MinCostFlow(graph)
    limits = [range(graph.edges[edge]["capacity"] + 1) for edge in solver.entries]
    states = np.array(list(itertools.product(*limits)), float)
    excess = np.zeros((len(states), len(graph)))
    number = {node: i for i, node in enumerate(graph)}
    for flow, (u, v, *_) in zip(states.T, solver.entries, strict=True):
        excess[:, number[u]] -= flow
        excess[:, number[v]] += flow
    flows = states[(excess == [demand for _, demand in graph.nodes(data="demand")]).all(1)]

    found = solver.enumerate_support()
    assert sorted(found.tolist()) == sorted(flows.tolist())
    feasible = solver.is_feasible(states)
    assert states[feasible].tolist() == flows.tolist()
    for z in flows[:20]:
        np.testing.assert_array_equal(solver.encode(solver.decode(z)), z)
    if not len(solver.entries):
        return
    theta = rng.normal(size=(4, len(solver.entries)))
    if not len(flows):
        with pytest.raises(InfeasibleError):
            solver.solve(theta)
        return
    for method in METHODS:
        z = MinCostFlow(graph, method=method).solve(theta, validate="full")
        np.testing.assert_allclose((z * theta).sum(1), (flows @ theta.T).min(0), rtol=1e-9, atol=1e-12)


@pytest.fixture
def random_problem():
    """A graph of 20 nodes and 100 edges, and costs of 64 rows, of either sign in half of them."""
    rng = np.random.default_rng(3)
    graph = nx.gnm_random_graph(20, 100, seed=3, directed=True)
    demand = np.zeros(20, int)
    for _ in range(8):
        demand[rng.permutation(20)[:2]] += (-2, 2)
    nx.set_node_attributes(graph, dict(enumerate(demand.tolist())), "demand")
    nx.set_edge_attributes(graph, {e: int(rng.integers(4, 12)) for e in graph.edges}, "capacity")
    theta = rng.uniform(0.1, 1.0, (64, 100))
    theta[32:] -= 0.5
    return graph, theta


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_does_not_depend_on_others_nor_on_threads(random_problem, dtype, monkeypatch):
    graph, theta = random_problem
    theta = np.round(theta, 1).astype(dtype)  # with ties
    solver = MinCostFlow(graph, threads=1)
    z = solver.solve(theta, validate="full")
    assert z.dtype == dtype
    alone = np.concatenate([solver.solve(row[None]) for row in theta])
    np.testing.assert_array_equal(alone, z)
    np.testing.assert_array_equal(solver.solve(theta[::-1])[::-1], z)
    monkeypatch.setattr("imle_networkx._kernels.flows.PARALLEL", 0)
    np.testing.assert_array_equal(MinCostFlow(graph, threads=2).solve(theta), z)


def test_graphs_demands_and_capacities_may_differ_by_row(random_problem):
    graph, theta = random_problem
    other = nx.DiGraph([("x", "y"), ("y", "x"), ("x", "x")])
    other.add_node("z")
    solver = MinCostFlow()
    moved = {"graph": graph, "demand": {0: 0, 1: graph.nodes[0]["demand"] + graph.nodes[1]["demand"]}}
    closed = {"graph": graph, "capacity": (((0, next(iter(graph[0]))), 0),)}
    small = {"graph": other, "demand": (("x", -2), ("y", 2)), "capacity": ((("x", "x"), 3),)}
    instances = [graph, moved, small, closed, {"graph": graph}, moved]
    costs = theta[:6].copy()
    costs[2, :3] = 1.0, -1.0, 2.0
    z = solver.solve(costs, instances=instances, validate="full")
    for row, instance in enumerate(instances):
        size = 3 if instance is small else 100
        alone = solver.solve(costs[[row], :size], instances=[instance])
        np.testing.assert_array_equal(alone[0], z[row, :size])
    assert z[2, :3].tolist() == [2, 3, 0]
    assert not z[2, 3:].any()
    changed = graph.copy()
    changed.nodes[1]["demand"], changed.nodes[0]["demand"] = moved["demand"][1], 0
    np.testing.assert_array_equal(MinCostFlow(changed).solve(costs[[1]])[0], z[1])
    changed = graph.copy()
    changed.edges[closed["capacity"][0][0]]["capacity"] = 0
    np.testing.assert_array_equal(MinCostFlow(changed).solve(costs[[3]])[0], z[3])


def test_rows_of_a_layer_have_their_own_demands():
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("a", "c")])
    layer = imle.SolverLayer(MinCostFlow(graph)).eval()  # without noise
    instances = [{"demand": (("a", -1), ("c", 1))}, {"demand": (("a", -2), ("b", 2))}]
    z = layer(torch.tensor([[1.0, 3.0, 1.0], [1.0, 3.0, 1.0]]), instances=instances)
    assert layer.solver.decode(z[0], instance=instances[0]) == {"a": {"b": 1, "c": 0}, "b": {"c": 1}, "c": {}}
    assert z.tolist() == [[1, 0, 1], [2, 0, 0]]


def two_ways(kind=nx.DiGraph, **attributes):
    graph = kind(**attributes)
    graph.add_nodes_from([("a", {"demand": -3}), ("b", {"demand": 0}), ("c", {"demand": 3})])
    graph.add_weighted_edges_from([("a", "b", 2), ("b", "c", 2), ("a", "c", 2)], "capacity")
    return graph


@pytest.mark.parametrize("method", METHODS)
def test_a_self_loop_is_filled_where_it_pays_as_networkx_fills_it(method):
    graph = two_ways()
    graph.add_edge("b", "b", capacity=4)
    solver = MinCostFlow(graph, method=method)
    assert solver.entries[-2:] == [("b", "c"), ("b", "b")]
    z = solver.solve(np.array([[1, 5, 1, -1.0], [1, 5, 1, 1.0], [1, 5, 1, 0.0]]))
    assert z[:, 3].tolist() == [4, 0, 0]
    nx.set_edge_attributes(graph, dict(zip(solver.entries, (1, 5, 1, -1), strict=True)), "weight")
    assert solver.decode(z[0]) == nx.min_cost_flow(graph)


@pytest.mark.parametrize("method", METHODS)
def test_the_cheapest_of_parallel_edges_is_filled_first(method):
    graph = nx.MultiDiGraph([("a", "b"), ("b", "a")])
    graph.add_edge("a", "b", "ferry", capacity=2)
    graph.add_nodes_from([("a", {"demand": -3}), ("b", {"demand": 3}), "alone"])
    solver = MinCostFlow(graph, method=method)
    assert solver.entries == [("a", "b", 0), ("a", "b", "ferry"), ("b", "a", 0)]
    z = solver.solve(np.array([[2.0, 1.0, -0.5]]))
    assert z.tolist() == [[1, 2, 0]]
    assert solver.decode(z[0]) == {"a": {"b": {0: 1, "ferry": 2}}, "b": {"a": {0: 0}}, "alone": {}}
    np.testing.assert_array_equal(solver.encode(solver.decode(z[0])), z[0])


@pytest.mark.parametrize("method", METHODS)
def test_a_large_flow_on_an_unlimited_edge_is_not_taken_for_an_unbounded_one(method):
    graph = nx.DiGraph()
    graph.add_nodes_from([("a", {"demand": -5}), ("b", {"demand": 5})])
    graph.add_edge("a", "b", weight=0)
    graph.add_edge("b", "a", weight=-1, capacity=10)
    with pytest.raises(nx.NetworkXUnbounded):  # by NetworkX itself it is
        nx.min_cost_flow(graph)
    z = MinCostFlow(graph, method=method).solve(np.array([[0.0, -1.0]]))
    assert z.tolist() == [[15, 10]]


@pytest.mark.parametrize("method", METHODS)
def test_a_cycle_that_pays_without_a_limit_is_named_with_its_row(method):
    graph = nx.DiGraph([("a", "b"), ("b", "c"), ("c", "b")])
    nx.set_node_attributes(graph, {"a": -1, "c": 1}, "demand")
    solver = MinCostFlow(graph, method=method)
    theta = np.ones((40, 3))
    theta[33, 2] = -1
    assert solver.solve(theta).tolist() == [[1, 1, 0]] * 40  # a cycle that costs nothing does no harm
    theta[33, 2] = -1.5
    with pytest.raises(
        UnboundedError, match=r"row 33: .* the cycle ('b' -> 'c' -> 'b'|'c' -> 'b' -> 'c') of edges"
    ):
        solver.solve(theta)
    assert MinCostFlow(graph, negative="clip", method=method).solve(theta)[33].tolist() == [1, 1, 0]
    loop = nx.DiGraph([("a", "a")])
    loop.nodes["a"]["demand"] = 0
    with pytest.raises(UnboundedError, match="the cycle 'a' -> 'a' of edges"):
        MinCostFlow(loop, method=method).solve(np.array([[-1.0]]))


def test_a_cycle_that_pays_by_rounding_alone_is_none():
    graph = nx.cycle_graph(6, create_using=nx.DiGraph)
    solver = MinCostFlow(graph)
    unit = 2.0**-58  # of the integers that six nodes allow
    theta = np.array([[0.5, -0.5, 0.4 * unit, 0.4 * unit, 0.4 * unit, -1.1 * unit]])
    instances = [{"demand": ((0, -1), (2, 1))}]
    assert solver.solve(theta, instances=instances).tolist() == [[1, 1, 0, 0, 0, 0]]
    theta[0, 5] -= unit
    with pytest.raises(UnboundedError):
        solver.solve(theta, instances=instances)


@pytest.mark.parametrize("method", METHODS)
def test_demands_that_do_not_balance_are_named_with_the_row(method):
    solver = MinCostFlow(two_ways(), method=method)
    instances = [{}, {"demand": {"a": -2}}]
    with pytest.raises(InfeasibleError, match="row 1: demands sum to 1, not to 0"):
        solver.solve(np.ones((2, 3)), instances=instances)
    assert not solver.is_feasible(np.array([[1.0, 1.0, 2.0]]), instances=[solver.prepare(instances[1])])


@pytest.mark.parametrize("method", METHODS)
def test_nodes_that_are_cut_off_are_named_with_the_row(method):
    graph = two_ways()
    graph.add_edges_from([("d", "a"), ("c", "d")])
    solver = MinCostFlow(graph, method=method)
    far = {"demand": {"a": 0, "d": -5, "c": 5}}
    with pytest.raises(
        InfeasibleError,
        match=r"row 1: .* supply of nodes 'a', 'd' is 5 in all, but edges out of there carry 4 at most",
    ):
        solver.solve(np.ones((2, 5)), instances=[{}, far])
    assert len(solver.enumerate_support(instance=far)) == 0
    long = nx.path_graph(12, create_using=nx.DiGraph)
    long.add_nodes_from([(0, {"demand": -1}), (12, {"demand": 1})])
    with pytest.raises(
        InfeasibleError,
        match=r"the supply of nodes 0, 1, 2, 3, 4, 5 and 6 more is 1 in all, .* carry 0 at most",
    ):
        MinCostFlow(long, method=method).solve(np.ones((1, 11)))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"a": {"demand": 0.5}}, "the demand of node 'a' is 0.5; it must be an integer"),
        ({"a": {"demand": math.nan}}, "the demand of node 'a' is nan; it must be an integer"),
        ({"a": {"demand": -math.inf}}, "the demand of node 'a' is -inf; it must be an integer"),
        ({"a": {"demand": "3"}}, "the demand of node 'a' is '3'; it must be an integer"),
        ({"a": {"demand": None}}, "the demand of node 'a' is None; it must be an integer"),
        ({"a": {"demand": 10**17}}, "the demand of node 'a' is 100000000000000000; it must be at most 2"),
        ({("a", "b"): {"capacity": 0.5}}, r"the capacity of edge \('a', 'b'\) is 0.5; it must be an integer"),
        ({("a", "b"): {"capacity": -1}}, r"the capacity of edge \('a', 'b'\) is -1; it must not be negative"),
        ({("a", "b"): {"capacity": math.nan}}, r"the capacity of edge \('a', 'b'\) is nan"),
        ({("a", "b"): {"capacity": -math.inf}}, r"the capacity of edge \('a', 'b'\) is -inf"),
    ],
)
def test_a_number_of_the_graph_that_is_no_integer_is_named(attributes, message):
    graph = two_ways()
    for name, data in attributes.items():
        (graph.nodes[name] if name == "a" else graph.edges[name]).update(data)
    with pytest.raises(SolverParameterError, match=message):
        MinCostFlow(graph)
    with pytest.raises(InvalidInstanceError, match=message):
        MinCostFlow().prepare(graph)


def test_integers_may_be_of_any_numeric_type():
    graph = two_ways()
    graph.nodes["a"]["demand"], graph.nodes["c"]["demand"] = -3.0, np.int8(3)
    graph.edges["a", "b"]["capacity"], graph.edges["b", "c"]["capacity"] = math.inf, np.float32(np.inf)
    assert MinCostFlow(graph).solve(np.array([[1.0, 2.0, 1.0]])).tolist() == [[1, 2, 1]]


@pytest.mark.parametrize(
    ("instance", "message"),
    [
        ({"demand": {"q": 1}}, "demand: node 'q' is not in the directed graph of 3 nodes"),
        ({"demand": 3}, "'demand' of an instance is a mapping or a tuple of pairs; got 3"),
        ({"demand": {"a": 0.5}}, "the demand of node 'a' is 0.5"),
        (
            {"capacity": {("c", "a"): 1}},
            r"capacity: \('c', 'a'\) is not an edge \(u, v\) of the directed graph",
        ),
        ({"capacity": {"abc": 1}}, "capacity: 'abc' is not an edge"),
        ({"capacity": {3: 1}}, "capacity: 3 is not an edge"),
        ({"capacity": {("a", "b"): -2}}, "is -2; it must not be negative"),
        ({"demnd": {}}, "unknown key 'demnd' .* Did you mean 'demand'"),
    ],
)
def test_a_wrong_instance_is_named(instance, message):
    with pytest.raises(InvalidInstanceError, match=message):
        MinCostFlow(two_ways()).solve(np.ones((1, 3)), instances=[instance])


def test_a_bundle_has_capacities_by_key():
    graph = nx.MultiDiGraph([("a", "b"), ("a", "b")])
    solver = MinCostFlow(graph)
    balanced = {"demand": (("a", -1), ("b", 1))}
    z = solver.solve(np.array([[1.0, 2.0]]), instances=[{**balanced, "capacity": {("a", "b", 0): 0}}])
    assert z.tolist() == [[0, 1]]
    with pytest.raises(
        InvalidInstanceError, match=r"\('a', 'b'\) is not an edge \(u, v, key\) of the directed"
    ):
        solver.prepare({**balanced, "capacity": {("a", "b"): 0}})


def test_an_attribute_that_nothing_has_is_an_error():
    graph = two_ways()
    solver = MinCostFlow(graph, demand="supply")
    with pytest.raises(
        InvalidInstanceError, match=r"no node of the .* has the attribute 'supply': .*by demand="
    ):
        solver.solve(np.ones((1, 3)))
    assert solver.solve(np.ones((1, 3)), instances=[{"demand": {}}]).tolist() == [[0, 0, 0]]
    with pytest.raises(
        SolverParameterError, match=r"no edge of the .* has the attribute 'limit' that capacity= names"
    ):
        MinCostFlow(graph, capacity="limit")
    nx.set_edge_attributes(graph, 1, "limit")
    assert MinCostFlow(graph, capacity="limit", demand="supply").is_feasible(
        np.zeros((1, 3)), instances=[solver.prepare({"demand": ()})]
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"graph": nx.Graph([(0, 1)])}, r"must be directed; got: undirected graph .*to_directed\(\)"),
        ({"graph": nx.MultiGraph([(0, 1)])}, r"must be directed; .*to_directed\(\)"),
        ({"graph": nx.DiGraph()}, "with nodes; got DiGraph with 0 nodes"),
        ({"negative": "shift"}, "negative must be one of"),
        ({"method": "simplex"}, "method must be one of"),
    ],
)
def test_a_wrong_parameter_is_named(parameters, message):
    with pytest.raises(SolverParameterError, match=message):
        MinCostFlow(**{"graph": two_ways(), **parameters})


@pytest.mark.parametrize("method", METHODS)
def test_flows_that_a_dtype_does_not_hold_are_refused(method):
    graph = nx.DiGraph()
    graph.add_nodes_from([("a", {"demand": -(2**24) - 1}), ("b", {"demand": 2**24 + 1})])
    graph.add_edge("a", "b")
    solver = MinCostFlow(graph, method=method)
    assert solver.solve(np.ones((1, 1))).tolist() == [[2**24 + 1]]
    with pytest.raises(
        InvalidThetaError,
        match=r"[Mm]in_?[Cc]ost_?[Ff]low: a flow of 16,777,216 is beyond the integers that float32 holds; use float64",
    ):
        solver.solve(np.ones((1, 1), np.float32))
    half = {"demand": {"a": -(2**23), "b": 2**23}}
    assert solver.solve(np.ones((1, 1), np.float32), instances=[half]).tolist() == [[2**23]]


def test_numbers_that_add_up_to_too_much_are_refused():
    graph = nx.empty_graph(300, create_using=nx.DiGraph)
    nx.set_node_attributes(graph, {node: 2**53 * (-1) ** node for node in graph}, "demand")
    with pytest.raises(InvalidInstanceError, match="add up to more than 2"):
        MinCostFlow(graph).prepare({})


@pytest.mark.parametrize("method", METHODS)
def test_nodes_without_edges_need_no_flow(method):
    graph = nx.empty_graph(3, create_using=nx.DiGraph)
    graph.nodes[0]["demand"] = 0
    solver = MinCostFlow(graph, method=method)
    raw = MinCostFlow.solve.__wrapped__  # what the core calls with rows that it has checked
    assert raw(solver, np.zeros((2, 0))).shape == (2, 0)
    assert solver.enumerate_support().shape == (1, 0)
    assert solver.is_feasible(np.zeros((2, 0))).all()
    with pytest.raises(InfeasibleError, match=r"row 0: .* the supply of node 1 is 1 in all, "):
        raw(solver, np.zeros((1, 0)), [solver.prepare({"demand": {1: -1, 2: 1}})])


def test_a_flow_that_is_none_is_refused():
    solver = MinCostFlow(two_ways())
    for z in ([1, 1, 1], [2, 2, 1], [4, 4, -1], [1.5, 1.5, 1.5], [math.nan] * 3, [math.inf, math.inf, 0]):
        with pytest.raises(InvalidSolutionError, match="no flow within the capacities"):
            solver.decode(np.array(z, float))
        assert not solver.is_feasible(np.array([z], float))[0]
    for flow, message in (
        ({"a": {"q": 1}}, r"flow: \('a', 'q'\) is not an edge"),
        ({"a": {"b": 0.5}}, r"the flow of edge \('a', 'b'\) is 0.5"),
        ({"a": {"b": -3}}, r"the flow of edge \('a', 'b'\) is -3, which is below zero"),
        ({"a": 3}, "a flow is a mapping {u: {v: flow}}"),
        ([("a", "b")], "a flow is a mapping {u: {v: flow}}"),
    ):
        with pytest.raises(InvalidSolutionError, match=message):
            solver.encode(flow)


def test_a_set_without_end_is_not_listed(monkeypatch):
    graph = nx.DiGraph([("a", "b"), ("b", "a")])
    instance = {"demand": {"a": -1, "b": 1}}
    with pytest.raises(MissingCapabilityError, match="infinitely many flows"):
        MinCostFlow(graph).enumerate_support(instance=instance)
    monkeypatch.setattr("imle_networkx._kernels.all_flows.MAX_STEPS", 1000)
    wide = nx.complete_graph(6, create_using=nx.DiGraph)
    nx.set_edge_attributes(wide, 3, "capacity")
    with pytest.raises(MissingCapabilityError, match="too many flows to be listed"):
        MinCostFlow(wide).enumerate_support(instance={"demand": {}})


def test_a_graph_changed_by_its_owner_has_no_effect():
    graph = two_ways()
    solver = MinCostFlow(graph)
    graph.nodes["a"]["demand"] = 7
    graph.edges["a", "c"]["capacity"] = 0
    graph.remove_edge("b", "c")
    assert solver.solve(np.array([[2.0, 1.0, 2.0]])).tolist() == [[1, 2, 1]]


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda solver: pickle.loads(pickle.dumps(solver))])
def test_a_copy_gives_the_same_answers(clone):
    solver = MinCostFlow(two_ways())
    theta = np.array([[2.0, 1.0, 2.0]])
    instances = [{"demand": {"a": -1, "c": 1}}]
    expected = solver.solve(theta), solver.solve(theta, instances=instances)
    other = clone(solver)
    np.testing.assert_array_equal(other.solve(theta), expected[0])
    np.testing.assert_array_equal(other.solve(theta, instances=instances), expected[1])


def test_equal_instances_share_their_first_flow():
    solver = MinCostFlow(two_ways())
    one, two = (solver.prepare({"demand": {"a": -1, "c": 1}}) for _ in range(2))
    assert one.task is two.task
    assert one.task is not solver.prepare({"demand": {"a": -2, "c": 2}}).task


def test_it_explains_itself():
    assert "compiled network simplex" in MinCostFlow(two_ways()).explain()
    assert "none of whose edges has a capacity" in MinCostFlow(two_ways()).explain()
    assert "NetworkX's min_cost_flow" in MinCostFlow(two_ways(), method="networkx").explain()


def test_costs_that_forbid_an_edge_cost_no_precision():
    rng = np.random.default_rng(9)
    for _ in range(20):
        graph = nx.gnp_random_graph(6, 0.6, seed=int(rng.integers(2**31)), directed=True)
        nx.add_cycle(graph, range(6))
        nx.set_edge_attributes(graph, {edge: int(rng.integers(1, 4)) for edge in graph.edges}, "capacity")
        graph.nodes[0]["demand"], graph.nodes[3]["demand"] = -1, 1
        costs = rng.integers(1, 2**20, (4, graph.number_of_edges()))
        theta = costs * 2.0**-20
        for row, integers in zip(theta, costs, strict=True):
            some = rng.choice(len(row), int(rng.integers(1, 7)), replace=False)
            row[some] = 2.0 ** rng.choice([30, 40, 57, 100], len(some))
            exact = [int(cost * 2**20) for cost in row]
            assert (np.array(exact)[row < 2] == integers[row < 2]).all()
            solver = MinCostFlow(graph)
            found = cost_of(solver, row, exact)
            assert found == pytest.approx(by_networkx(graph, solver.entries, exact), rel=1e-9)


def test_a_large_cost_does_not_hide_a_cycle_that_pays():
    graph = nx.DiGraph([(0, 1), (1, 2), (2, 1)])
    graph.edges[0, 1]["capacity"] = 1
    nx.set_node_attributes(graph, {0: -1, 1: 1, 2: 0}, "demand")
    theta = np.array([[1.0, 1.0, 1.0], [1e18, -1.0, 0.5]])
    with pytest.raises(UnboundedError, match=r"row 1: .*cycle"):
        MinCostFlow(graph).solve(theta)
    theta[1, 2] = 1.25
    assert MinCostFlow(graph).solve(theta).tolist() == [[1, 0, 0]] * 2
