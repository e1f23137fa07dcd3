"""Level exact inference: log-partition function, marginals and covariance against enumeration."""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from imle_core.testing._catalogue import check
from imle_core.testing._outcome import fail, skip

if TYPE_CHECKING:
    from torch import Tensor

    from imle_core.testing._case import Case
    from imle_core.testing._problem import Problem

TOLERANCES = {torch.float64: 1e-8, torch.float32: 1e-4}
"""Of a value and of its gradient, absolute and relative, in each precision."""

TEMPERATURES = (1.0, 0.1, 0.001)


@check("exact inference")
def check_support(case: Case) -> None:
    """`enumerate_support` lists every structure of the set once, and nothing else."""
    case.require("enumerate_support")
    looked = False
    for problem in case.problems:
        if (support := problem.enumerated()) is None:
            continue
        looked = True
        wrong = ""
        if support.shape[1:] != problem.event_shape:
            shape = ", ".join(map(str, problem.event_shape))
            wrong = f"shape {support.shape}, not (K, {shape})"
        elif len(np.unique(support.reshape(len(support), -1), axis=0)) < len(support):
            wrong = "a structure is listed twice"
        elif case.solver.implements("is_feasible"):
            if not problem.is_feasible(support).all():
                wrong = "is_feasible refuses a structure that is listed"
            elif not isinstance(every := problem.brute_force(), str) and len(every) != len(support):
                wrong = f"{len(support)} structures are listed, is_feasible accepts {len(every)}"
        if wrong:
            fail(
                asked=f"enumerate_support lists every structure of the set once{problem.where}",
                found=wrong,
                usually="several structures have one state (list it once), or a boundary case is left out",
            )
    if not looked:
        skip("the set of this example is too large, or depends on the number of entries that theta has")


@check("exact inference")
def check_log_partition(case: Case) -> None:
    """The log-partition function is the logsumexp of the objectives of all structures, in either precision."""
    case.require("log_partition")
    for problem in case.problems:
        given = problem.theta(4)
        for dtype in TOLERANCES:
            theta = torch.from_numpy(given).to(dtype)
            _compare(
                "log_partition(theta) = log sum_z exp(s <z, theta>)",
                problem,
                _log_partition(problem, theta),
                _objectives(problem, theta).logsumexp(1),
                "a structure is counted twice or not at all, or s is wrong: +1 for scores, -1 for costs",
            )
    if len(case.problems) > 1:
        problems = case.mixed(2 * len(case.problems) + 1)
        theta = torch.from_numpy(np.concatenate([p.theta(1, draw=row) for row, p in enumerate(problems)]))
        alone = [_log_partition(p, row[None]) for p, row in zip(problems, theta, strict=True)]
        _compare(
            "log_partition of a row with its own instance is the same in a batch of several instances",
            case.problem,
            _shaped(theta, case.solver.log_partition(theta, **case.prepared(problems))),
            torch.cat(alone),
            "log_partition ignores `instances`, or uses the first for all",
        )


@check("exact inference")
def check_marginals(case: Case) -> None:
    """The gradient of the log-partition function is s times the marginals, in either precision."""
    case.require("log_partition")
    for problem in case.problems:
        given = problem.theta(4)
        for dtype in TOLERANCES:
            theta = torch.from_numpy(given).to(dtype).requires_grad_()
            sign = 1 if case.solver.sense == "max" else -1
            expected = sign * _probabilities(problem, theta.detach()) @ _support(problem)
            (gradient,) = torch.autograd.grad(_differentiable(problem, theta).sum(), theta)
            _compare(
                "the gradient of log_partition is s E[z], s = +1 for scores and -1 for costs",
                problem,
                gradient.flatten(1),
                expected,
                "the sense: costs have the gradient -E[z]; or an operation whose gradient is not its own",
            )


@check("exact inference")
def check_second_order(case: Case) -> None:
    """The log-partition function can be differentiated twice: its Hessian is the covariance."""
    case.require("log_partition")
    for problem in case.problems:
        theta = torch.from_numpy(problem.theta(1)).requires_grad_()
        function = functools.partial(_differentiable, problem)
        try:
            torch.autograd.gradcheck(function, (theta,))
            torch.autograd.gradgradcheck(function, (theta,))
        except RuntimeError as error:
            fail(
                asked=f"gradcheck and gradgradcheck of log_partition in float64{problem.where}",
                found=" ".join(str(error).split())[:240],
                usually="a detached intermediate, minus infinity as the semiring's zero, or torch.logaddexp, whose "
                "second derivative is NaN there: stack and logsumexp, with a finite fill",
            )


@check("exact inference")
def check_low_temperature(case: Case) -> None:
    """Tau log_partition(theta / tau) tends to the best objective: the solver and the family are of one set."""
    case.require("log_partition")
    case.require_exact()
    for problem, dtype in itertools.product(case.problems, TOLERANCES):
        given = torch.from_numpy(problem.theta(4)).to(dtype)
        theta = given.double().numpy()
        best = torch.from_numpy(problem.score(problem.solve(theta), theta))
        size = _log_size(problem)
        slack = torch.from_numpy(problem.tolerance(theta, theta)) + 1e-9
        if dtype == torch.float32:
            slack *= 100  # terms over tau are rounded, and multiplied by tau again
        for tau in TEMPERATURES:
            value = tau * _log_partition(problem, given / tau).detach().double()
            wrong = (value < best - slack) | (value > best + tau * size + slack) | ~value.isfinite()
            if wrong.any():
                row = int(wrong.int().argmax())
                fail(
                    asked="best <= tau log_partition(theta / tau) <= best + tau log |Z|, with best = s <MAP, theta>"
                    f"{problem.where}",
                    found=f"row {row}: {value[row]:.6g} at tau {tau:g} in {dtype}, best {best[row]:.6g}, "
                    f"log |Z| <= {size:.3g}",
                    usually="log_partition overflows, or sums over another set than solve searches",
                )


def _log_partition(problem: Problem, theta: Tensor) -> Tensor:
    prepared = problem.case.prepared([problem] * len(theta))
    return _shaped(theta, problem.case.solver.log_partition(theta, **prepared))


def _differentiable(problem: Problem, theta: Tensor) -> Tensor:
    """Return the log-partition function of theta that requires a gradient; fail where it carries none."""
    value = _log_partition(problem, theta)
    if not value.requires_grad:
        fail(
            asked=f"log_partition carries a gradient to theta{problem.where}",
            found="a tensor without one",
            usually="it goes through NumPy or detach; or it is a constant, as that of a set whose one structure is "
            "zero: add the term 0 * theta.flatten(1).sum(1)",
        )
    return value


def _shaped(theta: Tensor, value: Tensor) -> Tensor:
    if value.shape != theta.shape[:1] or value.dtype != theta.dtype:
        fail(
            asked=f"log_partition of {theta.dtype} theta {tuple(theta.shape)} has shape {tuple(theta.shape[:1])} and "
            "that dtype",
            found=f"{tuple(value.shape)}, {value.dtype}",
            usually="the event axes are not summed over, or a constant of another dtype takes part",
        )
    return value


def _support(problem: Problem) -> Tensor:
    return torch.from_numpy(problem.support()).flatten(1)


def _objectives(problem: Problem, theta: Tensor) -> Tensor:
    """Return the objective of each structure for each row, float64, shape ``(N, K)``."""
    return torch.from_numpy(problem.scores(problem.support(), theta.double().numpy())).T


def _probabilities(problem: Problem, theta: Tensor) -> Tensor:
    """Return the probability of each structure for each row, float64, shape ``(N, K)``."""
    return _objectives(problem, theta).softmax(1)


def _log_size(problem: Problem) -> float:
    known = problem.enumerated()
    if known is not None:
        return math.log(len(known))
    if problem.case.solver.output == "binary":
        return math.prod(problem.event_shape) * math.log(2)
    return math.log(len(problem.support()))


def _compare(asked: str, problem: Problem, found: Tensor, expected: Tensor, usually: str) -> None:
    tolerance = TOLERANCES[found.dtype]
    error = (found.detach() - expected.detach()).abs()
    if not bool((error <= tolerance + tolerance * expected.abs()).all()):
        at = int(error.nan_to_num(torch.inf).argmax())
        fail(
            asked=f"{asked}{problem.where}",
            found=f"{found.flatten()[at].item():.8g} in place of {expected.flatten()[at].item():.8g}, in {found.dtype}",
            usually=usually,
        )
