"""From the name of an estimator to the estimator."""

from __future__ import annotations

import importlib
from typing import cast

from imle_core.errors import UnknownNameError, closest

from ._base import Estimator
from ._catalogue import CATALOGUE


def resolve(estimator: str | Estimator) -> Estimator:
    """Return the estimator that a name stands for, with its defaults; an estimator is returned as it is.

    Raises:
        UnknownNameError: there is no such estimator.
        TypeError: it is neither a name nor an estimator.
    """
    if isinstance(estimator, Estimator):
        return estimator
    if not isinstance(estimator, str):
        names = ", ".join(map(repr, CATALOGUE))
        raise TypeError(f"estimator must be an imle_core.Estimator or one of {names}; got {estimator!r}.")
    if estimator not in CATALOGUE:
        raise UnknownNameError(
            f"no estimator named {estimator!r}.{closest(estimator, CATALOGUE)} There are: {', '.join(CATALOGUE)}."
        )
    make = getattr(importlib.import_module("imle_core.estimators"), CATALOGUE[estimator].target)
    return cast("Estimator", make())
