"""Assignments: permutation matrices."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

import imle_core as imle
from imle_core.errors import MissingCapabilityError
from imle_torch._checks import as_scores, is_binary, no_structure, require_listable, require_structure
from imle_torch._permutations import MAX_EXACT, permutations
from imle_torch._semiring import drawing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_torch._paths import Paths


class Assignment(imle.Solver):
    r"""The best assignment of n rows to n columns.

    .. math:: \arg\max_{z} \langle z, \theta \rangle \quad \text{s.t.} \quad
       \sum_j z_{ij} = 1, \ \sum_i z_{ij} = 1, \ z_{ij} \in \{0, 1\}

    Theta has shape ``(N, n, n)``. Solved on the host, one theta after the other, by SciPy's
    ``linear_sum_assignment``, O(n^3). The log-partition function, the logarithm of a permanent, and exact samples are
    there for n up to 12, batched and on theta's device.

    Args:
        n: Number of rows and of columns.
        sense: ``"max"`` for scores, ``"min"`` for costs.

    References:
        Crouse (2016), On implementing 2D rectangular assignment algorithms. Ryser (1963), Combinatorial mathematics.

    Example:
        >>> assignment = Assignment(n=2, sense="min")
        >>> assignment.decode(assignment.solve(np.array([[[4.0, 1.0], [2.0, 3.0]]])))
        [[1, 0]]
    """

    output = "binary"
    scale_invariant = True

    def __init__(self, *, n: int, sense: Literal["max", "min"] = "max") -> None:
        self.n, self.sense = n, sense
        self.event_shape = (n, n)

    def solve(self, theta: NDArray[Any]) -> NDArray[Any]:  # type: ignore[override]
        """Return the permutation matrix of the best assignment of each row of the batch, shape ``(N, n, n)``."""
        z = np.zeros_like(theta)
        for state, scores in zip(z, theta, strict=True):
            state[linear_sum_assignment(scores, maximize=self.sense == "max")] = 1
        return z

    def decode(self, z: Any, *, instance: Any = None) -> list[int]:  # type: ignore[override]
        """Return the column of each row.

        Raises:
            InvalidSolutionError: the state is not a permutation matrix.
        """
        require_structure(self, z, "a permutation matrix")
        return np.asarray(z).argmax(1).tolist()

    def encode(self, structure: Sequence[int]) -> NDArray[np.float64]:
        """Return the permutation matrix, shape ``(n, n)``, of the column of each row.

        Raises:
            InvalidSolutionError: the columns are not a permutation.
        """
        columns = list(structure)
        if sorted(columns) != list(range(self.n)):
            raise no_structure(self, f"{columns} is not a permutation of 0 to {self.n - 1}")
        z = np.zeros((self.n, self.n))
        z[range(self.n), columns] = 1
        return z

    def is_feasible(self, z: Any, *, instances: Sequence[Any] | None = None) -> Any:
        """Return for each row of the batch whether it is a permutation matrix."""
        return is_binary(z) & (z.sum(1) == 1).all(1) & (z.sum(2) == 1).all(1)

    def enumerate_support(self, *, instance: Any = None) -> NDArray[np.float64]:
        """Return all permutation matrices, shape ``(n!, n, n)``.

        Raises:
            MissingCapabilityError: there are more than a million, from n = 10 on.
        """
        require_listable(self, math.factorial(self.n), "permutations")
        return permutations(self.n).listed().reshape(-1, self.n, self.n)

    def log_partition(self, theta: torch.Tensor, *, instances: Sequence[Any] | None = None) -> torch.Tensor:
        r"""Return the log-partition function of each row of the batch, shape ``(N,)``, in O(n 2^n).

        .. math:: A(\theta) = \log \operatorname{perm} \exp(s \theta)

        A dynamic programme over the set of columns that the first rows take, whose terms are all positive.

        Raises:
            MissingCapabilityError: n is larger than 12.
        """
        return self._exact("log_partition").log_sum(as_scores(self, theta).flatten(1))

    @torch.no_grad()
    def sample(
        self,
        theta: torch.Tensor,
        samples: int,
        *,
        generator: torch.Generator | None = None,
        instances: Sequence[Any] | None = None,
    ) -> torch.Tensor:
        """Return exact samples, shape ``(S, N, n, n)``: drawn row by row, O(n^2) each after O(n 2^n).

        Raises:
            MissingCapabilityError: n is larger than 12.
        """
        paths, scores = self._exact("sample"), as_scores(self, theta).flatten(1)
        return paths.find(scores, samples, drawing(generator)).view(samples, len(theta), self.n, self.n)

    def _exact(self, method: str) -> Paths:
        if self.n > MAX_EXACT:
            raise MissingCapabilityError(
                f"{self.name} has `{method}` for n up to {MAX_EXACT}, where it takes n 2^n steps; n is {self.n}."
            )
        return permutations(self.n)
