"""Whether two values are the same, whatever they are made of."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np
import torch


def same(a: Any, b: Any) -> bool:
    """Return whether two values are equal all the way down: arrays, tensors, containers and plain objects."""
    if a is b:
        return True
    if isinstance(a, (np.ndarray, torch.Tensor)) or isinstance(b, (np.ndarray, torch.Tensor)):
        return type(a) is type(b) and bool(np.array_equal(np.asarray(a), np.asarray(b)))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, Sequence) and isinstance(b, Sequence) and not isinstance(a, (str, bytes)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, Set) or inspect.getattr_static(type(a), "__eq__") is not object.__eq__:
        return bool(a == b)
    return type(a) is type(b) and hasattr(a, "__dict__") and same(vars(a), vars(b))
