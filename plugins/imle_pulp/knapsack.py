"""``pulp.knapsack``: the most valuable selection within several capacities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pulp

from imle_core.errors import SolverParameterError
from imle_pulp._numbers import numbers, spread
from imle_pulp.ilp import ILP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


def knapsack(
    weights: ArrayLike,
    capacity: ArrayLike,
    *,
    upper: int | Sequence[int] | None = 1,
    backend: str = "auto",
    time_limit: float | None = None,
    on_timeout: Literal["use", "error"] = "use",
    threads: int | None = None,
) -> ILP:
    r"""Return a solver that packs a knapsack with several constraints.

    .. math:: z^*(\theta) = \arg\max_z \; \langle z, \theta \rangle
       \quad \text{s.t.} \quad W z \le b, \; 0 \le z \le u, \; z \text{ integer}

    Values of theta may be negative; such items stay out.

    Args:
        weights: W, what each item uses, shape ``(items,)``, or ``(constraints, items)``; at least 0.
        capacity: b, a number for all constraints, or one for each; at least 0.
        upper: u, how many copies there are of each item: a whole number, or one for each. None: any number.
        backend: As for :class:`imle_pulp.ilp.ILP`.
        time_limit: Seconds for each row's search, or None.
        on_timeout: As for :class:`imle_pulp.ilp.ILP`.
        threads: Threads at most; None takes the CPUs of this process.

    Returns:
        A solver with theta and states of shape ``(items,)``. Rows may have capacities of their own:
        ``instances=[{"capacity": 60}, ...]``, with several constraints ``[{"capacity": (60, 40)}, ...]``.

    Raises:
        SolverParameterError: shapes do not fit, or a number is negative or not finite.
        UnboundedError: a row has a positive value for an item without weight, of which there is any number.

    References:
        Kellerer, Pferschy and Pisinger (2004), Knapsack problems. Tang and Khalil (2024), PyEPO: a PyTorch-based
        end-to-end predict-then-optimize library.

    Example:
        >>> import numpy as np
        >>> solver = knapsack([[3, 4, 2], [1, 5, 4]], [6, 6])
        >>> solver.solve(np.array([[5.0, 6.0, 3.0]]))
        array([[1., 0., 1.]])
        >>> solver.solve(np.array([[5.0, 6.0, 3.0]]), instances=[{"capacity": (7, 6)}])
        array([[1., 1., 0.]])
        >>> knapsack([3, 4, 2], 8, upper=None).solve(np.array([[5.0, 6.0, 3.0]]))
        array([[2., 0., 1.]])
    """
    use = np.atleast_2d(numbers("weights", weights, (1, 2)))
    if not use.size:
        raise SolverParameterError(
            f"weights must have an item and a constraint at least; got shape {use.shape}."
        )
    limits = spread("capacity", capacity, len(use), "constraints")
    copies = [None] * use.shape[1] if upper is None else _whole(upper, use.shape[1])
    problem = pulp.LpProblem("knapsack", pulp.LpMaximize)
    take = [problem.add_variable(f"take_{i}", 0, most, pulp.LpInteger) for i, most in enumerate(copies)]
    rows = [f"capacity_{i}" for i in range(len(use))]
    for name, row, limit in zip(rows, use.tolist(), limits.tolist(), strict=True):
        terms = [(item, weight) for item, weight in zip(take, row, strict=True) if weight]
        problem += pulp.LpAffineExpression(terms) <= limit, name
    return ILP(
        problem,
        take,
        parameters={"capacity": rows},
        backend=backend,
        time_limit=time_limit,
        on_timeout=on_timeout,
        threads=threads,
    )


def _whole(upper: Any, count: int) -> list[int]:
    copies = spread("upper", upper, count, "items")
    if (copies != np.floor(copies)).any():
        raise SolverParameterError(f"upper must be whole numbers of copies; got {upper!r}.")
    return [int(one) for one in copies]
