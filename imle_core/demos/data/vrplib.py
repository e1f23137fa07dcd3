r"""Vehicle-routing problems in the formats of CVRPLIB and of Solomon, with their best known plans.

``NAME.vrp`` holds places or distances, demands and a capacity, in sections as TSPLIB has them. ``NAME.txt`` is a table
of customers with windows of time. ``NAME.sol`` lists the best known routes and their cost. Distances of places are

.. math:: d_{ij} = \lVert p_i - p_j \rVert_2, \quad \text{rounded to whole numbers if } \texttt{rounded}

Reference:
    Reinelt (1991), TSPLIB - a traveling salesman problem library. Solomon (1987), Algorithms for the vehicle routing
    and scheduling problems with time window constraints. Uchoa et al. (2017), New benchmark instances for the
    capacitated vehicle routing problem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from imle_core.demos.data.files import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Plan", "Routing", "read_plan", "read_solomon", "read_vrp"]


class Routing(NamedTuple):
    """A vehicle-routing problem; node 0 is the depot.

    Attributes:
        name: Its name.
        distances: Shape ``(n, n)``.
        demands: Shape ``(n,)``.
        capacity: Of a vehicle.
        places: Shape ``(n, 2)``, or None if distances alone are known.
        vehicles: How many there are at most; None: any number.
        windows: Earliest and latest begin of service, shape ``(n, 2)``, or None.
        service: Time of service, shape ``(n,)``.
        longest: Greatest length of a route, services included, or None.
    """

    name: str
    distances: NDArray[np.float64]
    demands: NDArray[np.float64]
    capacity: float
    places: NDArray[np.float64] | None
    vehicles: int | None
    windows: NDArray[np.float64] | None
    service: NDArray[np.float64]
    longest: float | None

    def options(self) -> dict[str, Any]:
        """Return the options of ``ortools.vrp`` that this problem is; its arc costs are ``distances``."""
        options: dict[str, Any] = {"demands": self.demands.tolist(), "capacities": self.capacity}
        if self.vehicles is not None:
            options["vehicles"] = self.vehicles
        if self.windows is not None:
            options["windows"] = [tuple(window) for window in self.windows.tolist()]
            options["service_times"] = self.service.tolist()
            options["travel_times"] = self.distances.tolist()
        if self.longest is not None:
            options["lengths"] = (self.distances + self.service[:, None]).tolist()
            options["max_length"] = self.longest
        return options

    def customers(self, count: int) -> Routing:
        """Return the problem of the depot and the first customers alone."""
        n = count + 1
        return self._replace(
            distances=self.distances[:n, :n],
            demands=self.demands[:n],
            places=None if self.places is None else self.places[:n],
            windows=None if self.windows is None else self.windows[:n],
            service=self.service[:n],
        )


class Plan(NamedTuple):
    """The best known routes, without the depot, and their cost."""

    routes: list[list[int]]
    cost: float


def read_vrp(path: Path, *, rounded: bool = True) -> Routing:
    """Read a file of CVRPLIB.

    Args:
        path: The file, ``.vrp``.
        rounded: Whether distances of places are rounded, as they are in the sets A, B, E, F, M, P and X, but not in
            those of Christofides, Golden, Li and Rochat.

    Raises:
        DataError: the file is missing or malformed, or of another type than these.
    """
    facts, sections = _sections(path)
    try:
        n = int(facts["DIMENSION"])
        capacity = float(facts["CAPACITY"])
        demands = np.array(sections["DEMAND_SECTION"]).reshape(n, 2)[:, 1]
        depot = sections["DEPOT_SECTION"]
        places = None
        if "NODE_COORD_SECTION" in sections:
            places = np.array(sections["NODE_COORD_SECTION"]).reshape(n, 3)[:, 1:]
        kind = facts["EDGE_WEIGHT_TYPE"]
        if kind == "EUC_2D" and places is not None:
            distances = _euclidean(places, rounded=rounded)
        elif kind == "EXPLICIT" and facts["EDGE_WEIGHT_FORMAT"] == "LOWER_ROW":
            distances = _triangle(np.array(sections["EDGE_WEIGHT_SECTION"]), n)
        else:
            raise DataError(f"{path}: distances of type {kind} are not read; EUC_2D and LOWER_ROW are.")
    except (KeyError, ValueError, IndexError) as error:
        raise DataError(f"{path} is no vehicle-routing problem as CVRPLIB has them: {error!r}.") from error
    if depot[0] != 1 or demands[0] != 0:
        raise DataError(f"{path}: the depot must be the first node, without demand; got {depot}.")
    service = np.r_[0.0, np.full(n - 1, float(facts.get("SERVICE_TIME", 0)))]
    longest = float(facts["DISTANCE"]) if "DISTANCE" in facts else None
    return Routing(path.stem, distances, demands, capacity, places, None, None, service, longest)


def read_solomon(path: Path) -> Routing:
    """Read a table of customers with windows of time; distances, which are also times, are not rounded.

    Raises:
        DataError: the file is missing or malformed.
    """
    rows = [words for line in _lines(path) if (words := _numbers(line)) is not None]
    try:
        (vehicles, capacity), *nodes = rows
        table = np.array(nodes)
        number, x, y, demands, early, late, service = table.T
    except ValueError as error:
        raise DataError(f"{path} is no table of customers as Solomon's are: {error}.") from error
    if not np.array_equal(number, np.arange(len(number))):
        raise DataError(f"{path}: customers must be numbered from 0, the depot.")
    places = np.stack([x, y], axis=1)
    distances = _euclidean(places, rounded=False)
    windows = np.stack([early, late], axis=1)
    return Routing(path.stem, distances, demands, capacity, places, int(vehicles), windows, service, None)


def read_plan(path: Path) -> Plan:
    """Read best known routes.

    Raises:
        DataError: the file is missing, or has no cost.
    """
    routes, cost = [], None
    for line in _lines(path):
        before, _, after = line.partition(":")
        if before.startswith("Route") and (words := _numbers(after)) is not None:
            routes.append([int(word) for word in words])
        elif line.startswith("Cost"):
            cost = float(line.split()[1])
    if cost is None or not routes:
        raise DataError(f"{path} has no routes, or no line 'Cost ...'.")
    return Plan(routes, cost)


def _sections(path: Path) -> tuple[dict[str, str], dict[str, list[float]]]:
    """Return what is specified in ``KEY : value`` lines, and the numbers of each section."""
    facts: dict[str, str] = {}
    sections: dict[str, list[float]] = {}
    current: list[float] | None = None
    for number, line in enumerate(_lines(path), start=1):
        key, colon, value = line.partition(":")
        if colon:
            facts[key.strip()] = value.strip()
        elif line.endswith("_SECTION"):
            current = sections.setdefault(line, [])
        elif line and line != "EOF":
            words = _numbers(line)
            if words is None or current is None:
                raise DataError(f"{path}, line {number}: expected numbers of a section; got {line!r}.")
            current += words
    return facts, sections


def _triangle(numbers: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the symmetric matrix of its lower triangle, by rows and without the diagonal."""
    if len(numbers) != n * (n - 1) // 2:
        raise ValueError(f"{len(numbers)} distances for {n} nodes")
    distances = np.zeros((n, n))
    distances[np.tril_indices(n, -1)] = numbers
    return distances + distances.T


def _euclidean(places: NDArray[np.float64], *, rounded: bool) -> NDArray[np.float64]:
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    return np.floor(distances + 0.5) if rounded else distances


def _numbers(line: str) -> list[float] | None:
    """Return the numbers of a line; None if there are none, or something else."""
    words: Sequence[str] = line.split()
    try:
        return [float(word) for word in words] if words else None
    except ValueError:
        return None


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
