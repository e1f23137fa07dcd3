"""A step of I-MLE, forward and backward, by this library and by PyEPO, on PyEPO's own models and within one run.

PyEPO is no dependency: ``pip install pyepo``, and for its backends ``pyomo``, ``gurobipy`` (whose licence for small
models comes along), ``coptpy`` (the same) and ``mpax jax``; Pyomo's solvers ``glpsol`` and ``cbc`` are commands.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import logging
import shutil

import networkx as nx
import numpy as np
import pulp
import pytest
import torch
from imle_networkx.shortest_path import ShortestPath
from imle_pulp.ilp import ILP
from timing import cpu_seconds

import imle_core as imle

pyepo = pytest.importorskip("pyepo", reason="PyEPO is not installed: pip install pyepo")

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("default")]

BATCH = 32
ITEMS, LIMITS, CAPACITY = 32, 2, 20
GRIDS = {"shortest path 5x5": (5, 5), "shortest path 12x12": (12, 12)}
KAPPA, SIGMA, LAMBDA = 5, 1.0, 10.0  # PyEPO's own defaults
LICENSED = ("Gurobi", "COPT")
HEADER = [
    "PyEPO's model, batch of 32",
    "samples",
    "PyEPO's backend",
    "PyEPO, ms",
    "pulp.ilp, ms",
    "times faster",
]
HEADER += ["networkx.shortest_path, ms"]

BACKENDS = {
    "Gurobi": ("grb", "gurobipy", None),
    "COPT": ("copt", "coptpy", None),
    "Pyomo, GLPK": ("omo", "pyomo", "glpk"),
    "Pyomo, CBC": ("omo", "pyomo", "cbc"),
    "Pyomo, HiGHS": ("omo", "pyomo", "appsi_highs"),
    "OR-Tools, SCIP": ("ort", "ortools", "scip"),
    "OR-Tools, CBC": ("ort", "ortools", "cbc"),
    "OR-Tools, SAT": ("ort", "ortools", "sat"),
    "OR-Tools, CP-SAT": ("ort", "ortools", None),
    "OR-Tools, HiGHS": ("ort", "ortools", "highs"),
    "OR-Tools, GLOP": ("ort", "ortools", "glop"),
    "OR-Tools, PDLP": ("ort", "ortools", "pdlp"),
    "MPAX": ("mpax", "mpax", None),
}
CONTINUOUS = ("OR-Tools, GLOP", "OR-Tools, PDLP", "MPAX")


def theirs(backend, problem):
    """Return PyEPO's model and the costs of a batch, or skip where something is missing."""
    module, needs, solver = BACKENDS[backend]
    if importlib.util.find_spec(needs) is None:
        pytest.skip(f"{needs} is not installed")
    command = {"glpk": "glpsol", "cbc": "cbc"}.get(solver) if module == "omo" else None
    if command and shutil.which(command) is None:
        pytest.skip(f"there is no command {command}")
    models = importlib.import_module(f"pyepo.model.{module}")
    option = {} if solver is None else {"solver": solver}
    suffix = "CpModel" if backend == "OR-Tools, CP-SAT" else "Model"
    if problem in GRIDS:
        return getattr(models, f"shortestPath{suffix}")(grid=GRIDS[problem], **option)
    weights, capacity = knapsack_data()[0], np.full(LIMITS, CAPACITY)
    if suffix == "CpModel":  # of integers alone: the same in hundredths
        weights, capacity = np.rint(100 * weights).astype(int), 100 * capacity
    return getattr(models, f"knapsack{suffix}")(weights=weights, capacity=capacity, **option)


def knapsack_data():
    weights, _, costs = pyepo.data.knapsack.genData(BATCH, 5, ITEMS, dim=LIMITS, deg=4, noise_width=0.5)
    return weights, costs


def costs_of(problem):
    if problem in GRIDS:
        costs = pyepo.data.shortestpath.genData(BATCH, 5, GRIDS[problem], deg=4, noise_width=0.5)[1]
    else:
        costs = knapsack_data()[1]
    return torch.tensor(np.array(costs), dtype=torch.float32)


@functools.cache
def arcs(grid):
    """Return the arcs of PyEPO's grid, in its order, as it names them."""
    rows, columns = grid
    found = []
    for i in range(rows):
        found += [(i * columns + j, i * columns + j + 1) for j in range(columns - 1)]
        if i < rows - 1:
            found += [(i * columns + j, (i + 1) * columns + j) for j in range(columns)]
    return found


@functools.cache
def ours(problem):
    """Return solvers of the same model, written in PuLP; and where there is one, of its own kind."""
    if problem not in GRIDS:
        model = pulp.LpProblem("knapsack", pulp.LpMaximize)
        taken = [model.add_variable(f"x{j}", cat=pulp.LpBinary) for j in range(ITEMS)]
        for row in knapsack_data()[0].tolist():
            model += pulp.lpSum(w * x for w, x in zip(row, taken, strict=True)) <= CAPACITY
        return {"pulp.ilp": ILP(model, taken, threads=1)}
    grid = GRIDS[problem]
    model, last = pulp.LpProblem("path", pulp.LpMinimize), grid[0] * grid[1] - 1
    flows = [model.add_variable(f"x{k}", 0, 1) for k in range(len(arcs(grid)))]
    for node in range(last + 1):
        into = pulp.lpSum(flow for flow, (_, v) in zip(flows, arcs(grid), strict=True) if v == node)
        out = pulp.lpSum(flow for flow, (u, _) in zip(flows, arcs(grid), strict=True) if u == node)
        model += into - out == (node == last) - (node == 0)
    graph = nx.DiGraph()
    graph.add_nodes_from(range(last + 1))
    graph.add_edges_from(arcs(grid))
    return {
        "pulp.ilp": ILP(model, flows, threads=1),
        "networkx.shortest_path": ShortestPath(graph, source=0, target=last, negative="clip", threads=1),
    }


def a_step(layer, costs, slope):
    """Return a function that makes a step, forward and backward."""

    def step():
        theta = costs.clone().requires_grad_()
        (layer(theta) * slope).sum().backward()
        assert theta.grad.shape == theta.shape

    return step


def seconds(calls):
    """Return the least processor time of each function, called in turn three times, or once where that is long.

    That of all threads and child processes counts: one thread is what all are given, where they can be told.
    """
    best, begun = [float("inf")] * len(calls), cpu_seconds()
    for _ in range(3):
        for i, call in enumerate(calls):
            start = cpu_seconds()
            call()
            best[i] = min(best[i], cpu_seconds() - start)
        if cpu_seconds() - begun > 5:
            break
    return best


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("samples", [1, 10])
@pytest.mark.parametrize("problem", ["knapsack 32x2", *GRIDS])
def test_a_step_is_faster_than_by_each_free_backend_of_pyepo(problem, samples, backend, report, renew):
    if problem not in GRIDS and backend in CONTINUOUS:
        pytest.skip(f"{backend} solves the relaxation alone")
    logging.getLogger("pyepo").setLevel(logging.ERROR)
    model, costs = theirs(backend, problem), costs_of(problem)
    solvers = ours(problem)
    model.setObj(costs[0].numpy())
    value, z = model.solve()[1], solvers["pulp.ilp"].solve(costs[:1].numpy())
    assert (z * costs[:1].numpy()).sum() == pytest.approx(value, rel=1e-3)  # MPAX and PDLP stop at about 1e-4
    slope = torch.randn(costs.shape, generator=torch.Generator().manual_seed(0))
    estimator = imle.IMLE(
        samples=samples, noise=imle.SumOfGamma(k=KAPPA), tau=SIGMA, lam=LAMBDA, step="absolute"
    )
    layers = [pyepo.func.implicitMLE(model, n_samples=samples, sigma=SIGMA, lambd=LAMBDA, processes=1)]
    layers += [
        imle.SolverLayer(solver, estimator, generator=torch.Generator().manual_seed(0))
        for solver in solvers.values()
    ]
    for layer in layers:
        a_step(layer, costs[:2], slope[:2])()  # compile, load
    them, us, *others = seconds([a_step(layer, costs, slope) for layer in layers])
    other = f"{1e3 * others[0]:,.1f}" if others else "-"
    fields = [problem, samples, backend, f"{1e3 * them:,.1f}", f"{1e3 * us:,.1f}", f"{them / us:,.1f}", other]
    report("{:20s}{:4d}  {:18s}{:>9s} ms{:>9s} ms{:>7s} times   by networkx {:>6s} ms".format(*fields))
    renew("ilp_pyepo.csv", HEADER, fields, keys=3)
    assert them > us or backend in LICENSED
