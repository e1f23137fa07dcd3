"""Bad input of a loss gets a typed error that says what was asked, what was found, and what to do."""

import re

import numpy as np
import pytest
import torch
from loss_cases import CASES, PAIRS, Counting, randn
from toys import Identity, TopK

import imle_core as imle
from imle_core import errors, losses

each = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def raises(error, message):
    return pytest.raises(error, match=re.escape(message))


def setting(case):
    solver, theta = Counting(), randn(4, 5)
    return case.make(solver, PAIRS), theta, case.target(theta, solver)


@each
def test_theta_is_checked_as_a_layer_checks_it(case):
    loss, theta, target = setting(case)
    bad = theta.clone()
    bad[2, 1] = torch.inf
    with raises(
        errors.InvalidThetaError,
        "Counting: theta has 1 non-finite values, first at row 2, index (1,): inf",
    ):
        loss(bad, target)
    with raises(errors.InvalidThetaError, "Counting: theta is int64; use a floating dtype."):
        loss(theta.long(), target)
    with raises(
        errors.InvalidThetaError, "Counting: theta has shape (4, 4), but the solver takes rows of shape (5,)."
    ):
        loss(theta[:, :4], target[:, :4])
    with raises(errors.InvalidThetaError, "Counting: a layer takes a torch.Tensor; got ndarray."):
        loss(theta.numpy(), target)


@each
def test_target_of_another_kind(case):
    loss, theta, target = setting(case)
    name = "target" if case.compares == "structure" else "theta_true"
    with raises(errors.InvalidTargetError, f"Counting: {name} (1, 5) but theta is (4, 5)"):
        loss(theta, target[:1])  # would broadcast
    with raises(ValueError, f"Counting: {name} (5,) but theta is (4, 5)"):
        loss(theta, target[0])
    with raises(errors.InvalidTargetError, f"Counting: {name} must be a torch.Tensor; got ndarray."):
        loss(theta, target.numpy())
    with raises(errors.InvalidTargetError, f"Counting: {name} is torch.complex128"):
        loss(theta, target.to(torch.complex128))
    with raises(errors.InvalidTargetError, f"Counting: {name} is on meta but theta is on cpu"):
        loss(theta, target.to("meta"))
    with raises(errors.InvalidTargetError, f"Counting: {name} requires a gradient"):
        loss(target, theta.clone().requires_grad_())
    target = target.clone()
    target[1, 3] = torch.nan
    message = (
        "Counting: row 1: target has nan at index (3,); use finite values."
        if case.compares == "structure"
        else "Counting: theta_true has 1 non-finite values, first at row 1, index (3,): nan"
    )
    with raises(ValueError, message):
        loss(theta, target)


class Binary(Counting):
    output = "binary"


class Integer(Counting):
    output = "integer"


STRUCTURED = {name: case for name, case in CASES.items() if case.compares == "structure"}


@pytest.mark.parametrize("case", STRUCTURED.values(), ids=STRUCTURED)
def test_target_that_cannot_be_a_structure(case):
    theta = randn(3, 5)
    mean = case.cls in (losses.FenchelYoung, losses.NegativeLogLikelihood)
    y = PAIRS[:3].clone()
    loss = case.make(Binary(), PAIRS)
    y[1, 2] = 2.0
    with raises(errors.InvalidTargetError, "Binary: row 1: target has 2 at index (2,); a "):
        loss(theta, y)
    y[1, 2] = 0.5
    if mean:
        loss(theta, y)
    else:
        with raises(
            errors.InvalidTargetError, "target has 0.5 at index (2,); a binary structure has entries 0"
        ):
            loss(theta, y)
        if case.cls is not losses.StructuredHinge:
            with raises(errors.InvalidTargetError, "the solver's structures have integer entries"):
                case.make(Integer(), PAIRS)(theta, y)


@pytest.mark.parametrize("case", STRUCTURED.values(), ids=STRUCTURED)
def test_target_that_is_not_feasible_is_found_by_full_validation(case):
    theta, y = randn(3, 5), PAIRS[:3].clone()
    y[2, 4] = 1  # a triple
    solver = Binary()
    assert torch.isfinite(case.make(solver, PAIRS)(theta, y))
    loss = case.make(solver, PAIRS, validate="full")
    with raises(
        errors.InvalidTargetError, "Binary: row 2: target is no structure of the set: [1.0, 0.0, 0.0, 1.0"
    ):
        loss(theta, y)
    assert torch.isfinite(loss(theta, PAIRS[:3]))
    if case.cls in (losses.FenchelYoung, losses.NegativeLogLikelihood):
        mean = PAIRS[:6].reshape(3, 2, 5).mean(1)
        assert torch.isfinite(loss(theta, mean))
        mixed = torch.cat([mean[:2], y[2:]])
        with raises(errors.InvalidTargetError, "Binary: row 2: target is no structure of the set"):
            loss(theta, mixed)


def test_optimum_that_is_no_structure():
    theta, true = randn(2, 5), randn(2, 5, seed=1)
    with raises(errors.InvalidTargetError, "Binary: row 0: target has"):
        losses.SPOPlus(Binary())(theta, true, true)
    with raises(errors.InvalidTargetError, "Binary: row 1: target is no structure of the set"):
        losses.regret(theta, true, Binary(), target=torch.ones(2, 5).triu(3), validate="full")


def test_validation_that_the_solver_does_not_offer():
    with raises(errors.MissingCapabilityError, "Identity has no `is_feasible`"):
        losses.SPOPlus(Identity(), validate="full")(randn(2, 5), randn(2, 5), randn(2, 5))


def test_exact_inference_that_the_solver_does_not_offer():
    with raises(
        errors.MissingCapabilityError,
        "NegativeLogLikelihood needs a solver with `log_partition`; TopK has none. Sets that have it are",
    ):
        losses.NegativeLogLikelihood(TopK(2))


def test_hinge_over_structures_that_are_not_binary():
    vertices = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]])
    solver = Counting(vertices=vertices)
    with raises(errors.InvalidTargetError, "row 1: the solution has 2 at index (1,); a binary structure has"):
        losses.StructuredHinge(solver)(torch.tensor([[5.0, 0.0], [0.0, 5.0]]), vertices[:2])


@pytest.mark.parametrize("cost", [-1.0, float("nan"), torch.tensor([1.0, -0.5])])
def test_cost_of_a_hinge_out_of_range(cost):
    with raises(ValueError, "StructuredHinge: cost must be finite and at least 0; got"):
        losses.StructuredHinge(TopK(2), cost=cost)


def test_cost_of_a_hinge_of_another_shape():
    for cost in (torch.ones(4), torch.ones(2, 5)):
        with raises(errors.InvalidTargetError, f"cost {tuple(cost.shape)} does not broadcast to a structure"):
            losses.StructuredHinge(TopK(2), cost=cost)(randn(2, 5), PAIRS[:2])


@pytest.mark.parametrize(
    ("cls", "options", "message"),
    [
        (losses.FenchelYoung, {"samples": 0}, "samples must be an integer of at least 1; got 0."),
        (losses.FenchelYoung, {"sigma": 0}, "sigma must be a finite number above 0; got 0."),
        (losses.FenchelYoung, {"noise": 3}, "noise must be a noise such as imle.Gumbel(), or None; got 3."),
        (losses.FenchelYoung, {"draws": "iid"}, "draws must be one of 'independent'"),
        (
            losses.FenchelYoung,
            {"multiplicative": True, "noise": imle.Gumbel()},
            "multiplicative noise is imle.Normal(); got Gumbel().",
        ),
        (
            losses.PerturbationGradient,
            {"h": 0},
            "PerturbationGradient: h must be a finite number above 0; got 0.",
        ),
        (
            losses.PerturbationGradient,
            {"difference": "forward"},
            "difference must be one of 'central', 'backward'",
        ),
        (losses.LearningToRank, {"kind": "setwise"}, "LearningToRank: kind must be one of 'pointwise'"),
        (
            losses.LearningToRank,
            {"margin": -1},
            "LearningToRank: margin must be a finite number of at least 0",
        ),
        (losses.LearningToRank, {"tau": 0}, "LearningToRank: tau must be a finite number above 0; got 0."),
        (losses.ContrastiveNCE, {"solve_ratio": -0.1}, "solve_ratio must be a finite number of at least 0"),
        (
            losses.ContrastiveNCE,
            {"solve_ratio": 1.1},
            "ContrastiveNCE: solve_ratio is a probability, at most 1",
        ),
        (
            losses.SPOPlus,
            {"reduction": "max"},
            "SPOPlus: reduction must be one of 'mean', 'sum', 'none'; got 'max'.",
        ),
        (losses.SPOPlus, {"validate": "all"}, "SPOPlus: validate must be one of 'basic', 'full'; got 'all'."),
        (losses.SPOPlus, {"k": 2}, "SPOPlus: unknown keywords k. Options of a solver go with its name"),
    ],
)
def test_parameter_out_of_range_is_refused_at_construction(cls, options, message):
    with raises(ValueError, message):
        cls(TopK(2), **options)


def test_temperature_out_of_range():
    with raises(ValueError, "NegativeLogLikelihood: tau must be a finite number above 0; got 0."):
        losses.NegativeLogLikelihood(Counting(), tau=0)


def test_things_of_another_kind():
    with raises(TypeError, "ContrastiveMAP: pool must be an imle_core.SolutionPool or None; got []."):
        losses.ContrastiveMAP(TopK(2), pool=[])
    with raises(TypeError, "generator must be a torch.Generator or None; got 3."):
        losses.FenchelYoung(TopK(2), generator=3)
    with raises(TypeError, "solver must be an imle_core.Solver or the name of one; got <function"):
        losses.SPOPlus(lambda theta: theta)
    with raises(errors.SolverNotFoundError, "torch.k_subset"):
        losses.SPOPlus("torch.k_subse")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.calls > 0])
def test_error_of_a_solver_names_the_row_of_the_batch(name):
    class Fragile(TopK):
        def solve(self, theta):
            z = super().solve(theta)
            for row in range(len(theta)):
                if theta[row, 0] > 100:
                    raise errors.InfeasibleError("no structure", row=row)
            return z

    Fragile.scale_invariant = False
    theta = randn(6, 5)
    theta[4, 0] = 1e3
    case = CASES[name]
    target = case.target(randn(6, 5), TopK(2))
    loss = case.make(Fragile(2))
    with raises(errors.InfeasibleError, "Fragile: row 4: no structure"):
        loss(theta, target)
    if case.compares == "parameters":
        with raises(errors.InfeasibleError, "Fragile: row 4: no structure"):
            losses.regret(target, theta, Fragile(2))


def test_metrics_check_what_they_are_given():
    with raises(errors.InvalidTargetError, "TopK: theta_true (5,) but theta is (2, 5)"):
        losses.regret(randn(2, 5), randn(5), TopK(2))
    with raises(errors.InvalidTargetError, "TopK: theta_true must be a torch.Tensor; got ndarray"):
        losses.relative_gap(randn(2, 5), np.zeros((2, 5)), TopK(2))
    with raises(errors.SolverParameterError, "Regret: unknown keywords k."):
        losses.normalized_regret(randn(2, 5), randn(2, 5), TopK(2), k=2)
