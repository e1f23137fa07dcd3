"""Noise distributions: one a file, each the inverse CDF of one uniform number.

All are in standard form; the temperature ``tau`` of an estimator multiplies them.
"""

from ._base import Noise as Noise
from ._gumbel import Gumbel as Gumbel
from ._logistic import Logistic as Logistic
from ._normal import Normal as Normal
from ._sum_of_gamma import SumOfGamma as SumOfGamma
from ._uniform import Draws as Draws

__all__ = ["Draws", "Gumbel", "Logistic", "Noise", "Normal", "SumOfGamma"]
