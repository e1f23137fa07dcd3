"""``pulp.set_cover``: sets that cover, pack or partition elements."""

from __future__ import annotations

import operator
from collections.abc import Collection, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pulp

from imle_core.errors import SolverParameterError, closest
from imle_pulp._numbers import numbers, spread
from imle_pulp.ilp import ILP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

Kind = Literal["cover", "packing", "partition"]

RELATIONS: dict[str, Any] = {"cover": operator.ge, "packing": operator.le, "partition": operator.eq}


def set_cover(
    sets: Sequence[Collection[Hashable]] | NDArray[Any],
    *,
    requirement: ArrayLike | Mapping[Any, float] = 1,
    kind: Kind = "cover",
    backend: str = "auto",
    time_limit: float | None = None,
    on_timeout: Literal["use", "error"] = "use",
    threads: int | None = None,
) -> ILP:
    r"""Return a solver that chooses sets which together hold each element often enough.

    .. math:: z^*(c) = \arg\min_{z \in \{0, 1\}^n} \langle z, c \rangle \quad \text{s.t.} \quad A z \ge r

    A partition has = in the place of >=. A packing has <=, and maximises: theta are then values of the sets.

    Args:
        sets: The elements of each set: a sequence of collections of hashable elements. Or A as an array or tensor,
            shape ``(elements, sets)``: how much of each element each set holds, at least 0; elements are 0, 1, ...
        requirement: r, at least 0: a number for all elements, a mapping from elements to numbers (1 for those that it
            leaves out), or one number for each row of A.
        kind: ``"cover"``, ``"packing"`` or ``"partition"``.
        backend: As for :class:`imle_pulp.ilp.ILP`.
        time_limit: Seconds for each row's search, or None.
        on_timeout: As for :class:`imle_pulp.ilp.ILP`.
        threads: Threads at most; None takes the CPUs of this process.

    Returns:
        A solver with theta and states of shape ``(sets,)``. Rows may have requirements of their own:
        ``instances=[{element: 2}, ...]``.

    Raises:
        SolverParameterError: the sets are not valid, or all of them together do not hold an element often enough.
        InfeasibleError: no choice of sets meets the requirements.

    References:
        Karp (1972), Reducibility among combinatorial problems. Balas and Padberg (1976), Set partitioning: a survey.

    Example:
        >>> import numpy as np
        >>> solver = set_cover([{"a", "b"}, {"b", "c"}, {"c"}, {"a"}])
        >>> solver.solve(np.array([[1.0, 5.0, 2.0, 2.0]]))
        array([[1., 0., 1., 0.]])
        >>> solver.solve(np.array([[1.0, 5.0, 2.0, 2.0]]), instances=[{"b": 2}])
        array([[1., 1., 0., 0.]])
        >>> set_cover([{"a", "b"}, {"b", "c"}, {"c"}], kind="packing").solve(np.array([[1.0, 5.0, 2.0]]))
        array([[0., 1., 0.]])
    """
    if kind not in get_args(Kind):
        raise SolverParameterError(
            f"kind must be one of {', '.join(map(repr, get_args(Kind)))}; got {kind!r}."
            f"{closest(str(kind), get_args(Kind))}"
        )
    elements, holds = _table(sets)
    needed = _needed(requirement, elements)
    if kind != "packing":
        _require_enough(elements, holds, needed)
    problem = pulp.LpProblem(kind, pulp.LpMaximize if kind == "packing" else pulp.LpMinimize)
    choose = [problem.add_variable(f"set_{j}", cat=pulp.LpBinary) for j in range(holds.shape[1])]
    for i, (row, number) in enumerate(zip(holds, needed.tolist(), strict=True)):
        total = pulp.LpAffineExpression([(choose[j], float(row[j])) for j in np.flatnonzero(row)])
        problem += RELATIONS[kind](total, number), f"element_{i}"
    return ILP(
        problem,
        choose,
        parameters={element: f"element_{i}" for i, element in enumerate(elements)},
        backend=backend,
        time_limit=time_limit,
        on_timeout=on_timeout,
        threads=threads,
    )


def _table(sets: Any) -> tuple[list[Any], NDArray[np.float64]]:
    """Return the elements, and how much of each every set holds, shape ``(elements, sets)``."""
    if hasattr(sets, "__array__"):
        holds = numbers("sets, as an array,", np.asarray(sets), (2,))
        elements: list[Any] = list(range(len(holds)))
    else:
        members = _members(sets)
        elements = _in_order({element for one in members for element in one})
        number = {element: i for i, element in enumerate(elements)}
        holds = np.zeros((len(elements), len(members)))
        for j, one in enumerate(members):
            holds[[number[element] for element in one], j] = 1
    if not holds.size:
        raise SolverParameterError("sets must hold an element at least.")
    return elements, holds


def _members(sets: Any) -> list[set[Any]]:
    try:
        texts = [one for one in sets if isinstance(one, (str, bytes))]
        if not texts and not isinstance(sets, (str, bytes, Mapping)):
            return [set(one.tolist() if hasattr(one, "tolist") else one) for one in sets]
    except TypeError:
        pass
    raise SolverParameterError(
        "sets must be a sequence of collections of hashable elements, such as [{'a', 'b'}, {'b'}], or a NumPy array of "
        f"shape (elements, sets); got {sets!r}."
    )


def _in_order(elements: set[Any]) -> list[Any]:
    """Return elements in an order that does not depend on their hashes, which differ between processes."""
    try:
        return sorted(elements)
    except TypeError:  # of several kinds
        return sorted(elements, key=lambda element: (type(element).__name__, repr(element)))


def _needed(requirement: Any, elements: list[Any]) -> NDArray[np.float64]:
    if not isinstance(requirement, Mapping):
        return spread("requirement", requirement, len(elements), "elements")
    for element in requirement:
        if element not in elements:
            raise SolverParameterError(
                f"requirement names the element {element!r}, which is in no set."
                f"{closest(str(element), map(str, elements))}"
            )
    return spread(
        "requirement", [requirement.get(element, 1) for element in elements], len(elements), "elements"
    )


def _require_enough(elements: list[Any], holds: NDArray[np.float64], needed: NDArray[np.float64]) -> None:
    short = np.flatnonzero(holds.sum(1) < needed)
    if len(short):
        first = int(short[0])
        raise SolverParameterError(
            f"the element {elements[first]!r} is required {needed[first]:g} times, but all sets together hold it "
            f"{holds[first].sum():g} times ({len(short)} of {len(elements)} elements are short)."
        )
