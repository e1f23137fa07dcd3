"""Level exact inference: samples, against the probabilities of all structures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from imle_core.testing._catalogue import check
from imle_core.testing._compare import same
from imle_core.testing._outcome import CheckSkipped, fail
from imle_core.testing._settings import random_states

from ._optima import state_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from imle_core.testing._case import Case
    from imle_core.testing._problem import Problem

SAMPLES = 1000
"""Samples of each row: the standard error of a probability of a half is 1.6 in 100."""

LOG_CHANCE = 16.0
"""Log of how unlikely it is that right samples are refused, for each number that is compared."""

STRUCTURES = 200
"""Up to so many structures the frequency of each is compared, above it that of entries alone."""


@check("exact inference")
def check_sample(case: Case) -> None:
    """Samples are exact, of the set, and decided by the generator alone, for each row and instance."""
    case.require("sample")
    for problem in case.problems:
        for dtype in (torch.float64, torch.float32):
            theta = torch.from_numpy(problem.theta(3)).to(dtype)
            z = _draw(case, theta, [problem] * 3)
            for row in range(3):
                _require_exact(problem, theta[row : row + 1], z[:, row])
    _require_generator(case)
    if len(case.problems) > 1:
        problems = case.mixed(2 * len(case.problems) + 1)
        theta = torch.from_numpy(np.concatenate([p.theta(1, draw=row) for row, p in enumerate(problems)]))
        z = _draw(case, theta, problems)
        for row, problem in enumerate(problems):
            _require_exact(problem, theta[row : row + 1], z[:, row])


def _draw(case: Case, theta: Tensor, problems: Sequence[Problem], *, seed: int | None = 0) -> Tensor:
    """Return samples of theta, shape ``(S, N, *event)``, from a generator, or with None from the global one."""
    generator = None if seed is None else torch.Generator(theta.device).manual_seed(seed)
    with torch.no_grad():
        z = case.solver.sample(theta, SAMPLES, generator=generator, **case.prepared(problems))
    shape = (SAMPLES, *theta.shape)
    kind = (tuple(z.shape), z.dtype, z.device) if isinstance(z, torch.Tensor) else type(z).__name__
    if kind != (shape, theta.dtype, theta.device):
        fail(
            asked=f"{SAMPLES} samples of {theta.dtype} theta {tuple(theta.shape)} have shape {shape}, its dtype and "
            "its device",
            found=str(kind),
            usually="the axis of samples comes first, then that of rows; make states with theta.new_zeros(...)",
        )
    return z


def _require_exact(problem: Problem, theta: Tensor, z: Tensor) -> None:
    """Fail unless samples of one row, shape ``(S, *event)``, are structures, as often as they are probable."""
    states = z.double().numpy()
    found = torch.from_numpy(states).flatten(1)
    try:
        support = torch.from_numpy(problem.support()).flatten(1)
    except CheckSkipped:
        support = None
    if support is None:
        _require_feasible(problem, states)
        _require_marginals(problem, theta, found)
        return
    number = {row.tobytes(): index for index, row in enumerate(support.numpy() + 0.0)}
    chosen = [number.get(row.tobytes()) for row in found.numpy() + 0.0]
    if None in chosen:
        _outside(problem, states[chosen.index(None)])
    objectives = problem.scores(problem.support(), theta.double().numpy())[:, 0]
    p = torch.from_numpy(objectives).softmax(0)
    width = float(support.max() - support.min())
    _require_frequencies(problem, "entry", found, p @ support, p @ support**2, width)
    if len(support) <= STRUCTURES:
        indicators = torch.nn.functional.one_hot(torch.tensor(chosen), len(support)).double()
        _require_frequencies(problem, "structure", indicators, p, p, 1.0)


def _require_feasible(problem: Problem, states: np.ndarray) -> None:
    if problem.case.solver.implements("is_feasible"):
        good = problem.is_feasible(states)
        if not good.all():
            _outside(problem, states[np.flatnonzero(~good)[0]])


def _outside(problem: Problem, state: np.ndarray) -> None:
    fail(
        asked=f"samples are structures of the set{problem.where}",
        found=f"{state_text(state)} is not",
        usually="entries are drawn on their own, each by its marginal, or the instance of another row is used",
    )


def _require_marginals(problem: Problem, theta: Tensor, found: Tensor) -> None:
    """Compare with the gradient of the log-partition function, where the set is too large to be listed."""
    case = problem.case
    if not case.solver.implements("log_partition") or case.solver.output != "binary":
        return
    leaf = theta.double().requires_grad_()
    (gradient,) = torch.autograd.grad(case.solver.log_partition(leaf, **case.prepared([problem])).sum(), leaf)
    mean = gradient.flatten() * (1 if case.solver.sense == "max" else -1)
    _require_frequencies(problem, "entry", found, mean, mean, 1.0)


def _require_frequencies(
    problem: Problem, what: str, found: Tensor, mean: Tensor, square: Tensor, width: float
) -> None:
    """Fail where the mean over samples is further off than chance allows.

    By Bernstein's inequality, which also holds for what is rare: |mean - E| <= sqrt(2 v c / S) + 2 w c / (3 S), where v
    is the variance, w the width of the range of values, and exp(-c) the chance.
    """
    variance = (square - mean**2).clamp(min=0)
    bound = (2 * variance * LOG_CHANCE / SAMPLES).sqrt() + 2 * width * LOG_CHANCE / (3 * SAMPLES)
    error = (found.mean(0) - mean).abs()
    if (error > bound).any():
        at = int((error - bound).argmax())
        fail(
            asked=f"samples have the probabilities exp(s <z, theta> - A(theta)){problem.where}",
            found=f"{what} {at} is {found.mean(0)[at]:.4g} in the mean of {SAMPLES} samples; expected are "
            f"{mean[at]:.4g} +- {math.sqrt(variance[at].item() / SAMPLES):.2g}",
            usually="uniform samples, the sense (costs are improbable), the theta of another row, or perturb-and-MAP, "
            "which is not exact",
        )


def _require_generator(case: Case) -> None:
    """Fail unless samples depend on the generator alone, and on torch's global one where none is given."""
    problem = case.problem
    theta = torch.from_numpy(problem.theta(3))
    problems = [problem] * 3
    before = random_states()
    first, again, other = (_draw(case, theta, problems, seed=seed) for seed in (0, 0, 1))
    touched = [name for name, state in random_states().items() if not same(state, before[name])]
    wrong = ""
    if touched:
        wrong = f"the state of {', '.join(touched)} is another"
    elif not torch.equal(first, again):
        wrong = "other samples from a generator of the same seed"
    elif torch.equal(first, other) and not torch.equal(first, first[:1].expand_as(first)):
        wrong = "the same samples from a generator of another seed"
    if wrong:
        fail(
            asked="samples are decided by the generator, and no other is touched",
            found=wrong,
            usually="a draw without generator=generator, or one of numpy.random",
        )
    torch.manual_seed(0)
    first = _draw(case, theta, problems, seed=None)
    torch.manual_seed(0)
    if not torch.equal(first, _draw(case, theta, problems, seed=None)):
        fail(
            asked="without a generator, samples are decided by torch.manual_seed",
            found="other samples with the same seed",
            usually="generator=None is to be handed on to torch, not replaced by a new generator",
        )
