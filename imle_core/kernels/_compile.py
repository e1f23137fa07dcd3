"""The one way in which plugins compile a function."""

from __future__ import annotations

import ast
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

    It releases the GIL, and the machine code is cached on disk, for as long as neither the module of the function
    changes nor any module of its package that it imports: numba by itself notices a change of the file that a
    function stands in, but not of the functions that it calls. Where there is no folder to write to, or numba keeps
    its cache in another way than this function knows, every process compiles anew. ``fastmath`` stays off: unreached
    nodes have distance infinity.
    """
    try:
        dispatcher: Any = numba.njit(nogil=True, cache=True)(function)
        index = (
            dispatcher._cache._cache_file
        )  # written with its stamp, and read only where the stamp is the same
        index._source_stamp = index._source_stamp, _sources(function.__module__)
    except (RuntimeError, AttributeError, OSError):  # no folder, another numba, no sources
        dispatcher = numba.njit(nogil=True)(function)
    return cast("_F", dispatcher)


@functools.cache
def _sources(module: str) -> str:
    """Return a hash over a module and all of its package that it imports, directly or not."""
    package = module.rpartition(".")[0]
    digest, seen, waiting = hashlib.sha256(), set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name in seen or not name.startswith(f"{package}."):
            continue
        seen.add(name)
        source = (resources.files(package) / f"{name.rpartition('.')[2]}.py").read_bytes()
        digest.update(name.encode() + b"\0" + hashlib.sha256(source).digest())
        imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
        waiting += sorted({node.module or "" for node in imports}, reverse=True)
    return digest.hexdigest()
