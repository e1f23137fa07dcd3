"""The flow of least cost, by OR-Tools' MinCostFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from imle_core.errors import InfeasibleError, InvalidThetaError
from imle_ortools._all_flows import all_flows
from imle_ortools._flow_task import Task, bits_of, is_flow, make_task
from imle_ortools._integers import rounded
from imle_ortools._keyed import KeyedSolver
from imle_ortools._reading import one_of, read_arcs, read_integers, read_supplies

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

Negative = Literal["allow", "clip", "error"]
Volume = Literal["all", "most"]


class MinCostFlow(KeyedSolver[Task]):
    r"""The integer flow of least cost that ships all supplies, for costs per unit on each arc.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \Big\{z \in \mathbb{N}^A : z \le u, \; \sum_{a \text{ out of } v} z_a - \sum_{a \text{ into } v} z_a = b_v
       \text{ for all nodes } v\Big\}

    Costs have shape ``(N, arcs)`` and any sign. A state holds the flow on each arc, at most its capacity u; what
    leaves a node beyond what enters it is its supply b, below zero where it receives. Parallel arcs are entries of
    their own; an arc from a node to itself is filled where its cost is below zero.

    With ``volume="most"`` supplies are limits instead, and Z holds the flows that ship as much as is possible at all,
    from nodes that send to nodes that receive. With one node of each kind these are the **maximum flows** from source
    to sink, of which the cheapest is chosen: theta cannot trade volume for cost.

    The algorithm is OR-Tools' cost-scaling push-relabel method, in integers. Theta in single precision is solved
    exactly. In double precision costs are rounded to 2^-b of their row's largest magnitude, where b is 52 for 20 nodes
    and 47 for 1,000, but a row any of whose costs is so small that it would keep fewer than 24 bits is solved digit by
    digit, and exactly. Ties are broken as OR-Tools does, always in the same way.

    Args:
        arcs: Pairs ``(tail, head)`` of hashable names of nodes, or an array ``(arcs, 2)``.
        capacities: One integer an arc, from 0 to 2^53; ``None`` if the instance of each row gives them.
        supplies: A mapping from nodes to integers; nodes that are left out have none. ``None`` if the instance of each
            row gives them.
        volume: ``"all"`` or ``"most"``.
        negative: ``"allow"``, ``"clip"`` or ``"error"``, see :class:`imle_core.Solver`.

    Attributes:
        entries: The arcs ``(tail, head)`` that costs belong to.

    Rows may have different capacities and supplies: an instance is a mapping ``{"capacities": (3, 1), "supplies":
    (("a", 2), ("b", -2))}``, either of which may be left out if the constructor gave it.

    ``decode`` returns ``(tail, head, flow)`` for every arc, in their order, and ``encode`` takes that.

    Raises:
        SolverParameterError: a parameter is not valid.
        InvalidInstanceError: an instance is not valid.
        InfeasibleError: supplies do not sum to zero, or cannot be met, with the row and the nodes that cannot send.
        InvalidThetaError: flows become too large for float32 to hold.

    References:
        Goldberg (1997), An efficient implementation of a scaling minimum-cost flow algorithm. Ford and Fulkerson
        (1962), Flows in networks.

    Example:
        >>> import numpy as np
        >>> arcs = [("mine", "town"), ("mine", "port"), ("port", "town")]
        >>> solver = MinCostFlow(arcs=arcs, capacities=[2, 5, 5], supplies={"mine": 3, "town": -3})
        >>> z = solver.solve(np.array([[1.0, 2.0, 2.0]]))
        >>> z
        array([[2., 1., 1.]])
        >>> solver.decode(z[0])
        [('mine', 'town', 2), ('mine', 'port', 1), ('port', 'town', 1)]
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]
    output = "integer"
    keys: ClassVar[tuple[str, ...]] = ("capacities", "supplies")

    def __init__(
        self,
        *,
        arcs: Iterable[tuple[Hashable, Hashable]] | NDArray[Any],
        capacities: Sequence[int] | NDArray[Any] | None = None,
        supplies: Mapping[Any, int] | Iterable[tuple[Any, int]] | None = None,
        volume: Volume = "all",
        negative: Negative = "allow",
    ) -> None:
        one_of("volume", volume, get_args(Volume))
        one_of("negative", negative, get_args(Negative))
        self.volume, self.negative = volume, negative
        self._arcs = read_arcs(arcs)
        self.entries = list(self._arcs.pairs)
        self.event_shape = (len(self.entries),)
        self._begin(capacities=capacities, supplies=supplies)

    def _task(self, given: Mapping[str, Any]) -> Task:
        capacity = read_integers(given["capacities"], len(self.entries), "capacities")
        supply = read_supplies(given["supplies"], self._arcs)
        return make_task(self._arcs, capacity, supply, all_of_it=self.volume == "all")

    def solve(self, theta: NDArray[Any], *, instances: Sequence[Task] | None = None) -> NDArray[Any]:  # type: ignore[override]
        """Return the flow of least cost of each row of theta, shape ``(N, arcs)``."""
        tasks = self._tasks(instances, len(theta))
        for row, task in enumerate(tasks):
            if task.fault:
                raise InfeasibleError(task.fault, row=row)
        integers, wide = rounded(theta, bits_of(len(self._arcs.number) + 2))
        flows = np.empty(theta.shape, np.int64)
        for row, task in enumerate(tasks):
            flows[row] = task.best_exactly(theta[row]) if wide[row] else task.best(integers[row])
        loops = self._arcs.ends[0] == self._arcs.ends[1]
        if loops.any():
            capacity = np.stack([task.capacity for task in tasks])
            flows[:, loops] = np.where(theta[:, loops] < 0, capacity[:, loops], 0)
        z = flows.astype(theta.dtype)
        if (z != flows).any():
            raise InvalidThetaError(
                f"{self.name}: a flow of {flows.max():,} is beyond the integers that {theta.dtype} holds; use float64 "
                "costs, or smaller capacities."
            )
        return z

    def decode(self, z: NDArray[Any], *, instance: Any = None) -> list[tuple[Any, Any, int]]:  # type: ignore[override]
        """Return ``(tail, head, flow)`` for every arc."""
        self._require(z, instance, "flow within the capacities that ships the supplies")
        return [(*pair, int(flow)) for pair, flow in zip(self.entries, z.tolist(), strict=True)]

    def encode(
        self, structure: Iterable[tuple[Any, Any, int]], *, instance: Any = None
    ) -> NDArray[np.float64]:
        """Return the state of ``(tail, head, flow)`` for every arc, in their order.

        Raises:
            InvalidSolutionError: arcs are missing or in another order, or it is no flow of the set.
        """
        flows = list(structure)
        if [tuple(flow)[:2] for flow in flows] != self.entries or any(len(flow) != 3 for flow in flows):
            raise self._no_structure("a flow is (tail, head, flow) for every arc, in the order of `entries`")
        z = np.array([flow[2] for flow in flows], np.float64)
        self._require(z, instance, "flow within the capacities that ships the supplies")
        return z

    def is_feasible(self, z: NDArray[Any], *, instances: Sequence[Task] | None = None) -> NDArray[np.bool_]:
        """Return for each row whether it is a flow that ships the supplies within the capacities."""
        z = self._states(np.asarray(z))
        tasks = list(self._tasks(instances, len(z)))
        return is_flow(z, self._arcs.ends, tasks) if tasks else np.zeros(0, np.bool_)

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return every flow of the set, shape ``(K, arcs)``.

        Raises:
            MissingCapabilityError: there are too many to be listed.
        """
        task = self._task_of(instance)
        states = all_flows(self._arcs.ends, task.capacity, task.low, task.high, self.name).astype(np.float64)
        return states[self.is_feasible(states, instances=[task] * len(states))]

    def explain(self) -> str:
        """Return which algorithm runs, how exactly, and what is faster."""
        nodes = len(self._arcs.number)
        return (
            f"{self.name}: OR-Tools' SimpleMinCostFlow (cost-scaling push-relabel), row by row in one thread, as it "
            f"holds the GIL; {nodes:,} nodes and {len(self.entries):,} arcs, costs rounded to {bits_of(nodes + 2)} "
            "bits, rows of wider range in several digits. networkx.min_cost_flow solves the same problem, compiled, "
            "several times faster."
        )
