"""What a row of a flow problem asks beside its costs, and whether it can be met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from imle_core.errors import SolverError, SolverParameterError
from imle_ortools._cuts import Network
from imle_ortools._integers import exact
from imle_ortools._reading import Arcs, listed
from imle_ortools._refine import refine

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

MOST = 2**60
"""Capacities and supplies together are at most so much: OR-Tools adds them up."""


@dataclass(frozen=True, eq=False)
class Task:
    """What one row asks.

    Attributes:
        capacity: Of the user's arcs.
        low: What leaves a node beyond what enters it is at least so much.
        high: And at most so much.
        volume: What leaves all nodes beyond what enters them, where that is more than 0.
        fault: Why the supplies cannot be met; empty if they can.
        ends: Tails and heads of the arcs for OR-Tools: the user's first, and then those to and from two nodes more.
        limit: Their capacities; 0 for arcs from a node to itself, which are not OR-Tools' business.
        supply: Of the nodes.
    """

    capacity: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    volume: int
    fault: str
    ends: NDArray[np.int32]
    limit: NDArray[np.int64]
    supply: NDArray[np.int64]

    @property
    def bits(self) -> int:
        """How many bits costs may have: OR-Tools multiplies them by the number of nodes."""
        return bits_of(len(self.supply))

    def best(self, costs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the flow of least cost on the user's arcs, for costs of these."""
        return self._solve(self._padded(costs), self.limit, self.supply)[: len(costs)]

    def best_exactly(self, costs: NDArray[Any]) -> NDArray[np.int64]:
        """Return the same for costs of any range."""

        def solve(
            digits: NDArray[np.int64], flow: NDArray[np.int64] | None, fixed: NDArray[np.bool_]
        ) -> NDArray[np.int64]:
            if flow is None:
                return self._solve(digits, self.limit, self.supply)
            kept = np.where(fixed, flow, 0)
            rest = self.supply - _balance(self.ends, kept, len(self.supply))
            return self._solve(digits, np.where(fixed, 0, self.limit), rest) + kept

        values = self._padded(exact(costs))
        flow = refine(values, self.ends, self.limit, nodes=len(self.supply), bits=self.bits, solve=solve)
        return flow[: len(costs)]

    def _padded(self, costs: NDArray[Any]) -> NDArray[Any]:
        padded = np.zeros(self.ends.shape[1], costs.dtype)
        padded[: len(costs)] = costs
        return padded

    def _solve(
        self, costs: NDArray[np.int64], limit: NDArray[np.int64], supply: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        solver = SimpleMinCostFlow()
        arcs = solver.add_arcs_with_capacity_and_unit_cost(*self.ends, limit, costs)
        solver.set_nodes_supplies(np.arange(len(supply), dtype=np.int32), supply)
        status = solver.solve()
        if status != SimpleMinCostFlow.OPTIMAL:
            raise SolverError(
                f"OR-Tools' SimpleMinCostFlow ended with {status.name}; please report the problem."
            )
        return solver.flows(arcs)


def bits_of(nodes: int) -> int:
    """Return how many bits costs may have on so many nodes."""
    return 57 - nodes.bit_length()


def make_task(arcs: Arcs, capacity: NDArray[np.int64], supply: NDArray[np.int64], *, all_of_it: bool) -> Task:
    """Return the task of capacities and supplies.

    Where not all supplies have to be met, two nodes more hand out and take in as much as can be shipped.

    Raises:
        SolverParameterError: they are too large together.
    """
    if float(np.abs(supply).sum(dtype=float) + capacity.sum(dtype=float)) > MOST:
        raise SolverParameterError("capacities and supplies add up to more than 2^60; make them smaller.")
    nodes = len(supply)
    senders, receivers = np.flatnonzero(supply > 0), np.flatnonzero(supply < 0)
    hand, take = np.full(len(senders), nodes), np.full(len(receivers), nodes + 1)
    more = np.stack([np.concatenate([hand, receivers]), np.concatenate([senders, take])])
    ends = np.concatenate([arcs.ends, more.astype(np.int32)], axis=1)
    limit = np.where(arcs.ends[0] == arcs.ends[1], 0, capacity)
    wide_limit = np.concatenate([limit, supply[senders], -supply[receivers]])
    network = Network(ends, nodes + 2)
    volume = network.send(wide_limit, nodes, nodes + 1) if len(senders) and len(receivers) else 0
    if all_of_it:
        fault = _fault(arcs, capacity, supply, volume, network)
        return Task(capacity, supply, supply, volume, fault, arcs.ends, limit, supply)
    two = np.concatenate([np.zeros(nodes, np.int64), [volume, -volume]])
    low, high = np.minimum(supply, 0), np.maximum(supply, 0)
    return Task(capacity, low, high, volume, "", ends, wide_limit, two)


def _fault(
    arcs: Arcs, capacity: NDArray[np.int64], supply: NDArray[np.int64], volume: int, network: Network
) -> str:
    """Say why not all supplies can be met, if that is so."""
    if total := int(supply.sum()):
        return (
            f"supplies sum to {total:,}, not to 0: what some nodes send (above zero), others must receive; "
            "volume='most' ships as much as can be."
        )
    if volume == supply[supply > 0].sum():
        return ""
    near = network.near()[:-2]
    out = int(capacity[near[arcs.ends[0]] & ~near[arcs.ends[1]]].sum())
    cut = listed(node for node, is_near in zip(arcs.nodes, near, strict=True) if is_near)
    return (
        f"supplies cannot be met: that of the nodes {cut} is {int(supply[near].sum()):,} in all, but arcs out of "
        f"there carry {out:,} at most. Raise capacities, change supplies, or take volume='most', which ships as "
        "much as can be."
    )


def _balance(ends: NDArray[np.int32], flow: NDArray[Any], nodes: int) -> NDArray[Any]:
    """Return what leaves each node beyond what enters it, shape ``(nodes,)``, or ``(nodes, N)`` for ``(arcs, N)``."""
    balance = np.zeros((nodes, *flow.shape[1:]), flow.dtype)
    np.add.at(balance, ends[0], flow)
    np.subtract.at(balance, ends[1], flow)
    return balance


def is_flow(z: NDArray[Any], ends: NDArray[np.int32], tasks: list[Task]) -> NDArray[np.bool_]:
    """Return for each row of states whether it is a flow that its task allows."""
    capacity, low, high = (
        np.stack([getattr(task, name) for task in tasks]) for name in ("capacity", "low", "high")
    )
    within = ((z >= 0) & (z <= capacity) & (np.floor(z) == z)).all(1)
    flow = np.where(within[:, None], z, 0).astype(np.int64)
    balance = _balance(ends, flow.T, low.shape[1]).T
    volume = np.array([task.volume for task in tasks])
    return within & ((balance >= low) & (balance <= high)).all(1) & (np.maximum(balance, 0).sum(1) == volume)
