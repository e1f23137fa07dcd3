"""The description of a solver: all that can be said about it without importing it."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from imle_core.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Callable

API_VERSION = 1
"""The version of the plugin interface that this release supports."""

Sense = Literal["max", "min"]
Output = Literal["binary", "integer", "real"]
Devices = Literal["host", "any"]
Negative = Literal["allow", "error", "clip"]

_NAME = re.compile(r"([A-Za-z_]\w*\.)?[A-Za-z_]\w*", re.ASCII)
_TARGET = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_CHOICES = {"devices": Devices, "negative": Negative}
_FLAGS = ("batched", "exact", "deterministic", "releases_gil", "picklable", "time_limit")
_TUPLES = ("aliases", "requires", "conflicts", "references")


@dataclass(frozen=True, kw_only=True)
class SolverSpec:
    """A solver as a plugin describes it.

    A plugin's module holds such descriptions and imports no solver library: what is named by
    ``"module:attribute"`` is imported when the solver is first created.

    Attributes:
        name: The solver's name. A plugin writes it without its namespace, ``"shortest_path"``; the registry
            hands out the description with the qualified name, ``"networkx.shortest_path"``.
        factory: ``"module:attribute"`` of a :class:`~imle_core.Solver` class, or of a function that returns
            a solver; at run time also the class or function itself. It takes keyword parameters.
        summary: One line: which problem it solves, and how.
        parameters: Frozen dataclass whose fields are the factory's keyword parameters, see
            :func:`~imle_core.parameter`. ``None``: the factory's own signature is used.
        aliases: Other names, without the namespace.
        requires: Libraries that must be installed, as in ``"networkx>=3.4"`` (PEP 508). They are checked
            before anything is imported.
        extra: The extra of imle-core that installs them, if there is one.
        sense: ``"max"`` for scores, ``"min"`` for costs, ``None`` if the problem decides.
        output: What the entries of a structure are, ``None`` if the problem decides.
        batched: Whether a batch is solved at once, not row by row.
        devices: ``"any"`` if it solves where theta is, ``"host"`` if on the CPU alone.
        negative: What happens to costs below zero, see :class:`~imle_core.Solver`.
        exact: Whether the structure returned is optimal.
        deterministic: Whether equal input gives equal structures.
        releases_gil: Whether threads solve in parallel.
        picklable: Whether it can be sent to another process.
        time_limit: Whether it has a parameter ``time_limit``, in seconds a row.
        conflicts: Libraries that cannot be in one process with this solver's, as in ``"highspy>=1.15"``.
        references: Where the method is described: author, year, title.
        examples: ``"module:attribute"`` of a function, or the function, that returns small instances to test, a list
            of :class:`imle_core.testing.Example`.
        api_version: The version of the plugin interface that this description was written for.

    Example:
        >>> SolverSpec(name="top_k", factory="my_plugin.top_k:TopK", summary="The k best of n.").name
        'top_k'
    """

    name: str
    factory: str | Callable[..., Any]
    summary: str
    parameters: type[Any] | None = None
    aliases: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    extra: str | None = None
    sense: Sense | None = None
    output: Output | None = "real"
    batched: bool = False
    devices: Devices = "host"
    negative: Negative = "allow"
    exact: bool = True
    deterministic: bool = True
    releases_gil: bool = False
    picklable: bool = True
    time_limit: bool = False
    conflicts: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    examples: str | Callable[..., Any] | None = None
    api_version: int = API_VERSION

    def __post_init__(self) -> None:
        """Validate every field.

        Raises:
            RegistrationError: A field is not valid; the message names the solver, the field and the value.
        """
        self._validate_names()
        for field in ("factory", "examples"):
            self._validate_target(field)
        for field, choices in _CHOICES.items():
            valid = get_args(choices)
            self._require(getattr(self, field) in valid, field, f"one of {', '.join(map(repr, valid))}")
        self._require(
            self.output is None or self.output in get_args(Output),
            "output",
            "'binary', 'integer', 'real' or None (the problem decides)",
        )
        self._require(
            self.sense in (None, "max", "min"), "sense", "'max', 'min' or None (the problem decides)"
        )
        for field in _FLAGS:
            self._require(isinstance(getattr(self, field), bool), field, "True or False")
        self._require(self.extra is None or isinstance(self.extra, str), "extra", "a string or None")
        self._require(type(self.api_version) is int, "api_version", "an integer")
        schema = self.parameters
        frozen = isinstance(schema, type) and dataclasses.is_dataclass(schema)
        frozen = frozen and getattr(schema, "__dataclass_params__").frozen  # noqa: B009 - unknown to type stubs
        self._require(schema is None or frozen, "parameters", "a frozen dataclass (the class) or None")

    @property
    def namespace(self) -> str:
        """The namespace of a qualified name; empty in what a plugin writes."""
        return self.name.rpartition(".")[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The name and the aliases, all without the namespace."""
        return (self.name.rpartition(".")[2], *self.aliases)

    def _validate_names(self) -> None:
        name_ok = isinstance(self.name, str) and _NAME.fullmatch(self.name)
        self._require(bool(name_ok), "name", "a Python identifier, such as 'shortest_path'")
        summary_ok = isinstance(self.summary, str) and self.summary.strip() and "\n" not in self.summary
        self._require(bool(summary_ok), "summary", "one line of text")
        for field in _TUPLES:
            value = getattr(self, field)
            ok = isinstance(value, tuple) and all(isinstance(item, str) for item in value)
            self._require(ok, field, "a tuple of strings, such as ('one',)")
        for alias in self.aliases:
            self._require(alias.isidentifier(), "aliases", "Python identifiers, without the namespace")
        if self.requires or self.conflicts:
            from packaging.requirements import InvalidRequirement, Requirement

            for text in (*self.requires, *self.conflicts):
                try:
                    Requirement(text)
                except InvalidRequirement as error:
                    reason = str(error).partition("\n")[0]
                    raise RegistrationError(
                        f"SolverSpec {self.name!r}: {text!r} is no requirement, such as 'networkx>=3.4': {reason}."
                    ) from error

    def _validate_target(self, field: str) -> None:
        value = getattr(self, field)
        ok = _TARGET.fullmatch(value) if isinstance(value, str) else callable(value)
        optional = field == "examples" and value is None
        self._require(bool(ok) or optional, field, "'module:attribute' or a callable")

    def _require(self, ok: bool, field: str, wanted: str) -> None:
        if not ok:
            got = getattr(self, field)
            raise RegistrationError(f"SolverSpec {self.name!r}: {field} must be {wanted}; got {got!r}.")
