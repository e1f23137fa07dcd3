"""Tours through nodes: the travelling salesman's problem on a matrix of costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from imle_core.errors import InvalidThetaError, SolverParameterError, closest
from imle_ortools._kernels.tour_states import read_tours, write_states
from imle_ortools._limits import require_seed, require_time_limit
from imle_ortools._tour_methods import (
    DYNAMIC,
    LARGEST_DYNAMIC,
    Batch,
    ByRouting,
    Compiled,
    Exact,
    Tours,
)
from imle_ortools._tour_sets import TourSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_ortools._tour_instances import Visits

Method = Literal["auto", "exact", "local_search", "routing"]
OnTimeout = Literal["use", "error"]


class TSP(TourSet):
    r"""The cheapest closed tour that visits each node once.

    .. math:: z^*(c) = \arg\min_{z \in Z} \langle z, c \rangle, \qquad
       Z = \{z \in \{0, 1\}^{n \times n} : z \text{ are the arcs of one cycle through all nodes}\}

    Costs have shape ``(N, n, n)``: ``c[i, j]`` is that of the arc from i to j, and the diagonal is not looked at. Costs
    may be negative, because all tours have as many arcs. States have the same shape: a tour is **directed**, and
    ``z[i, j]`` is 1 where it goes from i to j. With ``undirected=True`` it is not: z is symmetric, with 1 both in
    ``z[i, j]`` and in ``z[j, i]`` for each edge, so that only ``c[i, j] + c[j, i]`` counts, and both entries get the
    same gradient. That is what suits distances: noise that is drawn for each entry makes symmetric costs asymmetric,
    and a directed tour follows that.

    ===================  ==========================================================================================
    ``"auto"``           The dynamic programme of Held and Karp up to 13 nodes, which is exact; local search beyond.
    ``"exact"``          The dynamic programme up to 15 nodes; beyond, a circuit by CP-SAT that begins with the tour of
                         the local search: some 10 ms for 20 nodes, 200 for 50, and exponential in the worst case.
    ``"local_search"``   2-opt, or-opt and, where costs are asymmetric, 3-opt moves, iterated: after each kick, an
                         exchange of two parts of the tour, it descends again, and keeps what is no worse.
    ``"routing"``        OR-Tools' routing library, with its search parameters. Slower than the local search.
    ===================  ==========================================================================================

    Answers are a function of a row and its instance alone, as long as no ``time_limit`` is met. Where both directions
    of a tour cost the same, it goes on from its first node to the smaller of its two neighbours. The methods that are
    not exact start from a ``hint``, a tour that is known, if the estimator has one.

    Costs are rounded to integers: to multiples of 2^-57 of the row's largest magnitude with 13 nodes, 2^-55 with 50.
    Costs so large that they can be in no best tour, such as those that forbid an arc, do not count as the largest by
    more than 2^16 times what the tour costs above a lower bound, the sum of the cheapest arc from each node.

    Args:
        nodes: Number of nodes n; None: as many as theta has, or as each row's instance says.
        undirected: Whether z is an undirected tour.
        method: ``"auto"``, ``"exact"``, ``"local_search"`` or ``"routing"``, see above.
        kicks: Kicks of the local search for each node, at least 0.
        offset: Fixed costs of arcs, which are added to theta: a matrix of shape ``(n, n)``, or a number, such as 0.0 if
            only the rows' instances have any. Theta and offset then share their units, and the core does not scale.
        first_solution_strategy: Of the routing library, under its own name; None: ``"PATH_CHEAPEST_ARC"``.
        local_search_metaheuristic: Of the routing library, under its own name; None: ``"GREEDY_DESCENT"``, which ends
            at a local optimum. Others search until a limit.
        solution_limit: Of the routing library: solutions at most that it goes through for a row.
        time_limit: Seconds for each row; None: no limit. The dynamic programme does not look at it.
        on_timeout: ``"use"`` takes the best tour that was found when the time was over; ``"error"`` raises.
        seed: Of whatever draws at random, the same for every row.
        threads: Threads at most; None: the CPUs of this process. The routing library has one.

    Rows may have different instances: a mapping ``{"visit": (0, 2, 5), "offset": ((...), ...)}`` with the nodes to
    visit and fixed costs; and, where ``nodes`` is not given, ``"size"``, the number of nodes of the row, by which rows
    may differ in size. Each may be left out. ``decode`` returns the nodes of a tour in order, beginning with the
    smallest; ``encode`` takes them in any rotation.

    Raises:
        SolverParameterError: a parameter is not valid.
        InvalidThetaError: theta is not square, or theta and offset are not finite together.
        InvalidInstanceError: an instance is not valid.
        SolverTimeoutError: the time was over, with ``on_timeout="error"``, or before the routing library had a tour.

    References:
        Held and Karp (1962), A dynamic programming approach to sequencing problems. Or (1976), Traveling salesman-type
        combinatorial problems. Bentley (1992), Fast algorithms for geometric traveling salesman problems. Lourenço,
        Martin and Stützle (2003), Iterated local search.

    Example:
        >>> import numpy as np
        >>> solver = TSP(nodes=4)
        >>> costs = np.array([[[0.0, 1, 5, 5], [5, 0, 1, 5], [5, 5, 0, 1], [1, 5, 5, 0]]])
        >>> z = solver.solve(costs)
        >>> z[0].astype(int)
        array([[0, 1, 0, 0],
               [0, 0, 1, 0],
               [0, 0, 0, 1],
               [1, 0, 0, 0]])
        >>> solver.decode(z)
        [[0, 1, 2, 3]]
        >>> solver.decode(solver.solve(costs, instances=[{"visit": (0, 2, 3)}]), instances=[{"visit": (0, 2, 3)}])
        [[0, 2, 3]]
    """

    sense: ClassVar[Literal["min"]] = "min"  # type: ignore[misc]
    output = "binary"

    def __init__(
        self,
        nodes: int | None = None,
        *,
        undirected: bool = False,
        method: Method = "auto",
        kicks: int = 5,
        offset: Any = None,
        first_solution_strategy: str | None = None,
        local_search_metaheuristic: str | None = None,
        solution_limit: int | None = None,
        time_limit: float | None = None,
        on_timeout: OnTimeout = "use",
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        super().__init__(nodes, undirected=undirected, offset=offset)
        for name, value, choices in (("method", method, Method), ("on_timeout", on_timeout, OnTimeout)):
            if value not in get_args(choices):
                raise SolverParameterError(
                    f"{name} must be one of {', '.join(map(repr, get_args(choices)))}; got {value!r}."
                    f"{closest(str(value), get_args(choices))}"
                )
        for name, number, least in (("kicks", kicks, 0), ("threads", threads, 1)):
            if number is not None and number < least:
                raise SolverParameterError(f"{name} must be at least {least}; got {number}.")
        require_seed(seed)
        require_time_limit(time_limit)
        self.method, self.time_limit, self.on_timeout = method, time_limit, on_timeout
        self._exact = {"auto": DYNAMIC, "exact": LARGEST_DYNAMIC}.get(method, 3)
        compiled = Compiled(self._exact, kicks, seed, time_limit, threads)
        self._solver: Compiled | Exact | ByRouting = compiled
        if method == "exact":
            self._solver = Exact(compiled, time_limit=time_limit, seed=seed, threads=threads)
        search = {
            "first_solution_strategy": first_solution_strategy,
            "local_search_metaheuristic": local_search_metaheuristic,
            "solution_limit": solution_limit,
        }
        given = {name: value for name, value in search.items() if value is not None}
        if method == "routing":
            from imle_ortools._routing import Search  # OR-Tools, which other methods do without

            self._solver = ByRouting(Search(time_limit=time_limit, seed=seed, **given))  # type: ignore[arg-type]
        elif given:
            raise SolverParameterError(
                f"{next(iter(given))} is of the routing library: take method='routing' with it."
            )

    def solve(  # type: ignore[override]
        self,
        theta: NDArray[Any],
        *,
        instances: Sequence[Visits] | None = None,
        hint: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Return the tours of rows of costs, see :meth:`imle_core.Solver.solve`."""
        nodes, counts = self.visited(len(theta), theta.shape[1:], instances)
        costs = self._costs(theta, instances)
        starts = np.full(nodes.shape, -1)
        if hint is not None:
            known = ~np.isnan(hint).any((1, 2))
            read = starts.copy()
            known &= read_tours(np.nan_to_num(hint), nodes, counts, self.undirected, read)
            starts[known] = read[known]
        tours = self._solver.solve(Batch(self._symmetrised(costs), nodes, counts, starts))
        states = np.zeros_like(theta)
        write_states(tours.places, nodes, counts, self.undirected, states)
        self._note(tours, np.where(states != 0, costs, 0).sum((1, 2)))
        return states

    def _costs(self, theta: NDArray[Any], instances: Sequence[Visits] | None) -> NDArray[np.float64]:
        """Return theta with the fixed costs, in double precision."""
        costs = theta.astype(np.float64)
        if self.scale_invariant:
            return costs
        with np.errstate(over="ignore"):
            for row, visits in enumerate(instances or [self.own] * len(costs)):
                if visits.offset is not None:
                    size = len(visits.offset)
                    costs[row, :size, :size] += visits.offset
        finite = np.isfinite(costs).all((1, 2))
        if not finite.all():
            raise InvalidThetaError(
                f"{self.name}: row {int(finite.argmin())}: theta and offset are not finite together; both must be in "
                "the same units."
            )
        return costs

    def _symmetrised(self, costs: NDArray[np.float64]) -> NDArray[np.float64]:
        return costs / 2 + costs.transpose(0, 2, 1) / 2 if self.undirected else costs

    def _note(self, tours: Tours, objectives: NDArray[np.float64]) -> None:
        self.note_outcomes(tours.statuses, objectives, tours.gaps, on_timeout=self.on_timeout)

    def explain(self) -> str:
        """Return in words which method solves rows of which size."""
        dynamic = "the dynamic programme of Held and Karp, exactly"
        kicks = "compiled local search (2-opt, or-opt, 3-opt moves and kicks), not exactly"
        limit = f" unless {self.time_limit} s are over" if self.time_limit is not None else ""
        more = {
            "auto": f"{kicks}; method='exact' proves its tours",
            "exact": f"CP-SAT, a circuit that begins with the tour of a local search, exactly{limit}",
            "local_search": kicks,
            "routing": "OR-Tools' routing library, a fresh model for each row, not exactly",
        }[self.method]
        if self.method not in ("auto", "exact"):
            way = more
        elif self.nodes is None:
            way = f"up to {self._exact} nodes by {dynamic}; beyond by {more}"
        else:
            way = dynamic if self.nodes <= self._exact else more
        kind = "undirected" if self.undirected else "directed"
        size = "any number of" if self.nodes is None else f"{self.nodes:,}"
        by = "" if self.nodes is None and self.method in ("auto", "exact") else "by "
        return f"{self.name}: {kind} tours through {size} nodes: {by}{way}. Costs may be negative."
