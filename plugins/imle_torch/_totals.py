"""Subsets by their total weight: the dynamic programme of k-subsets and of the knapsack.

With a_c the log-sum over the subsets of the items so far whose weights total c, an item of weight w and score t gives

    a_c <- log(exp a_c + exp(a_{c-w} + t)),

O(n C) for n items and totals up to C. The way back takes or leaves the items from the last to the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn.functional import pad

from imle_torch._semiring import impossible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imle_torch._semiring import Semiring

    Plus = Callable[[torch.Tensor, int], torch.Tensor]


def by_total(
    theta: torch.Tensor, weights: Sequence[int], capacity: int, plus: Plus = torch.logsumexp
) -> list[torch.Tensor]:
    """Return what the subsets of the first i items sum up to, for i = 0 .. n, each of shape ``(N, capacity + 1)``.

    Args:
        theta: Scores, shape ``(N, n)``.
        weights: Of the items, non-negative.
        capacity: Largest total to consider.
        plus: How subsets of equal total are summed up, see :class:`~imle_torch._semiring.Semiring`.
    """
    # Of nothing chosen it is log 1, still a function of theta for autograd.
    first = (theta * 0).sum(-1, keepdim=True)
    sums = [pad(first, (0, capacity), value=impossible(theta.dtype))]
    for t, weight in zip(theta.unsqueeze(-1).unbind(-2), weights, strict=True):
        sums.append(plus(torch.stack([sums[-1], _shifted(sums[-1], weight) + t]), 0))
    return sums


def choose_items(
    theta: torch.Tensor,
    weights: Sequence[int],
    sums: list[torch.Tensor],
    total: torch.Tensor,
    semiring: Semiring,
) -> torch.Tensor:
    """Return subsets of given totals, taken item by item from the last to the first, shape ``(S, N, n)``.

    Args:
        theta: Scores, shape ``(N, n)``.
        weights: Of the items.
        sums: From :func:`by_total`, with the same semiring.
        total: The total of each subset, integers of shape ``(S, N)``.
        semiring: How it is decided whether an item is taken.
    """
    z = torch.zeros(*total.shape, theta.shape[1], dtype=theta.dtype, device=theta.device)
    rows = torch.arange(len(theta), device=theta.device)
    for item in reversed(range(theta.shape[1])):
        weight, before = weights[item], sums[item]
        leave = before[rows, total]
        take = before[rows, (total - weight).clamp(min=0)] + theta[:, item]
        take = take.masked_fill(total < weight, 2 * impossible(theta.dtype))
        taken = semiring.choose(torch.stack([leave, take], -1))
        z[..., item] = taken
        total = total - weight * taken
    return z


def _shifted(sums: torch.Tensor, weight: int) -> torch.Tensor:
    """Return at total c what was at total c - weight."""
    kept = max(sums.shape[-1] - weight, 0)
    return pad(sums[..., :kept], (sums.shape[-1] - kept, 0), value=impossible(sums.dtype))
