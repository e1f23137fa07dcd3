"""The one way in which this plugin compiles a function."""

from __future__ import annotations

import functools
import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba

if TYPE_CHECKING:
    from collections.abc import Callable

_F = TypeVar("_F", bound="Callable[..., Any]")


def compiled(function: _F) -> _F:
    """Compile a function with numba at its first call, for the dtype that it is called with.

    It releases the GIL, and the machine code is cached on disk, for as long as no private module of this plugin
    changes: numba by itself notices a change of the file that a function stands in, but not of the functions
    that it calls. Where there is no folder to write to, or numba keeps its cache in another way than this
    function knows, every process compiles anew. ``fastmath`` stays off: unreached nodes have distance infinity.
    """
    try:
        dispatcher: Any = numba.njit(nogil=True, cache=True)(function)
        index = (
            dispatcher._cache._cache_file
        )  # written with its stamp, and read only where the stamp is the same
        index._source_stamp = index._source_stamp, _sources()
    except (RuntimeError, AttributeError, OSError):  # no folder, another numba, no sources
        dispatcher = numba.njit(nogil=True)(function)
    return cast("_F", dispatcher)


@functools.cache
def _sources() -> str:
    """Return a hash over the private modules of this plugin, which hold all that is compiled."""
    digest = hashlib.sha256()
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.startswith("_") and file.name.endswith(".py"):
            digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
