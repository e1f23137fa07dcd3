"""Where in a plugin an error arose, and what its author has to know about it."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imle_core.errors import PluginLoadError, closest

from ._spec import SolverSpec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, TracebackType

_UNKNOWN_FIELD = re.compile(r"SolverSpec\.__init__\(\) got an unexpected keyword argument '(\w+)'")


def explained(error: BaseException) -> BaseException:
    """Return an error as a plugin's author can use it: Python's own word on a misspelt field says too little."""
    found = _UNKNOWN_FIELD.search(str(error)) if isinstance(error, TypeError) else None
    if found is None:
        return error
    names = [field.name for field in fields(SolverSpec)]
    hint = closest(found[1], names) or f" Fields: {', '.join(names)}"
    told = PluginLoadError(f"SolverSpec has no field {found[1]!r}.{hint}")
    return told.with_traceback(error.__traceback__)


def place(error: BaseException, target: str, hook: Any = None) -> str:
    """Return the line of a plugin that an error arose in, as in ``"my_plugin/plugin.py:12"``; empty if none did.

    Args:
        error: What was raised.
        target: What the entry point of the plugin names; its package is the plugin's own code.
        hook: The function whose result is to blame where no line is.
    """
    package = target.partition(":")[0].partition(".")[0]
    for each in chain(error):
        where = [
            _written(name, code, line)
            for name, code, line in _frames(each.__traceback__)
            if name.partition(".")[0] == package
        ]
        if where:
            return where[-1]
    code = getattr(hook, "__code__", None)
    return _written(hook.__module__, code, code.co_firstlineno) if code is not None else ""


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, the first cause last."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in seen:
        seen.append(current)
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _frames(traceback: TracebackType | None) -> Iterator[tuple[str, CodeType, int]]:
    while traceback is not None:
        frame = traceback.tb_frame
        yield frame.f_globals.get("__name__", ""), frame.f_code, traceback.tb_lineno
        traceback = traceback.tb_next


def _written(module: str, code: CodeType, line: int) -> str:
    """Return file and line, the file from the package on."""
    path = Path(code.co_filename)
    depth = module.count(".") + 1 + (path.name == "__init__.py")
    return f"{'/'.join(path.parts[-depth:])}:{line}"
