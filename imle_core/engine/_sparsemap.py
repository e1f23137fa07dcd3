"""SparseMAP: the point of the convex hull of the structures that is nearest to theta, by the MAP oracle alone."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imle_core._outcomes import Outcomes

from ._binding import Binding
from ._plan import solve_rows
from ._vmap import rows_first

_logger = logging.getLogger("imle_core.engine")

_NONE = 1e-12  # a weight that is none

torch.library.define(
    "imle::sparsemap",
    "(Tensor theta, Tensor? instances, SymInt iterations, float tolerance, Tensor ticket, Tensor handle) "
    "-> (Tensor, Tensor)",
)
sparsemap = torch.ops.imle.sparsemap.default


@torch.library.impl("imle::sparsemap", "CompositeExplicitAutograd")
def _sparsemap(
    theta: Tensor,
    instances: Tensor | None,
    iterations: int,
    tolerance: float,
    ticket: Tensor,
    handle: Tensor,
) -> tuple[Tensor, Tensor]:
    r"""Return the point of conv(Z) nearest to theta, and the structures that it is a mixture of.

    Wolfe's algorithm for the nearest point of a polytope. Each round asks the solver for the best structure in the
    direction of the residual, for all rows that are not there yet in one batch, adds it to the row's active ones, and
    moves to the nearest point of their hull.

    Args:
        theta: Scores over temperature, shape ``(N, *event)``.
        instances: Numbers of the rows' instances, shape ``(N,)``, or None.
        iterations: Rounds at most.
        tolerance: Duality gap at which a row is done, relative to the square of its own size.
        ticket: Of the call, see :func:`begin`.
        handle: Of the binding that holds the solver, see :meth:`Binding.handle`.

    Returns:
        The points, shape ``(1, N, *event)``, and the active structures, ``(K, N, *event)`` with K one more than
        ``iterations`` or the entries of an event, whichever is smaller; the first of them fills what is not used.

    Reference:
        Niculae, Martins, Blondel and Cardie (2018), SparseMAP, section 3; Wolfe (1976), Finding the nearest point in a
        polytope.
    """
    start = time.perf_counter()
    binding = Binding.of(handle)
    n, event = theta.shape[0], theta.shape[1:]
    prepared = None if instances is None else binding.prepared(instances)
    author = type(binding.solver).solve.__wrapped__.__get__(binding.solver)  # type: ignore[attr-defined]
    solves = timed_out = 0

    def best(directions: np.ndarray, which: np.ndarray) -> np.ndarray:
        nonlocal solves, timed_out
        solves += len(which)
        rows = torch.from_numpy(directions).to(theta.device).reshape(-1, *event)
        chosen = None if prepared is None else [prepared[i] for i in which.tolist()]
        with Outcomes() as outcomes:
            z = solve_rows(
                binding.solver,
                author,
                rows,
                prepared=chosen,
                sign=binding.sign,
                moved=True,
                validate=binding.validate,
            )
        timed_out += outcomes.timeouts
        return z.reshape(len(which), -1).cpu().numpy()

    # Infinite or NaN entries are found by the first call of the solver.
    target = theta.detach().double().reshape(n, event.numel()).cpu().numpy()
    everyone = np.arange(n)
    mixtures = [_Mixture(vertex) for vertex in best(target, everyone)] if n else []
    open_rows, gap = everyone, np.zeros(n)
    for _ in range(iterations):
        residual = np.array([target[i] - mixtures[i].point for i in open_rows]).reshape(-1, target.shape[1])
        vertices = best(residual, open_rows) if len(open_rows) else residual
        still = []
        for i, direction, vertex in zip(open_rows.tolist(), residual, vertices, strict=True):
            gap[i] = direction @ (vertex - mixtures[i].point)
            if gap[i] > tolerance * (1 + vertex @ vertex) and mixtures[i].add(vertex, target[i]):
                still.append(i)
        open_rows = np.array(still, dtype=int)
        if not still:
            break
    else:
        _logger.warning(
            "%s: SparseMAP stopped after %d rounds with %d of %d rows not within its tolerance (duality gap up to "
            "%.2g); raise `iterations`.",
            binding.solver.name,
            iterations,
            len(open_rows),
            n,
            gap.max(initial=0.0),
        )
    slots = min(iterations, event.numel()) + 1
    points = np.array([mixture.point for mixture in mixtures]).reshape(1, *theta.shape)
    active = (
        np.array([mixture.filled(slots) for mixture in mixtures])
        .reshape(n, slots, event.numel())
        .swapaxes(0, 1)
    )
    entry = binding.ledger.entry(ticket, binding.estimator)
    entry.forward.note(start=start, solves=solves, timeouts=timed_out)
    return torch.from_numpy(points).to(theta), torch.from_numpy(active.copy()).to(theta).reshape(
        slots, *theta.shape
    )


@dataclass
class _Mixture:
    """A convex combination of affinely independent structures, float64."""

    vertices: np.ndarray
    weights: np.ndarray

    def __init__(self, vertex: np.ndarray) -> None:
        self.vertices, self.weights = vertex[None], np.ones(1)

    @property
    def point(self) -> np.ndarray:
        return self.weights @ self.vertices

    def add(self, vertex: np.ndarray, target: np.ndarray) -> bool:
        """Add a structure and move to the nearest point of the hull; return False if it is there already."""
        if (self.vertices == vertex).all(1).any():
            return False
        self.vertices = np.vstack([self.vertices, vertex])
        self.weights = np.append(self.weights, 0.0)
        while True:
            free = self._nearest_of_affine_hull(target)
            if (free > _NONE).all():
                self.weights = free
                return True
            # Go there as far as all weights stay positive, and drop the structure whose weight is none then.
            falling = free <= _NONE
            steps = self.weights[falling] / np.maximum(self.weights[falling] - free[falling], _NONE)
            weights = self.weights + min(steps.min(), 1.0) * (free - self.weights)
            weights[np.flatnonzero(falling)[steps.argmin()]] = 0.0
            keep = weights > _NONE
            self.vertices, self.weights = self.vertices[keep], weights[keep] / weights[keep].sum()

    def _nearest_of_affine_hull(self, target: np.ndarray) -> np.ndarray:
        base, *others = self.vertices
        if not others:
            return np.ones(1)
        directions = np.array(others) - base
        rest, *_ = np.linalg.lstsq(directions.T, target - base, rcond=None)
        return np.concatenate([[1 - rest.sum()], rest])

    def filled(self, slots: int) -> np.ndarray:
        """Return the structures, the first repeated up to the number of slots."""
        return np.concatenate([self.vertices, np.repeat(self.vertices[:1], slots - len(self.vertices), 0)])


@torch.library.register_fake("imle::sparsemap")  # type: ignore[untyped-decorator]
def _(
    theta: Tensor,
    instances: Tensor | None,
    iterations: int,
    tolerance: float,
    ticket: Tensor,
    handle: Tensor,
) -> tuple[Tensor, Tensor]:
    slots = min(iterations, theta.shape[1:].numel()) + 1
    return theta.new_empty((1, *theta.shape)), theta.new_empty((slots, *theta.shape))


@torch.library.register_vmap("imle::sparsemap")  # type: ignore[untyped-decorator]
def _(
    info: Any,
    in_dims: tuple[int | None, ...],
    theta: Tensor,
    instances: Tensor | None,
    iterations: int,
    tolerance: float,
    ticket: Tensor,
    handle: Tensor,
) -> tuple[tuple[Tensor, Tensor], tuple[int, int]]:
    theta = rows_first(theta, in_dims[0], info.batch_size, at=0)
    if instances is not None:
        instances = rows_first(instances, in_dims[1], info.batch_size, at=0).flatten()
    points, active = sparsemap(theta.flatten(0, 1), instances, iterations, tolerance, ticket, handle)
    return (points.reshape(1, *theta.shape), active.reshape(-1, *theta.shape)), (1, 1)
