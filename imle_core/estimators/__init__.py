"""Gradient estimators: one a file. An estimator is a frozen value; names resolve to them."""

from ._aimle import AIMLE as AIMLE
from ._base import Backward as Backward
from ._base import Estimator as Estimator
from ._base import resolve as resolve
from ._blackbox import BlackBox as BlackBox
from ._imle import IMLE as IMLE

__all__ = ["AIMLE", "IMLE", "Backward", "BlackBox", "Estimator", "resolve"]
