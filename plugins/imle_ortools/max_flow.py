"""The cut of least weight, which limits the largest flow, by OR-Tools' MaxFlow."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np

from imle_core.errors import MissingCapabilityError, SolverParameterError
from imle_ortools._cuts import Network
from imle_ortools._exact_cut import near_side
from imle_ortools._integers import exact, rounded
from imle_ortools._keyed import KeyedSolver
from imle_ortools._reading import one_of, read_arcs

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

Negative = Literal["error", "clip"]

MOST_FREE = 16
"""Nodes beside source and sink at most for cuts to be listed."""


class Ends(NamedTuple):
    """What one row asks: the numbers of source and sink."""

    source: int
    sink: int


class MaxFlow(KeyedSolver[Ends]):
    r"""The bottleneck of the largest flow: arcs of least capacity in all that every way to the sink must cross.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \{\delta^+(S) : \text{source} \in S, \; \text{sink} \notin S\}, \qquad
       \min_{z \in Z} \langle z, c \rangle = \max_{f \text{ a flow within } c} |f|

    Theta are the **capacities** c of the arcs, shape ``(N, arcs)``. A largest flow itself is no best structure of a
    fixed set for a linear objective: theta stands in its constraints. Its dual is: by the max-flow min-cut theorem the
    volume of the largest flow is the weight of the least cut, and a state is the cut, 1 on the arcs that lead from the
    nodes S to others. So ``(z * c).sum(-1)`` **is the volume** of the largest flow, and z, the arcs that would have to
    be wider for more, is its gradient (a supergradient where several cuts are least: the volume is concave in c). For
    flows on fixed capacities whose costs are learnt, see ``ortools.min_cost_flow`` with ``volume="most"``.

    Capacities must not be negative: with negative weights the least cut is NP-hard (maximum cut). Noise may move them
    below zero; points that it moved are clipped at zero. Of several least cuts the one with the fewest nodes S is
    returned: S are the nodes that the source still reaches when the largest flow is sent. Where no way leads to the
    sink, no arc is cut, and the volume is 0. Parallel arcs are all or none of them cut; arcs from a node to itself
    never are.

    OR-Tools calculates in integers. Theta in single precision is solved exactly. In double precision capacities are
    rounded to 2^-b of their row's largest, where b is 54 for 100 arcs and 51 for 1,000, but a row any of whose
    capacities is so small that it would keep fewer than 24 bits, as beside one that stands for infinity, is solved
    digit by digit, and exactly.

    Args:
        arcs: Pairs ``(tail, head)`` of hashable names of nodes, or an array ``(arcs, 2)``.
        source: A node; ``None`` if the instance of each row gives it.
        sink: Another node; ``None`` if the instance of each row gives it.
        negative: ``"error"`` or ``"clip"``, see :class:`imle_core.Solver`.

    Attributes:
        entries: The arcs ``(tail, head)`` that capacities belong to.

    Rows may have different ends: an instance is a mapping ``{"source": u, "sink": v}``, either of which may be left
    out if the constructor gave it.

    ``decode`` returns two sets of nodes, S and the rest; of several S that a state fits, the one with the fewest
    nodes. ``encode`` takes the two sets as a pair, or S alone as a set.

    Raises:
        SolverParameterError: a parameter is not valid.
        InvalidInstanceError: an instance is not valid, or an end is not given at all.

    References:
        Ford and Fulkerson (1956), Maximal flow through a network. Goldberg and Tarjan (1988), A new approach to the
        maximum-flow problem. Picard and Queyranne (1980), On the structure of all minimum cuts in a network and
        applications.

    Example:
        >>> import numpy as np
        >>> solver = MaxFlow(arcs=[("s", "a"), ("s", "b"), ("a", "t"), ("b", "t")], source="s", sink="t")
        >>> capacities = np.array([[1.0, 5.0, 2.0, 3.0]])
        >>> z = solver.solve(capacities)
        >>> z
        array([[1., 0., 0., 1.]])
        >>> (z * capacities).sum(-1)
        array([4.])
        >>> near, far = solver.decode(z[0])
        >>> sorted(near), sorted(far)
        (['b', 's'], ['a', 't'])
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]
    output = "binary"
    keys: ClassVar[tuple[str, ...]] = ("source", "sink")

    def __init__(
        self,
        *,
        arcs: Iterable[tuple[Hashable, Hashable]] | NDArray[Any],
        source: Any = None,
        sink: Any = None,
        negative: Negative = "error",
    ) -> None:
        one_of("negative", negative, get_args(Negative))
        self.negative = negative
        self._arcs = read_arcs(arcs)
        self.entries = list(self._arcs.pairs)
        self.event_shape = (len(self.entries),)
        for role, node in (("source", source), ("sink", sink)):
            if node is not None:
                self._arcs.node(role, node)
        self._begin(source=source, sink=sink)

    @property
    def _bits(self) -> int:
        return 61 - len(self.entries).bit_length()

    def _task(self, given: Mapping[str, Any]) -> Ends:
        ends = Ends(*(self._arcs.node(role, given[role]) for role in self.keys))
        if ends.source == ends.sink:
            raise SolverParameterError(
                f"source and sink are the same node {given['source']!r}, which no cut separates; name two nodes."
            )
        return ends

    def solve(self, theta: NDArray[Any], *, instances: Sequence[Ends] | None = None) -> NDArray[Any]:  # type: ignore[override]
        """Return the least cut of each row of theta, shape ``(N, arcs)``."""
        tasks = self._tasks(instances, len(theta))
        nodes, (tail, head) = len(self._arcs.number), self._arcs.ends
        network = Network(self._arcs.ends, nodes)
        integers, wide = rounded(theta, self._bits)
        near = np.empty((len(theta), nodes), np.bool_)
        for row, (source, sink) in enumerate(tasks):
            if wide[row]:
                near[row] = near_side(exact(theta[row]), self._arcs.ends, nodes, source, sink)
            else:
                network.send(integers[row], source, sink)
                near[row] = network.near()
        return (near[:, tail] & ~near[:, head]).astype(theta.dtype)

    def decode(self, z: NDArray[Any], *, instance: Any = None) -> tuple[set[Any], set[Any]]:  # type: ignore[override]
        """Return the nodes on the source's side of a cut, and the others."""
        task = self._require(z, instance, "cut between source and sink")
        near = self._near(z[None], [task])[0].tolist()
        sides: tuple[set[Any], set[Any]] = set(), set()
        for node, is_near in zip(self._arcs.nodes, near, strict=True):
            sides[not is_near].add(node)
        return sides

    def encode(
        self, structure: Collection[Any] | tuple[Collection[Any], Collection[Any]], *, instance: Any = None
    ) -> NDArray[np.float64]:
        """Return the cut between two sets of nodes, or between one set and the rest.

        Raises:
            InvalidSolutionError: they do not divide the nodes, or source and sink are not apart.
        """
        whole = self._arcs.number.keys()
        if isinstance(structure, (set, frozenset)):
            structure = structure, whole - structure
        try:
            near, far = (set(side) for side in structure)
        except (TypeError, ValueError):
            raise self._no_structure(
                f"a cut is a pair of sets of nodes, or the set on the source's side; got {structure!r}"
            ) from None
        if near & far or near | far != whole:
            raise self._no_structure(f"{structure!r} does not divide the nodes into two sets")
        z = np.array([tail in near and head in far for tail, head in self.entries], np.float64)
        task = self._task_of(instance)
        if self._arcs.nodes[task.source] not in near or self._arcs.nodes[task.sink] not in far:
            raise self._no_structure("the first set must have the source, and not the sink")
        return z

    def is_feasible(self, z: NDArray[Any], *, instances: Sequence[Ends] | None = None) -> NDArray[np.bool_]:
        """Return for each row whether it is a cut between source and sink."""
        z = self._states(np.asarray(z))
        tasks = self._tasks(instances, len(z))
        near, (tail, head) = self._near(z, tasks), self._arcs.ends
        sinks = np.array([task.sink for task in tasks], np.intp)
        apart = ~near[np.arange(len(z)), sinks]
        return apart & (z == (near[:, tail] & ~near[:, head])).all(1)

    def _near(self, z: NDArray[Any], tasks: Sequence[Ends]) -> NDArray[np.bool_]:
        """Return the nodes S of states: source, the tails of arcs that are cut, and what they reach by the others."""
        tail, head = self._arcs.ends
        near = np.zeros((len(z), len(self._arcs.number)), np.bool_)
        near[np.arange(len(z)), [task.source for task in tasks]] = True
        np.logical_or.at(near.T, tail, (z != 0).T)
        while True:
            before = int(near.sum())
            np.logical_or.at(near.T, head, (near[:, tail] & (z == 0)).T)
            if near.sum() == before:
                return near

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return every cut, shape ``(K, arcs)``.

        Raises:
            MissingCapabilityError: there are more than 18 nodes.
        """
        task, (tail, head) = self._task_of(instance), self._arcs.ends
        free = [node for node in range(len(self._arcs.number)) if node not in task]
        if len(free) > MOST_FREE:
            raise MissingCapabilityError(
                f"{self.name}: the cuts of {len(free) + 2} nodes are too many to be listed (at most {MOST_FREE + 2})."
            )
        near = np.zeros((2 ** len(free), len(self._arcs.number)), np.bool_)
        near[:, task.source] = True
        near[:, free] = list(itertools.product((False, True), repeat=len(free)))
        return np.unique((near[:, tail] & ~near[:, head]).astype(np.float64), axis=0)

    def explain(self) -> str:
        """Return which algorithm runs, how exactly, and what is faster."""
        return (
            f"{self.name}: OR-Tools' SimpleMaxFlow (push-relabel), row by row in one thread, as it holds the GIL; "
            f"{len(self._arcs.number):,} nodes and {len(self.entries):,} arcs, capacities rounded to {self._bits} "
            "bits, rows of wider range in several digits. Capacities below zero "
            f"are {'clipped' if self.negative == 'clip' else 'refused'}. networkx.minimum_cut "
            "solves the same problem, compiled, some twice as fast."
        )
