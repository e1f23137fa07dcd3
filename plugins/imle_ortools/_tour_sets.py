"""The set of tours: which nodes each row visits, and states as lists of nodes and back."""

from __future__ import annotations

import itertools
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from imle_core import Solver
from imle_core.errors import (
    InvalidInstanceError,
    InvalidSolutionError,
    InvalidThetaError,
    MissingCapabilityError,
)
from imle_ortools._kernels.tour_states import read_tours, write_states
from imle_ortools._tour_instances import Visits, read_instance, read_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

LISTED = 9
"""Nodes up to which all tours are listed: 40,320 directed ones."""


class TourSet(Solver):
    """Base class of solvers whose states are tours; :class:`imle_ortools.tsp.TSP` says what that means.

    Args:
        nodes: Number of nodes; None: any.
        undirected: Whether states are symmetric.
        offset: Fixed costs of arcs, a matrix or a number; None: there are none, in no instance either.
    """

    def __init__(self, nodes: int | None, *, undirected: bool, offset: Any) -> None:
        self.own = read_parameters(nodes, offset)
        self.nodes = self.own.size
        self.undirected = undirected
        self.event_shape: tuple[int | None, ...] = (self.nodes, self.nodes)
        self.scale_invariant = offset is None

    def prepare(self, instance: Any) -> Visits:
        """Look up which nodes a row visits, and its fixed costs.

        Raises:
            InvalidInstanceError: the instance is no mapping, has an unknown key, or a value that is not valid.
        """
        try:
            return read_instance(instance, self.own, fixed=not self.scale_invariant)
        except InvalidInstanceError as error:
            raise InvalidInstanceError(f"{self.name}: {error}") from None

    def shape_of(self, prepared: Visits) -> tuple[int, ...]:
        """Return the shape of a row of theta with this prepared instance."""
        size = prepared.size if prepared.size is not None else 0
        return (size, size)

    def visited(
        self, rows: int, event: Sequence[int], instances: Sequence[Visits] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the nodes that each row visits, shape ``(N, n)``, in front, and how many these are, shape ``(N,)``.

        Raises:
            InvalidThetaError: the rows are not square.
        """
        if event[0] != event[1] or event[0] == 0:
            raise InvalidThetaError(
                f"{self.name}: rows of theta have shape {tuple(event)}; they must be square, with a cost for "
                "each pair of nodes."
            )
        size = event[0]
        nodes = np.tile(np.arange(size), (rows, 1))
        counts = np.full(rows, size)
        for row, visits in enumerate(instances or ()):
            if visits.nodes is not None:
                counts[row] = len(visits.nodes)
                nodes[row, : counts[row]] = visits.nodes
            elif visits.size is not None:
                counts[row] = visits.size
        return nodes, counts

    def is_feasible(self, z: Any, *, instances: Sequence[Visits] | None = None) -> NDArray[np.bool_]:
        """Return for each state whether it is one of a tour through exactly the nodes that its row visits.

        Args:
            z: States, shape ``(N, n, n)``.
            instances: Prepared instances, one for each row.
        """
        return self._read(np.asarray(z), instances)[0]

    def _read(self, z: NDArray[Any], instances: Sequence[Visits] | None) -> tuple[Any, NDArray[np.int64]]:
        nodes, counts = self.visited(len(z), z.shape[1:], instances)
        tours = np.zeros_like(nodes)
        good = read_tours(np.ascontiguousarray(z), nodes, counts, self.undirected, tours)
        return good, np.take_along_axis(nodes, tours, 1)

    def decode(self, z: NDArray[Any], *, instance: Any = None) -> list[int]:  # type: ignore[override]
        """Return the nodes of a tour in order, beginning with the smallest; undirected, on to its smaller neighbour.

        Raises:
            InvalidSolutionError: the state is not that of a tour through the nodes of its row.
        """
        visits = self._one(instance, len(z))
        good, tours = self._read(z[None], [visits])
        if not good[0]:
            raise InvalidSolutionError(
                f"{self.name}: the state is no tour through the {self._count(visits)} nodes: each must have one arc "
                "in and one out, and all must be on one cycle."
            )
        return [int(node) for node in tours[0][: self._count(visits)]]

    def encode(self, structure: Iterable[Any], *, instance: Any = None) -> NDArray[np.float64]:
        """Return the state of a tour, the inverse of :meth:`decode`.

        Args:
            structure: The nodes in order, each once; the tour returns from the last to the first.
            instance: Where rows visit other nodes.

        Raises:
            InvalidSolutionError: they are not the nodes of the row, each once.
        """
        try:
            tour = [operator.index(node) for node in structure]
        except TypeError:
            raise InvalidSolutionError(
                f"{self.name}: a tour is a list of numbers of nodes; got {structure!r}."
            ) from None
        visits = self._one(instance, len(tour))
        visited = self._nodes(visits)
        if sorted(tour) != visited.tolist():
            raise InvalidSolutionError(
                f"{self.name}: the tour {tour} must have each of the {len(visited)} nodes of its row once."
            )
        return self._states(np.array([tour]), visits)[0]

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return the states of all tours, shape ``(K, n, n)``, through up to 9 nodes.

        Raises:
            MissingCapabilityError: there are more nodes, or the solver does not know how many.
        """
        if instance is None and self.nodes is None:
            raise MissingCapabilityError(
                f"{self.name} lists tours where it knows the nodes: give nodes= or an instance."
            )
        visits = self._one(instance, 0)
        first, *others = self._nodes(visits).tolist()
        if len(others) >= LISTED:
            raise MissingCapabilityError(
                f"{self.name} lists the tours through {LISTED} nodes at most; there are {len(others) + 1}."
            )
        orders = itertools.permutations(others)
        if self.undirected and len(others) > 1:
            orders = (order for order in orders if order[0] < order[-1])  # type: ignore[assignment]
        return self._states(np.array([(first, *order) for order in orders]), visits)

    def _states(self, tours: NDArray[np.int64], visits: Visits) -> NDArray[np.float64]:
        size, (rows, count) = self.shape_of(visits)[0], tours.shape
        nodes, places = np.zeros((2, rows, size), np.int64)
        nodes[:, :count], places[:, :count] = tours, np.arange(count)
        states = np.zeros((rows, size, size))
        write_states(places, nodes, np.full(rows, count), self.undirected, states)
        return states

    def _one(self, instance: Any, size: int) -> Visits:
        """Return the prepared instance of one state, of so many nodes where nothing else says how many."""
        if instance is not None:
            return self.prepare(instance)
        return self.own if self.nodes is not None else Visits(size, None, None)

    def _nodes(self, visits: Visits) -> NDArray[np.int64]:
        return np.arange(self.shape_of(visits)[0]) if visits.nodes is None else visits.nodes

    def _count(self, visits: Visits) -> int:
        return len(self._nodes(visits))
