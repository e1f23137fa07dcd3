"""The parameters of a solver: their declaration, and the schema read from a dataclass or a signature."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from dataclasses import MISSING, dataclass
from typing import TYPE_CHECKING, Any

from imle_core.errors import RegistrationError

from ._types import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KEY = "imle_parameter"
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}


def parameter(
    default: Any = MISSING,
    *,
    help: str,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> Any:
    """Declare one parameter of a solver: a dataclass field with a description and a range.

    Args:
        default: The value if the user gives none; without it the parameter is required.
        help: One sentence for the user; ``imle show`` prints it.
        ge: The smallest value allowed; applies to numbers only, so not to a ``None``.
        gt: A bound that the value must exceed.
        le: The largest value allowed.
        lt: A bound that the value must stay below.

    Example:
        >>> @dataclass(frozen=True, kw_only=True)
        ... class TopK:
        ...     k: int = parameter(help="How many entries to choose.", ge=1)
        >>> parameters_of(TopK)[0].range
        '>= 1'
    """
    bounds = {key: bound for key, bound in zip(_BOUNDS, (ge, gt, le, lt), strict=True) if bound is not None}
    return dataclasses.field(default=default, metadata={_KEY: (help, bounds)})


@dataclass(frozen=True)
class Parameter:
    """One parameter of a solver, as its schema declares it.

    Attributes:
        name: The keyword.
        annotation: Its type, or the text of it.
        default: The value if none is given; meaningless if ``required``.
        required: Whether the user must give it.
        help: One sentence for the user.
        bounds: Any of ``ge``, ``gt``, ``le``, ``lt`` with its number.
        names: The globals in which the text of the annotation is resolved.
    """

    name: str
    annotation: Any
    default: Any
    required: bool
    help: str = ""
    bounds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    names: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def type(self) -> str:
        """The type as text, without importing what it names."""
        text = inspect.formatannotation(self.annotation).strip("'\"")
        for prefix in ("collections.abc.", "typing."):
            text = text.replace(prefix, "")
        return text

    @property
    def range(self) -> str:
        """The range as text, such as ``">= 1, < 10"``; empty if there is none."""
        return ", ".join(f"{_BOUNDS[key]} {bound:g}" for key, bound in self.bounds.items())


def parameters_of(schema: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Return the parameters that a dataclass declares in its fields, or a factory in its signature.

    Raises:
        RegistrationError: a factory takes positional-only parameters, ``*args`` or ``**kwargs``.
    """
    if isinstance(schema, type) and dataclasses.is_dataclass(schema):
        names = vars(sys.modules[schema.__module__]) if schema.__module__ in sys.modules else {}
        return tuple(_from_field(field, names) for field in dataclasses.fields(schema) if field.init)
    return tuple(_from_signature(p, schema) for p in inspect.signature(schema).parameters.values())


def _from_field(field: dataclasses.Field[Any], names: dict[str, Any]) -> Parameter:
    help, bounds = field.metadata.get(_KEY, ("", {}))
    default = field.default if field.default_factory is MISSING else field.default_factory()
    required = default is MISSING
    return Parameter(field.name, field.type, default, required, help, bounds, names)


def _from_signature(signature: inspect.Parameter, factory: Callable[..., Any]) -> Parameter:
    name = getattr(factory, "__qualname__", repr(factory))
    if signature.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
        raise RegistrationError(
            f"{name}: parameter {signature.name!r} is {signature.kind.description}; the factory of a solver "
            "takes named keyword parameters only, so that they can be listed and checked."
        )
    annotation = Any if signature.annotation is inspect.Parameter.empty else signature.annotation
    call = getattr(factory, "__init__") if isinstance(factory, type) else factory  # noqa: B009 - for mypy
    names = getattr(inspect.unwrap(call), "__globals__", {})
    try:
        resolve(annotation, names)
    except (NameError, ImportError, AttributeError):  # a name imported for type checkers only: left unchecked
        annotation = Any
    required = signature.default is inspect.Parameter.empty
    return Parameter(signature.name, annotation, signature.default, required, names=names)
