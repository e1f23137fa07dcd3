"""Linear chains: sequences of states scored by their transitions."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

import imle_core as imle
from imle_core.errors import InvalidThetaError, MissingCapabilityError, SolverParameterError
from imle_torch._checks import as_scores, is_binary, no_structure, require_listable, require_structure
from imle_torch._semiring import BEST, drawing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from imle_torch._semiring import Semiring


class Chain(imle.Solver):
    r"""The best sequence of states of a linear chain, by Viterbi's algorithm.

    .. math:: \arg\max_{y_0, \dots, y_T} \sum_{t=0}^{T-1} \theta_{t, y_t, y_{t+1}}, \qquad
       z_{tij} = [y_t = i \wedge y_{t+1} = j]

    Theta has shape ``(N, T, K, K)``: entry ``(t, i, j)`` scores state i at position t followed by state j at position
    t + 1, so there are T + 1 positions. Unary scores u of positions go in without loss: add ``u[t + 1, j]`` to
    ``theta[t, i, j]`` for all i, and ``u[0, i]`` to ``theta[0, i, j]`` for all j. A transition that must not happen
    gets a very low score.

    Batched, on theta's device, O(T K^2) a row. Of equally good sequences it takes, from the last position
    back, the first state.

    Args:
        steps: Number T of transitions; None takes the axis of theta as it comes.
        states: Number K of states; None takes the axes of theta as they come.
        sense: ``"max"`` for scores, ``"min"`` for costs.

    References:
        Viterbi (1967), Error bounds for convolutional codes and an asymptotically optimum decoding algorithm.
        Lafferty, McCallum and Pereira (2001), Conditional random fields.

    Example:
        >>> chain = Chain(steps=2, states=2)
        >>> theta = torch.tensor([[[[0.0, 1.0], [0.0, 0.0]], [[5.0, 0.0], [2.0, 0.0]]]])
        >>> chain.decode(chain.solve(theta))
        [[0, 0, 0]]
    """

    output = "binary"
    scale_invariant = True

    def __init__(
        self, *, steps: int | None = None, states: int | None = None, sense: Literal["max", "min"] = "max"
    ) -> None:
        self.steps, self.states, self.sense = steps, states, sense
        self.event_shape = (steps, states, states)

    def solve(self, theta: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the indicator of the transitions of the best sequence of each row, shape ``(N, T, K, K)``."""
        return _find(self._scores(theta), 1, BEST)[0]

    def decode(self, z: Any, *, instance: Any = None) -> list[int]:  # type: ignore[override]
        """Return the states of the T + 1 positions.

        Raises:
            InvalidSolutionError: the state is not the indicator of a sequence.
        """
        require_structure(self, z, "the indicator of the transitions of a sequence")
        _, start, end = np.nonzero(z)
        return [*start[:1].tolist(), *end.tolist()]

    def encode(self, structure: Sequence[int]) -> np.ndarray:
        """Return the indicator, shape ``(T, K, K)``, of a sequence; ``states`` must have been given.

        Raises:
            InvalidSolutionError: there is no such state, or there are not T + 1 of them.
        """
        if self.states is None:
            raise SolverParameterError(
                f"{self.name}: encode needs the number of states; make the solver with states=."
            )
        sequence = list(structure)
        steps = len(sequence) - 1
        if steps < 1 or self.steps not in (None, steps) or not all(0 <= y < self.states for y in sequence):
            length = "2 or more" if self.steps is None else self.steps + 1
            raise no_structure(self, f"{sequence} is not {length} states in [0, {self.states})")
        z = np.zeros((steps, self.states, self.states))
        z[range(steps), sequence[:-1], sequence[1:]] = 1
        return z

    def is_feasible(self, z: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        """Return for each row whether each step is one transition, from where the step before ended."""
        one = (z.sum((2, 3)) == 1).all(1)
        joined = (z[:, :-1].sum(2) == z[:, 1:].sum(3)).all(2).all(1)
        return is_binary(z) & one & joined

    def enumerate_support(self, *, instance: Any = None) -> np.ndarray:
        """Return the indicators of all sequences, shape ``(K^(T+1), T, K, K)``.

        Raises:
            MissingCapabilityError: there are more than a million, or T or K is not known.
        """
        if self.steps is None or self.states is None:
            raise MissingCapabilityError(
                f"{self.name}: its set depends on the shape of theta; make the solver with steps= and states=."
            )
        require_listable(self, self.states ** (self.steps + 1), "sequences")
        return np.array([self.encode(y) for y in product(range(self.states), repeat=self.steps + 1)])

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row, shape ``(N,)``, by the forward algorithm in O(T K^2).

        .. math:: \alpha_{t+1, j} = \log \sum_i \exp(\alpha_{t, i} + s \theta_{t, i, j}), \qquad
           A(\theta) = \log \sum_j \exp \alpha_{T, j}
        """
        return _forward(self._scores(theta), torch.logsumexp)[-1].logsumexp(-1)

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, T, K, K)``: the last state, then each one before, O(T K) each."""
        return _find(self._scores(theta), samples, drawing(generator))

    def _scores(self, theta: torch.Tensor) -> torch.Tensor:
        scores = as_scores(self, theta)
        steps, first, second = scores.shape[1:]
        if first != second or steps == 0 or first == 0:
            raise InvalidThetaError(
                f"{self.name}: theta has shape {tuple(theta.shape)}; expected (N, T, K, K), with T transitions between "
                "the same K states, at least one of each."
            )
        return scores


def _forward(theta: torch.Tensor, plus: Callable[[torch.Tensor, int], torch.Tensor]) -> list[torch.Tensor]:
    """Return for each position what the sequences that end there in each state sum up to, each ``(N, K)``."""
    sums = [torch.zeros_like(theta[:, 0, :, 0])]
    for scores in theta.unbind(1):
        sums.append(plus(sums[-1].unsqueeze(-1) + scores, -2))
    return sums


def _find(theta: torch.Tensor, samples: int, semiring: Semiring) -> torch.Tensor:
    sums = _forward(theta, semiring.plus)
    rows = torch.arange(len(theta), device=theta.device)
    z = theta.new_zeros(samples, *theta.shape)
    draws = torch.arange(samples, device=theta.device).unsqueeze(-1)
    end = semiring.choose(sums[-1].expand(samples, -1, -1))
    for t in reversed(range(theta.shape[1])):
        start = semiring.choose(sums[t] + theta[rows, t, :, end])
        z[draws, rows, t, start, end] = 1
        end = start
    return z
