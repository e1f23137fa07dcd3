"""The items of greatest value that fit, by OR-Tools' KnapsackSolver or CP-SAT."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np
from ortools.sat.python import cp_model

from imle_core import Status
from imle_core.errors import MissingCapabilityError, SolverError, SolverParameterError
from imle_core.parallel import Workers
from imle_ortools._integers import exact, rounded
from imle_ortools._keyed import KeyedSolver, by_task
from imle_ortools._knapsack_methods import Method, Task, explain, make_task
from imle_ortools._limits import require_time_limit
from imle_ortools._pack_by_digits import Found, pack
from imle_ortools._packing import read_numbers, read_packing
from imle_ortools._reading import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

OnTimeout = Literal["use", "error"]

MOST_LISTED = 1_000_000
"""Choices of items at most that are listed."""


class Hard(NamedTuple):
    """A row for CP-SAT: its number, the items that are worth something, and their values as Python's integers."""

    row: int
    items: NDArray[np.intp]
    values: list[int]


class Knapsack(KeyedSolver[Task]):
    r"""The items of greatest total value whose weights fit into the capacities, of one dimension or several.

    .. math:: z^*(\theta) = \arg\max_{z \in \{0, 1\}^n} \langle z, \theta \rangle
       \quad \text{s.t.} \quad \sum_i w_{ki} z_i \le W_k \text{ for each dimension } k

    Values theta have shape ``(N, n)``. Items of a value of 0 or below are never packed. Ties are broken as OR-Tools
    does, always in the same way.

    Weights and capacities are any numbers of at least 0; real ones are taken as the decimals that they are written as,
    and turned into integers without rounding. Values are integers for OR-Tools too: theta in single precision is solved
    exactly. In double precision values are rounded to some 50 bits of the largest of their row, of the items that fit
    (:meth:`explain` says how many); a row any of whose values would keep fewer than 24 is solved by CP-SAT, digit by
    digit, and exactly.

    Args:
        weights: Shape ``(dimensions, n)``, or ``(n,)`` for one dimension; ``None`` if the instance of each row gives
            them.
        capacities: Shape ``(dimensions,)``, or a number for one dimension; ``None`` if the instance of each row gives
            them.
        items: Number n of items, where ``weights`` do not tell.
        method: ``"auto"``, or one of OR-Tools' algorithms: ``"64_items"`` (branch and bound, one dimension, up to 64
            items), ``"dynamic_programming"``, ``"divide_and_conquer"`` (a dynamic programme in less memory; one
            dimension), ``"branch_and_bound"``, ``"cp_sat"``. ``"auto"`` is the first that applies of: ``"64_items"``;
            ``"divide_and_conquer"`` where n times the capacity is at most 4e7; ``"branch_and_bound"`` for several
            dimensions and up to 15 items; ``"cp_sat"``.
        time_limit: Seconds for a row, above 0; ``None`` for none. (Dynamic programmes do not look at it.)
        on_timeout: ``"use"`` returns the best choice found in time, ``"error"`` raises.
        threads: Threads at most for ``"cp_sat"``; by default the CPUs of this process. The others hold the GIL.

    Rows may have different weights and capacities: an instance is a mapping ``{"capacities": (8, 5), "weights": ((1,
    2, 3), (2, 2, 1))}``, either of which may be left out if the constructor gave it.

    ``decode`` returns the list of the items that are packed, and ``encode`` takes it.

    Raises:
        SolverParameterError: a parameter is not valid, or weights have too many digits for integers.
        InvalidInstanceError: an instance is not valid.
        SolverTimeoutError: a row is not proven optimal in time, and ``on_timeout="error"``.

    References:
        Kellerer, Pferschy and Pisinger (2004), Knapsack problems. Martello and Toth (1990), Knapsack problems:
        algorithms and computer implementations.

    Example:
        >>> import numpy as np
        >>> solver = Knapsack(weights=[[3, 4, 5], [0.1, 0.2, 0.1]], capacities=[9, 0.3])
        >>> z = solver.solve(np.array([[1.0, 2.0, 2.5], [4.0, 1.0, -1.0]]))
        >>> z
        array([[0., 1., 1.],
               [1., 1., 0.]])
        >>> solver.decode(z)
        [[1, 2], [0, 1]]
    """

    sense: ClassVar[Literal["max"]] = "max"  # type: ignore[misc]
    output = "binary"
    keys: ClassVar[tuple[str, ...]] = ("weights", "capacities")

    def __init__(
        self,
        *,
        weights: Any = None,
        capacities: Any = None,
        items: int | None = None,
        method: Method = "auto",
        time_limit: float | None = None,
        on_timeout: OnTimeout = "use",
        threads: int | None = None,
    ) -> None:
        one_of("method", method, get_args(Method))
        one_of("on_timeout", on_timeout, get_args(OnTimeout))
        require_time_limit(time_limit)
        if threads is not None and threads < 1:
            raise SolverParameterError(f"threads must be at least 1; got {threads}.")
        known = () if weights is None else read_numbers(weights, "weights").shape[-1:]
        (count,) = (items,) if items is not None else known or (0,)
        if count < 1 or known not in ((), (count,)):
            raise SolverParameterError(
                f"items must be the number of items, at least 1, as in weights; got items={items!r} and weights of "
                f"{known[0] if known else 'none'}."
            )
        self.items, self.event_shape = count, (count,)
        self.method, self.time_limit, self.on_timeout = method, time_limit, on_timeout
        self._workers = Workers(cp_model.CpSolver, threads)
        self._begin(weights=weights, capacities=capacities)

    def _task(self, given: Mapping[str, Any]) -> Task:
        packing = read_packing(given["weights"], given["capacities"])
        if len(packing.fits) != self.items:
            raise SolverParameterError(
                f"weights are of {len(packing.fits)} items; the solver has {self.items}."
            )
        return make_task(packing, self.method)

    def solve(  # type: ignore[override]
        self,
        theta: NDArray[Any],
        *,
        instances: Sequence[Task] | None = None,
        hint: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Return the best items of each row of theta, shape ``(N, n)``."""
        tasks = self._tasks(instances, len(theta))
        z, proven = np.zeros_like(theta), np.ones(len(theta), np.bool_)
        hard: list[Hard] = []
        for task, rows in by_task(tasks):
            z[rows] = (theta[rows] > 0) & task.packing.fits
            values = np.maximum(theta[np.ix_(rows, task.contested)], 0)
            integers, wide = rounded(values, task.bits)
            for place in np.flatnonzero(values.any(1)):
                row = int(rows[place])
                if not wide[place] and task.method != "cp_sat":
                    z[row, task.contested], proven[row] = task.pack(integers[place], self.time_limit)
                    continue
                items = np.flatnonzero(values[place])
                exactly = exact(values[place, items]) if wide[place] else integers[place, items]
                hard.append(Hard(row, task.contested[items], exactly.tolist()))
        found = self._workers.map(lambda solver, each: self._search(solver, each, tasks, hint), hard)
        for each, (chosen, is_proven) in zip(hard, found, strict=True):
            z[each.row, each.items], proven[each.row] = chosen, is_proven
        self.note_outcomes(
            np.where(proven, Status.OPTIMAL, Status.TIME_LIMIT),
            np.einsum("ij,ij->i", z, theta, dtype=float),
            np.where(proven, 0.0, np.nan),
            on_timeout=self.on_timeout,
        )
        return z

    def _search(
        self, solver: cp_model.CpSolver, hard: Hard, tasks: Sequence[Task], hint: NDArray[Any] | None
    ) -> Found:
        packing = tasks[hard.row].packing
        known = hint is not None and not np.isnan(hint[hard.row]).any()
        try:
            return pack(
                solver,
                hard.values,
                packing.weights[:, hard.items],
                packing.capacities,
                hint=(hint[hard.row, hard.items] > 0).tolist() if hint is not None and known else None,
                time_limit=self.time_limit,
            )
        except SolverError as error:
            error.row = hard.row
            raise

    def decode(self, z: NDArray[Any], *, instance: Any = None) -> list[int]:  # type: ignore[override]
        """Return the items that are packed."""
        self._require(z, instance, "choice of items that fit")
        return np.flatnonzero(z).tolist()

    def encode(self, structure: Iterable[int], *, instance: Any = None) -> NDArray[np.float64]:
        """Return the state of a list of items.

        Raises:
            InvalidSolutionError: there is no such item, one is given twice, or they do not fit.
        """
        z = np.zeros(self.items)
        try:
            for item in structure:
                place = operator.index(item)
                z[place] += 1 if place >= 0 else np.nan
        except (TypeError, IndexError):
            raise self._no_structure(f"{structure!r} are no numbers of {len(z)} items") from None
        self._require(z, instance, f"choice of items that fit: {structure!r}")
        return z

    def is_feasible(self, z: NDArray[Any], *, instances: Sequence[Task] | None = None) -> NDArray[np.bool_]:
        """Return for each row whether it is a choice of items that fit."""
        z = self._states(np.asarray(z))
        packed = z == 1
        feasible = (packed | (z == 0)).all(1)
        for row, task in enumerate(self._tasks(instances, len(z))):
            weights, capacities, fits = task.packing.weights, task.packing.capacities, task.packing.fits
            feasible[row] &= not (packed[row] & ~fits).any() and bool(
                (weights @ packed[row] <= capacities).all()
            )
        return feasible

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return every choice of items that fit, shape ``(K, n)``.

        Raises:
            MissingCapabilityError: there are more than a million.
        """
        packing = self._task_of(instance).packing
        support = np.zeros((1, len(packing.fits)), np.int8)
        load = np.zeros((1, len(packing.capacities)), np.int64)
        for item in np.flatnonzero(packing.fits):
            more = load + packing.weights[:, item]
            room = (more <= packing.capacities).all(1)
            taken = support[room]
            taken[:, item] = 1
            support, load = np.concatenate([support, taken]), np.concatenate([load, more[room]])
            if len(support) > MOST_LISTED:
                raise MissingCapabilityError(
                    f"{self.name}: the choices of items are too many to be listed (at most {MOST_LISTED:,})."
                )
        return support.astype(np.float64)

    def explain(self) -> str:
        """Return which algorithm runs and why."""
        if self._own is None:
            return (
                f"{self.name}: each row brings its weights or capacities, by which the algorithm is chosen."
            )
        return f"{self.name}: {explain(self._own, self.method)}"
