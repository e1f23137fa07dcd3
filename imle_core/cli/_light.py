"""Commands that start without pydantic, and say of their words and options what a user wants to know."""

from __future__ import annotations

from typing import Any, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

from ._files import CommandLineError

_UsageError: type[Any] = typer.BadParameter.__mro__[1]  # wherever this version of typer has it from


class _AsItIs:
    """What typer asks to convert a value; words and flags need no conversion."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        return value


class _Light:
    """Spare words and flags typer's conversion: it imports pydantic, which takes longer than all else that starts.

    The attributes are typer's own business. Where a version of it does not have them, nothing happens, and the command
    starts as slowly, and explains its options as wordily, as it would.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
            if annotation in (str, bool) and param.nargs == 1 and not param.multiple:
                param._runtime_param = _AsItIs()
            if annotation is bool or param.param_type_name == "argument" or get_origin(annotation) is list:
                # That a flag is a <bool> and names are a <list[str]> is no help to who types them.
                param.display_type_rich = lambda ctx, param=param: param.metavar or _placeholder(param)
        return params

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _OneLine():
            return super().make_context(*args, **kwargs)  # type: ignore[misc]

    def invoke(self, ctx: Any) -> Any:
        with _OneLine():
            return super().invoke(ctx)  # type: ignore[misc]


class _OneLine:
    """Make a mistake in what was typed an error of this library, which is one line on stderr."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        # Called without any word, a group of commands shows its help, which typer also makes an error.
        if isinstance(error, _UsageError) and not type(error).__name__.startswith("NoArgs"):
            context = getattr(error, "ctx", None)
            command = context.command_path if context is not None else "imle"
            message = " ".join(error.format_message().split()).replace("?.", "?").rstrip(".")
            stop = "" if message.endswith("?") else "."
            raise CommandLineError(f"{message}{stop} `{command} --help` explains what it takes.") from None


def _placeholder(param: Any) -> str | None:
    """Return what stands for the value of an option that takes one."""
    takes_one = param.param_type_name == "option" and not param.is_flag
    return "NAME" if takes_one else None


class LightCommand(_Light, TyperCommand):
    """A command."""


class LightGroup(_Light, TyperGroup):
    """A group of commands."""
