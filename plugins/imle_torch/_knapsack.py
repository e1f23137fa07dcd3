"""The 0/1 knapsack with integer weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from imle_core.errors import SolverParameterError
from imle_torch._checks import as_scores, is_binary, require_listable
from imle_torch._constants import Constants
from imle_torch._semiring import BEST, drawing
from imle_torch._subsets import Subsets
from imle_torch._totals import by_total, choose_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_torch._semiring import Semiring


class Knapsack(Subsets):
    r"""The items of largest total score whose weights fit into a capacity.

    .. math:: \arg\max_{z \in \{0, 1\}^n} \langle z, \theta \rangle \quad \text{s.t.} \quad \sum_i w_i z_i \le W

    A dynamic programme over totals, O(n W) a row, batched and on theta's device. Scores may be negative; of equally
    good choices, one of least weight is returned.

    Args:
        weights: Of the n items, integers of at least 0.
        capacity: Largest total weight W, at least 0.

    Reference:
        Kellerer, Pferschy and Pisinger (2004), Knapsack problems, section 2.3.

    Example:
        >>> knapsack = Knapsack(weights=[3, 4, 5], capacity=8)
        >>> z = knapsack.solve(torch.tensor([[1.0, 2.0, 2.5]]))
        >>> knapsack.decode(z)
        [[0, 2]]
    """

    def __init__(self, *, weights: Any, capacity: int) -> None:
        given = np.asarray(weights)
        if given.ndim != 1 or not len(given) or given.dtype.kind not in "iu" or given.min() < 0:
            raise SolverParameterError(
                f"weights must be integers of at least 0, one an item; got {weights!r}."
            )
        if capacity < 0:
            raise SolverParameterError(f"capacity must be at least 0; got {capacity}.")
        super().__init__(len(given), f"an indicator of items of total weight at most {capacity}")
        self.weights: list[int] = given.tolist()
        self.capacity = capacity
        # What all items weigh together is never exceeded.
        self._totals = min(capacity, sum(self.weights))
        # What does not fit on its own need not be known better: so sums do not overflow.
        self._constants = Constants(np.minimum(given, capacity + 1).astype(np.int64))

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicators of the best items of each row, shape ``(N, n)``."""
        return self._find(theta, 1, BEST)[0]

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether it is an indicator of items that fit."""
        (weights,) = self._constants.on(z.device)
        return is_binary(z) & (((z != 0) * weights).sum(1) <= self.capacity)

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the indicators of all sets of items that fit, shape ``(K, n)``.

        Raises:
            MissingCapabilityError: there are more than a million.
        """
        count = [1, *[0] * self._totals]
        for weight in self.weights:
            count = [c + (count[i - weight] if i >= weight else 0) for i, c in enumerate(count)]
        require_listable(self, sum(count), "sets of items")
        support, total = np.zeros((1, 0)), np.zeros(1, np.int64)
        for weight in self.weights:
            fits = total + weight <= self.capacity
            left, taken = np.pad(support, ((0, 0), (0, 1))), np.pad(support[fits], ((0, 0), (0, 1)))
            taken[:, -1] = 1
            support, total = np.concatenate([left, taken]), np.concatenate([total, total[fits] + weight])
        return support

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``.

        .. math:: A(\theta) = \log \sum_{z : \langle w, z \rangle \le W} \exp \langle z, \theta \rangle

        The same dynamic programme with sums in place of maxima, O(n W) a row, differentiable to any order.
        """
        return by_total(as_scores(self, theta), self.weights, self._totals)[-1].logsumexp(-1)

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, n)``: first the total weight, then the items, O(n + W) each."""
        return self._find(as_scores(self, theta), samples, drawing(generator))

    def _find(self, theta: torch.Tensor, samples: int, semiring: Semiring) -> torch.Tensor:
        sums = by_total(theta, self.weights, self._totals, semiring.plus)
        total = semiring.choose(sums[-1].expand(samples, -1, -1))
        return choose_items(theta, self.weights, sums, total, semiring)
