"""Sets too large to list, against what is known of them: counts, closed forms, and other libraries' algorithms."""

import math
from itertools import combinations, permutations

import networkx as nx
import numpy as np
import pytest
import torch

import imle_core as imle

DOUBLE = torch.float64


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def log_size(name, **parameters):
    """The logarithm of the number of structures: the log-partition function at zero."""
    solver = imle.solver(f"torch.{name}", **parameters)
    return solver.log_partition(torch.zeros(1, *solver.event_shape, dtype=DOUBLE)).item()


def complete(n):
    return list(combinations(range(n), 2))


def directed(n):
    return list(permutations(range(n), 2))


def lattice(rows, columns, steps, keep=lambda r, c: True):
    """A grid whose edges go by some steps, between the cells to keep; cells are numbered row by row."""
    return [
        (r * columns + c, (r + i) * columns + c + j)
        for r in range(rows)
        for c in range(columns)
        for i, j in steps
        if r + i < rows and c + j < columns and keep(r, c) and keep(r + i, c + j)
    ]


@pytest.mark.parametrize("n", [2, 3, 7, 30])
def test_number_of_trees_is_cayleys(n):
    assert log_size("spanning_tree", graph=complete(n)) == pytest.approx((n - 2) * math.log(n), abs=1e-10)
    assert log_size("arborescence", graph=directed(n), root=n - 1) == pytest.approx(
        (n - 2) * math.log(n), abs=1e-10
    )
    assert log_size("arborescence", graph=directed(n)) == pytest.approx((n - 1) * math.log(n), abs=1e-9)


def test_number_of_trees_of_bipartite_and_cyclic_graphs():
    between = [(i, 3 + j) for i in range(3) for j in range(5)]
    assert log_size("spanning_tree", graph=between) == pytest.approx(math.log(3**4 * 5**2), abs=1e-12)
    ring = [(i, (i + 1) % 50) for i in range(50)]
    assert log_size("spanning_tree", graph=ring) == pytest.approx(math.log(50), abs=1e-12)
    assert log_size("arborescence", graph=ring) == pytest.approx(math.log(50), abs=1e-9)


def test_number_of_paths_is_binomial_delannoys_or_catalans():
    paths = lattice(8, 6, [(0, 1), (1, 0)])
    assert log_size("dag_path", graph=paths, source=0, target=47) == pytest.approx(math.log(math.comb(12, 5)))
    kings = lattice(6, 6, [(0, 1), (1, 0), (1, 1)])
    assert log_size("dag_path", graph=kings, source=0, target=35) == pytest.approx(math.log(1683))
    below = lattice(11, 11, [(0, 1), (1, 0)], keep=lambda r, c: c <= r)
    assert log_size("dag_path", graph=below, source=0, target=120) == pytest.approx(math.log(16796))


def test_number_of_permutations_and_of_derangements():
    assert log_size("assignment", n=12) == pytest.approx(math.lgamma(13), abs=1e-12)
    assert log_size("ranking", n=12) == pytest.approx(math.lgamma(13), abs=1e-12)
    theta = -1e3 * torch.eye(10, dtype=DOUBLE)[None]
    derangements = imle.solver("torch.assignment", n=10).log_partition(theta)
    assert derangements.item() == pytest.approx(math.log(1334961), abs=1e-12)


def test_number_of_subsets_and_of_sequences():
    assert log_size("k_subset", n=40, k=13) == pytest.approx(math.log(math.comb(40, 13)), abs=1e-12)
    at_most = sum(math.comb(40, k) for k in range(14))
    assert log_size("at_most_k", n=40, k=13) == pytest.approx(math.log(at_most), abs=1e-12)
    assert log_size("knapsack", weights=[3] * 40, capacity=41) == pytest.approx(math.log(at_most), abs=1e-12)
    assert log_size("chain", steps=30, states=7) == pytest.approx(31 * math.log(7), abs=1e-11)


def test_log_partition_is_the_log_determinant_of_the_reduced_laplacian():
    edges, theta = directed(9), draws(5, 72)
    weights = torch.zeros(5, 9, 9, dtype=DOUBLE)
    for column, (parent, child) in enumerate(edges):
        weights[:, parent, child] = theta[:, column].exp()
    laplacian = torch.diag_embed(weights.sum(1)) - weights
    minors = [np.delete(np.delete(laplacian.numpy(), r, 1), r, 2) for r in range(9)]
    wanted = torch.stack([torch.linalg.slogdet(torch.from_numpy(minor)).logabsdet for minor in minors])
    rooted = torch.cat(
        [imle.solver("torch.arborescence", graph=edges, root=r).log_partition(theta)[None] for r in range(9)]
    )
    torch.testing.assert_close(rooted, wanted, rtol=1e-12, atol=1e-12)
    free = imle.solver("torch.arborescence", graph=edges).log_partition(theta)
    torch.testing.assert_close(free, wanted.logsumexp(0), rtol=1e-12, atol=1e-11)


def test_log_partition_of_a_ring_is_right_where_a_determinant_is_not():
    # A tree leaves one edge of the ring out. The weights differ by far more than floating point can add up.
    ring = [(i, (i + 1) % 12) for i in range(12)]
    theta = (1e3 * draws(4, 12)).requires_grad_()
    log_z = imle.solver("torch.spanning_tree", graph=ring).log_partition(theta)
    wanted = theta.sum(1) + (-theta).logsumexp(1)
    torch.testing.assert_close(log_z, wanted, rtol=1e-12, atol=0)
    (found,) = torch.autograd.grad(log_z.sum(), theta)
    torch.testing.assert_close(found, 1 - (-theta).softmax(1))


@pytest.mark.parametrize("n", [5, 9, 14])
def test_best_trees_are_those_of_networkx(n):
    theta = draws(6, n * (n - 1))
    free = imle.solver("torch.arborescence", graph=directed(n)).solve(theta)
    rooted = imle.solver("torch.arborescence", graph=directed(n), root=2).solve(theta)
    tree = imle.solver("torch.spanning_tree", graph=complete(n), sense="min").solve(
        theta[:, : n * (n - 1) // 2]
    )
    for row, scores in enumerate(theta.tolist()):
        graph = nx.DiGraph()
        graph.add_weighted_edges_from((u, v, t) for (u, v), t in zip(directed(n), scores, strict=True))
        assert (free[row] * theta[row]).sum().item() == pytest.approx(
            total(nx.maximum_spanning_arborescence(graph))
        )
        graph.remove_edges_from(list(graph.in_edges(2)))
        assert (rooted[row] * theta[row]).sum().item() == pytest.approx(
            total(nx.maximum_spanning_arborescence(graph))
        )
        plain = nx.Graph()
        plain.add_weighted_edges_from((u, v, t) for (u, v), t in zip(complete(n), scores, strict=False))
        value = (tree[row] * theta[row, : tree.shape[1]]).sum().item()
        assert value == pytest.approx(total(nx.minimum_spanning_tree(plain)))


def total(graph):
    return graph.size(weight="weight")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("spanning_tree", {"graph": complete(12)}),
        ("arborescence", {"graph": directed(9), "root": 4}),
        ("arborescence", {"graph": directed(9)}),
        ("dag_path", {"graph": lattice(8, 8, [(0, 1), (1, 0), (1, 1)]), "source": 0, "target": 63}),
        ("knapsack", {"weights": [1, 2, 3, 4, 5, 6, 7] * 4, "capacity": 40}),
        ("k_subset", {"n": 40, "k": 25}),
        ("chain", {"steps": 12, "states": 5}),
        ("assignment", {"n": 8}),
        ("ranking", {"n": 8}),
    ],
)
def test_samples_of_large_sets_have_the_exact_first_and_second_moments(name, parameters):
    solver = imle.solver(f"torch.{name}", **parameters)
    theta = draws(1, *solver.event_shape).requires_grad_()
    (mu,) = torch.autograd.grad(solver.log_partition(theta).sum(), theta, create_graph=True)
    # the variance of <z, v> for a random v, by a Hessian-vector product
    v, count = draws(1, *solver.event_shape, seed=1), 8000
    (hv,) = torch.autograd.grad((mu * v).sum(), theta)
    z = solver.sample(theta, count, generator=torch.Generator().manual_seed(2))
    assert torch.as_tensor(solver.is_feasible(z[:, 0])).all()
    spread = z.var(0).sqrt()
    assert ((z.mean(0) - mu).abs() <= 5 * spread / count**0.5 + 5 / count).all()
    shade = (z * v).flatten(2).sum(2)[:, 0]
    variance, kurtosis = (hv * v).sum().item(), ((shade - shade.mean()) ** 4).mean().item()
    assert abs(shade.var().item() - variance) <= 5 * math.sqrt((kurtosis - variance**2) / count)


def test_trees_of_six_nodes_are_drawn_in_proportion_to_their_weights():
    solver = imle.solver("torch.spanning_tree", graph=complete(6))
    theta, count = draws(1, 15), 60_000
    support = torch.from_numpy(solver.enumerate_support())
    assert len(support) == 1296
    p = (theta @ support.T).softmax(1)[0]
    z = solver.sample(theta, count, generator=torch.Generator().manual_seed(5))[:, 0]
    powers = 2.0 ** torch.arange(15, dtype=DOUBLE)
    order = (support @ powers).sort()
    counts = torch.bincount(torch.searchsorted(order.values, z @ powers), minlength=1296)
    wanted = count * p[order.indices]
    statistic = ((counts - wanted) ** 2 / wanted).sum().item()
    # Under the null its mean is 1295, and its variance 2 * 1295 plus what rare trees add.
    variance = 2 * 1295 + ((1 / p).sum().item() - 1296**2) / count
    assert abs(statistic - 1295) < 5 * math.sqrt(variance)


def test_a_chain_is_a_path_in_a_layered_graph():
    theta = draws(3, 4, 3, 3)
    edges = [(0, 1 + i) for i in range(3)]  # into the states of the first position
    for t in range(4):
        edges += [(1 + 3 * t + i, 4 + 3 * t + j) for i in range(3) for j in range(3)]
    edges += [(13 + i, 16) for i in range(3)]
    path = imle.solver("torch.dag_path", graph=edges, source=0, target=16)
    chain = imle.solver("torch.chain", steps=4, states=3)
    padded = torch.nn.functional.pad(theta.flatten(1), (3, 3))
    torch.testing.assert_close(chain.log_partition(theta), path.log_partition(padded), rtol=1e-13, atol=1e-13)
    assert torch.equal(chain.solve(theta).flatten(1), path.solve(padded)[:, 3:-3])


def test_at_most_k_is_a_knapsack_of_equal_weights():
    theta = draws(5, 12)
    bound = imle.solver("torch.at_most_k", k=4)
    knapsack = imle.solver("torch.knapsack", weights=[3] * 12, capacity=14)
    torch.testing.assert_close(bound.log_partition(theta), knapsack.log_partition(theta), rtol=1e-13, atol=0)
    assert torch.equal(bound.solve(theta), knapsack.solve(theta))


def test_a_large_score_of_a_binary_is_not_rounded_off():
    theta = torch.tensor([[20.5, -20.5]], dtype=DOUBLE)
    log_z = imle.solver("torch.binary").log_partition(theta)
    assert log_z.item() - 20.5 == pytest.approx(2 * math.log1p(math.exp(-20.5)), rel=1e-6)


def test_autocast_changes_no_answer():
    vertices = draws(500, 9)
    solver, theta = imle.solver("torch.enumerated", vertices=vertices.numpy()), draws(200, 9, seed=1).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(solver.solve(theta), vertices.float()[(theta.double() @ vertices.T).argmax(1)])


def test_ranks_are_those_of_a_sort():
    theta = torch.tensor([[0.3, -1.0, 2.0, 0.3]])
    assert imle.solver("torch.ranking").solve(theta).tolist() == [[2, 1, 4, 3]]
    assert imle.solver("torch.ranking", sense="min").solve(theta).tolist() == [[2, 4, 1, 3]]


def test_marginals_of_one_of_n_and_of_binaries_are_softmax_and_sigmoid():
    theta = draws(3, 6).requires_grad_()
    for name, wanted in (("one_of_n", theta.softmax(1)), ("binary", theta.sigmoid())):
        log_z = imle.solver(f"torch.{name}").log_partition(theta)
        torch.testing.assert_close(torch.autograd.grad(log_z.sum(), theta)[0], wanted)


def test_many_parallel_edges_do_not_make_a_second_root_likely():
    n, m = 8, 400
    edges = [(n - 1, 0)] + [(i, i + 1) for i in range(n - 2)]
    edges += [(i + 1, i) for i in range(n - 2) for _ in range(m)]
    any_root = imle.solver("torch.arborescence", nodes=n, graph=edges)
    theta = torch.zeros(1, len(edges), dtype=torch.float64)
    # a tree must begin at the node that nothing enters
    one_root = imle.solver("torch.arborescence", nodes=n, graph=edges, root=n - 1)
    torch.testing.assert_close(
        any_root.log_partition(theta), one_root.log_partition(theta), rtol=0, atol=1e-9
    )
    z = any_root.sample(theta, 200, generator=torch.Generator().manual_seed(0))
    assert any_root.is_feasible(z.flatten(0, 1)).all()


def test_weights_whose_sum_is_beyond_64_bits_are_weighed_right():
    knapsack = imle.solver("torch.knapsack", weights=[2**62, 2**62, 2**62, 3], capacity=10)
    assert knapsack.is_feasible(torch.tensor([[1.0, 1, 1, 0], [0, 0, 0, 1]])).tolist() == [False, True]


@pytest.mark.parametrize("shape", [(1, 2, 1, 3), (1, 1, 2, 3), (1, 0, 2, 2), (1, 2, 0, 0)])
def test_chains_between_different_numbers_of_states_are_refused(shape):
    with pytest.raises(imle.errors.InvalidThetaError, match="the same K states"):
        imle.solver("torch.chain").log_partition(torch.zeros(shape))


def test_states_of_paths_may_be_bool():
    path = imle.solver("torch.dag_path", nodes=3, graph=[(0, 1), (1, 2), (0, 2)], source=0, target=2)
    z = torch.tensor([[True, True, False], [True, False, False]])
    assert path.is_feasible(z).tolist() == [True, False]


@pytest.mark.parametrize("begun", ["inference", "traced"])
def test_a_first_call_in_another_mode_leaves_nothing_behind(begun):
    solver = imle.solver("torch.enumerated", vertices=np.eye(3))
    if begun == "inference":
        with torch.inference_mode():
            solver.solve(torch.randn(2, 3))
    else:

        class Module(torch.nn.Module):
            def forward(self, theta):
                return solver.log_partition(theta)

        torch.export.export(Module(), (torch.randn(2, 3),), strict=False)
    theta = torch.randn(2, 3, requires_grad=True)
    value = solver.log_partition(theta)
    assert type(value) is torch.Tensor
    value.sum().backward()
    torch.testing.assert_close(theta.grad, theta.detach().softmax(1))
