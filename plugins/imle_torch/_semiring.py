"""What a dynamic programme does with alternatives: sum them up, or take the best of them.

A structure is built by choices; on the way forward the alternatives of each are summed up, on the way back one of
them is taken. With sums in log space that gives the log-partition function, and exact samples on the way back; with
maxima it gives the best structure. So a set needs one way forward and one back, and no code of its own for each use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Callable


class Semiring(NamedTuple):
    """How alternatives are summed up on the way forward, and one of them is taken on the way back.

    Attributes:
        plus: From scores and a dimension to their sum over it.
        choose: From scores of alternatives, shape ``(..., K)``, to the index of one, shape ``(...)``.
    """

    plus: Callable[[torch.Tensor, int], torch.Tensor]
    choose: Callable[[torch.Tensor], torch.Tensor]


def _first_best(scores: torch.Tensor) -> torch.Tensor:
    return scores.argmax(-1)


BEST = Semiring(torch.amax, _first_best)
"""The best alternative; of equal ones the first."""


def drawing(generator: torch.Generator | None) -> Semiring:
    """Return sums in log space, whose way back draws alternatives in proportion to the exponential of their scores."""

    def choose(scores: torch.Tensor) -> torch.Tensor:
        waiting = torch.empty_like(scores).exponential_(generator=generator)
        # The largest Gumbel-perturbed score: no cumulative sum, so an impossible alternative is never drawn.
        return (scores - waiting.clamp_(min=torch.finfo(scores.dtype).tiny).log_()).argmax(-1)

    return Semiring(torch.logsumexp, choose)


def impossible(dtype: torch.dtype) -> float:
    """Return the score of what cannot be: finite, because minus infinity gives NaN derivatives.

    A few of them add up to a finite number still, and no score moves one by more than its rounding.
    """
    return torch.finfo(dtype).min / 16
