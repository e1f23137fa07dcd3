"""The losses as the tests run over them: how to make each over a solver, and what it compares with."""

from __future__ import annotations

import torch
from toys import Listed, subsets

import imle_core as imle
from imle_core import losses


def randn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


class Case:
    """A loss over a solver; ``compares`` with a "structure", or with true "parameters"."""

    def __init__(self, cls, compares, options=None, calls=1, pool=False):
        self.cls, self.compares, self.options = cls, compares, options or {}
        self.calls = calls  # of the solver, for each row
        self.pool = pool

    def make(self, solver, states=None, **options):
        """Return the loss; over a pool, one of the given states that does not grow."""
        if self.pool:
            pool = imle.SolutionPool()
            if states is not None:
                pool.add(states)
            options = {"pool": pool, "solve_ratio": 0.0, **options}
        if self.cls is losses.FenchelYoung:
            options = {"generator": torch.Generator().manual_seed(0), **options}
        loss = self.cls(solver, **{**self.options, **options})
        return loss.eval() if self.pool else loss

    def target(self, theta, solver, seed=5):
        """Return something to compare with, in the solver's sense: the solution of other parameters, or these."""
        other = randn(*theta.shape, seed=seed).to(theta.dtype)
        if solver.sense == "min":
            other = -other
        if self.compares == "parameters":
            return other
        _, event = solver.split_shape(theta.shape)
        return solver.solve(other.reshape(-1, *event)).reshape(theta.shape)


CASES = {
    "fenchel_young": Case(losses.FenchelYoung, "structure", {"samples": 3, "sigma": 0.5}, calls=3),
    "multiplicative": Case(
        losses.FenchelYoung, "structure", {"samples": 2, "sigma": 0.5, "multiplicative": True}, calls=2
    ),
    "perceptron": Case(losses.FenchelYoung, "structure", {"noise": None}),
    "likelihood": Case(losses.NegativeLogLikelihood, "structure", {"tau": 0.7}, calls=0),
    "hinge": Case(losses.StructuredHinge, "structure", {"cost": 0.3}),
    "spo_plus": Case(losses.SPOPlus, "parameters", calls=2),
    "pg_central": Case(losses.PerturbationGradient, "parameters", {"h": 1.0}, calls=2),
    "pg_backward": Case(
        losses.PerturbationGradient, "parameters", {"h": 1.0, "difference": "backward"}, calls=2
    ),
    "nce": Case(losses.ContrastiveNCE, "structure", calls=0, pool=True),
    "map": Case(losses.ContrastiveMAP, "structure", calls=0, pool=True),
    "pointwise": Case(losses.LearningToRank, "parameters", {"kind": "pointwise"}, calls=0, pool=True),
    "pairwise": Case(losses.LearningToRank, "parameters", {"kind": "pairwise"}, calls=0, pool=True),
    "listwise": Case(losses.LearningToRank, "parameters", {"kind": "listwise"}, calls=0, pool=True),
}

PAIRS = subsets(5, 2)


class Counting(Listed):
    """All pairs of five, with exact inference; counts its batches."""

    def __init__(self, sense="max", vertices=PAIRS):
        super().__init__(vertices, sense)
        self.batches = []

    def solve(self, theta: torch.Tensor):
        self.batches.append(len(theta))
        return super().solve(theta)


def reseed(loss):
    """Make the next call draw what the first one drew; return the loss."""
    if loss.generator is not None:
        loss.generator = torch.Generator().manual_seed(0)
    return loss


def step(loss, theta, *others, **options):
    """Return the value and the gradient of a call."""
    theta = theta.detach().clone().requires_grad_()
    value = loss(theta, *others, **options)
    value.sum().backward()
    return value.detach(), theta.grad
