"""Commands that start without pydantic."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup


class _AsItIs:
    """What typer asks to convert a value; words and flags need no conversion."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        return value


class _Light:
    """Spare words and flags typer's conversion: it imports pydantic, which takes longer than all else that starts.

    The attribute is typer's own business. Where a version of it does not have it, nothing happens, and the command
    starts as slowly as it would.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
            if annotation in (str, bool) and param.nargs == 1 and not param.multiple:
                param._runtime_param = _AsItIs()
        return params


class LightCommand(_Light, TyperCommand):
    """A command."""


class LightGroup(_Light, TyperGroup):
    """A group of commands."""
