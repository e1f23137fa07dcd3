"""Assignments as perfect matchings, which is what OR-Tools' algorithm finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.graph.python.linear_sum_assignment import SimpleLinearSumAssignment

from imle_core.errors import SolverError
from imle_ortools._cuts import Network
from imle_ortools._integers import exact
from imle_ortools._reading import listed
from imle_ortools._refine import refine

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Pairing:
    """The pairs of a matrix that are allowed, completed to a bipartite graph with as many nodes left as right.

    Attributes:
        allowed: Which pairs are allowed, shape ``(n, m)``.
        places: Where they are in a flattened row of theta, with the smaller side first, shape ``(pairs,)``.
        ends: Left and right node of each arc, first of the pairs, shape ``(2, arcs)``.
        size: Number of nodes on each side; the first of them on the left are the smaller side.
        fault: Why there is no assignment; empty if there is one.
    """

    allowed: NDArray[np.bool_]
    places: NDArray[np.intp]
    ends: NDArray[np.int32]
    size: int
    fault: str

    @property
    def bits(self) -> int:
        """How many bits costs may have so that no price overflows: the algorithm multiplies them by their number."""
        return 61 - 2 * self.size.bit_length()

    def best(self, costs: NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the partner of each member of the smaller side at least cost, for costs of the pairs."""
        return _mates(self.ends, np.pad(costs, (0, self.ends.shape[1] - len(costs))), self.size)

    def best_exactly(self, costs: NDArray[Any]) -> NDArray[np.intp]:
        """Return the same for costs of any range."""
        left, right = self.ends
        ends = np.stack([left, right + self.size]).astype(np.int32)
        padded = np.zeros(len(left), object)
        padded[: len(costs)] = exact(costs)

        def solve(
            digits: NDArray[np.int64], flow: NDArray[np.int64] | None, fixed: NDArray[np.bool_]
        ) -> NDArray[np.int64]:
            # What is fixed is not in use: an arc that is might be used more, as far as prices know, so its cost is 0.
            kept = np.flatnonzero(~fixed)
            mates = _mates(self.ends[:, kept], digits[kept], self.size)
            return (mates[left] == right).astype(np.int64)

        unlimited = np.full(len(left), self.size + 1)
        flow = refine(padded, ends, unlimited, nodes=2 * self.size, bits=self.bits - 2, solve=solve)
        mates = np.empty(self.size, np.intp)
        kept = np.flatnonzero(flow)
        mates[left[kept]] = right[kept]
        return mates


def read_pairs(allowed: NDArray[np.bool_]) -> Pairing:
    """Return the pairs of a matrix, completed by arcs that cost nothing.

    A matrix that is nearly square gets more members on the smaller side, who may be with anybody. For a longer one
    that would be many arcs. It gets a copy of each member of either side, on the other one: whoever stays alone is
    with their own copy, and the copies of a pair are with one another.
    """
    upright = allowed if allowed.shape[0] <= allowed.shape[1] else allowed.T
    n, m = upright.shape
    row, column = np.nonzero(upright)
    places = row * m + column if upright is allowed else column * n + row
    if (m - n) * m <= len(row) + m:
        idle = np.repeat(np.arange(n, m), m), np.tile(np.arange(m), m - n)
        size, left, right = m, [row, idle[0]], [column, idle[1]]
    else:
        alone = np.arange(m)
        size, left, right = n + m, [row, n + column, n + alone], [column, m + row, alone]
    # OR-Tools 9.15 takes some graphs with 2 to 5 nodes on a side for infeasible, because its bound of how far prices
    # fall is too tight for these. A spare pair, which is only with one another, makes the bound wide enough.
    left, right = [*left, np.array([size])], [*right, np.array([size])]
    ends = np.stack([np.concatenate(left), np.concatenate(right)]).astype(np.int32)
    return Pairing(allowed, places, ends, size + 1, _fault(upright, row, column, upright is allowed))


def _mates(ends: NDArray[np.int32], costs: NDArray[np.int64], size: int) -> NDArray[np.intp]:
    """Return the right node of each left node in a perfect matching of least cost."""
    solver = SimpleLinearSumAssignment()
    solver.add_arcs_with_cost(*ends, costs)
    status = solver.solve()
    if status != SimpleLinearSumAssignment.OPTIMAL:
        raise SolverError(
            f"OR-Tools' SimpleLinearSumAssignment ended with {status.name}; please report the problem."
        )
    return np.fromiter(map(solver.right_mate, range(size)), np.intp, size)


def _fault(
    upright: NDArray[np.bool_], row: NDArray[np.intp], column: NDArray[np.intp], rows_first: bool
) -> str:
    """Say who has too few partners, if anybody has: those whom a least cut leaves with the source (Hall, 1935)."""
    n, m = upright.shape
    if upright.all():
        return ""
    source, sink = n + m, n + m + 1
    tail = np.concatenate([np.full(n, source), row, n + np.arange(m)])
    head = np.concatenate([np.arange(n), n + column, np.full(m, sink)])
    network = Network(np.stack([tail, head]).astype(np.int32), n + m + 2)
    if network.send(np.ones(len(tail), np.int64), source, sink) == n:
        return ""
    members = np.flatnonzero(network.near()[:n])
    partners = np.flatnonzero(upright[members].any(0))
    side, other = ("rows", "columns") if rows_first else ("columns", "rows")
    allowed = (
        f"with {other} {listed(partners.tolist())} only" if len(partners) else f"with none of the {other}"
    )
    return f"there is no assignment: {side} {listed(members.tolist())} may be paired {allowed}. Forbid fewer pairs."
