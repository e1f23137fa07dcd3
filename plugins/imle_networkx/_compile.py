"""The one way in which this plugin compiles a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

_F = TypeVar("_F", bound="Callable[..., Any]")


def compiled(function: _F) -> _F:
    """Compile a function with numba at its first call, for the dtype that it is called with.

    It releases the GIL, and the machine code is cached on disk. Numba notices a change of the file that a
    function stands in, but not of the functions that it calls: after a change of ``_trace.py`` or ``_pull.py``
    remove ``__pycache__``. ``fastmath`` stays off: unreached nodes have distance infinity.
    """
    return cast("_F", numba.njit(nogil=True, cache=True)(function))
