"""What holds for every estimator over every solver that it applies to; both are tested by being listed."""

import pytest
import torch
from toys import Box, CheapestK, Listed, OneOfN, TopK, subsets

import imle_core as imle
from imle_core.estimators import CATALOGUE, resolve

SOLVERS = {
    "top-k": TopK(2),
    "cheapest-k": CheapestK(2),
    "one-of-n": OneOfN(),
    "box": Box(),
    "subsets": Listed(subsets(6, 2)),
    "costs of subsets": Listed(subsets(6, 2), sense="min"),
    "k_subset": imle.solver("torch.k_subset", k=2, n=6),
}
ESTIMATORS = {
    **{name: resolve(name) for name in CATALOGUE},
    "central": imle.IMLE(samples=2, difference="central"),
    "cost target": imle.IMLE(target="cost"),
    "multiplicative": imle.Perturbed(samples=4, multiplicative=True),
    "family score": imle.ScoreFunction(noise=None),
    "marginals": imle.Exact(output="marginals"),
    "antithetic": imle.IMLE(samples=4, draws="antithetic"),
    "sobol": imle.IMLE(samples=4, draws="sobol"),
}
ABSOLUTE = {"cost target"}  # a step, or a target, that is not relative to the loss
# Noise that keeps signs does not move what depends on signs alone; a projection may change sets without a fixed size.
UNSUITED = {("multiplicative", "box"), ("identity", "box")}
WITHOUT_NOISE = {"blackbox", "straight_through", "identity", "sparsemap", "marginals"}


def applies(estimator, solver):
    try:
        estimator.check_solver(solver)
    except imle.ImleError:
        return False
    return True


PAIRS = [
    pytest.param(name, solver, id=f"{name}-{label}")
    for name, estimator in ESTIMATORS.items()
    for label, solver in SOLVERS.items()
    if applies(estimator, solver) and (name, label) not in UNSUITED
]
each_pair = pytest.mark.parametrize(("name", "solver"), PAIRS)


def randn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gradient(solver, name, theta, w, factor=1.0):
    layer = imle.SolverLayer(solver, ESTIMATORS[name], generator=torch.Generator().manual_seed(0))
    theta = theta.clone().requires_grad_()
    z = layer(theta)
    ((z * w).sum() * factor).backward()
    return z.detach(), theta.grad


def test_every_name_has_its_pairs():
    assert {param.values[0] for param in PAIRS} == set(ESTIMATORS)


@each_pair
def test_gradient_is_finite_repeats_with_the_generator_and_leaves_theta_alone(name, solver):
    theta, w = randn(5, 6), randn(5, 6, seed=1)
    before = theta.clone()
    z, g = gradient(solver, name, theta, w)
    assert torch.equal(theta, before)
    assert z.isfinite().all()
    assert g.isfinite().all()
    assert g.abs().sum() > 0
    again = gradient(solver, name, theta, w)
    assert torch.equal(z, again[0])
    assert torch.equal(g, again[1])


@each_pair
def test_zero_loss_gradient_is_a_zero_gradient(name, solver):
    w = randn(5, 6, seed=1)
    w[[1, 3]] = 0
    _, g = gradient(solver, name, randn(5, 6), w)
    assert (g[[1, 3]] == 0).all()
    assert (gradient(solver, name, randn(5, 6), torch.zeros(5, 6))[1] == 0).all()


@each_pair
@pytest.mark.parametrize("factor", [1 / 64, 65536.0])
def test_gradient_is_homogeneous_in_the_loss(name, solver, factor):
    if name in ABSOLUTE:
        pytest.skip("the cost target takes the loss gradient for costs in units of theta")
    theta, w = randn(5, 6), randn(5, 6, seed=1)
    plain, scaled = (gradient(solver, name, theta, w, by)[1] for by in (1.0, factor))
    torch.testing.assert_close(scaled / factor, plain, rtol=1e-6, atol=1e-12)


@each_pair
def test_rows_do_not_see_each_other(name, solver):
    # without noise, which rows draw in the order that they stand in
    if name not in WITHOUT_NOISE:
        pytest.skip("draws noise")
    theta, w = randn(5, 6), randn(5, 6, seed=1)
    w[2] *= 1000
    _, together = gradient(solver, name, theta, w)
    for row in range(5):
        _, alone = gradient(solver, name, theta[row : row + 1], w[row : row + 1])
        torch.testing.assert_close(alone[0], together[row], rtol=1e-9, atol=1e-9)


@each_pair
def test_eval_is_the_plain_solver(name, solver):
    theta = randn(5, 6)
    layer = imle.SolverLayer(solver, ESTIMATORS[name]).eval()
    torch.testing.assert_close(layer(theta), torch.as_tensor(solver.solve(theta)).to(theta))


@each_pair
def test_where_all_structures_weigh_the_same_the_gradient_has_no_such_direction(name, solver):
    if name == "straight_through":
        pytest.skip("straight-through does not see the set")
    if name in ("perturbed", "multiplicative", "score_function"):
        pytest.skip("holds in expectation alone")
    if isinstance(solver, Box):
        pytest.skip("structures weigh differently")
    _, g = gradient(solver, name, randn(5, 6), randn(5, 6, seed=1))
    torch.testing.assert_close(g.sum(1), torch.zeros(5).double(), rtol=0, atol=1e-8)


@each_pair
def test_costs_mirror_scores(name, solver):
    if not isinstance(solver, (TopK, Listed)):
        pytest.skip("has no mirror here")
    sense = "min" if solver.sense == "max" else "max"
    if isinstance(solver, Listed):
        mirror = Listed(solver.vertices, sense=sense)
    else:
        mirror = CheapestK(2) if sense == "min" else TopK(2)
    theta, w = randn(5, 6), randn(5, 6, seed=1)
    z, g = gradient(solver, name, theta, w)
    other = gradient(mirror, name, -theta, w)
    torch.testing.assert_close(other[0], z)
    torch.testing.assert_close(other[1], -g)


@each_pair
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_dtypes(name, solver, dtype):
    theta = randn(5, 6).to(dtype)
    z, g = gradient(solver, name, theta, randn(5, 6, seed=1).to(dtype))
    assert z.dtype == g.dtype == dtype
    assert g.isfinite().all()
