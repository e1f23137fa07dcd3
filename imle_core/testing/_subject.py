"""What is tested: a solver by its description, or a solver that somebody made."""

from __future__ import annotations

import functools
import inspect
import pkgutil
from typing import TYPE_CHECKING, Any

from imle_core._solver import Solver
from imle_core.errors import RegistrationError, SolverNotFoundError, closest
from imle_core.registry import create, default_registry, import_factory, parameters_of
from imle_core.registry._requirements import check_requirements

from ._case import Case
from ._example import Example

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_core.registry import Plugin, SolverSpec


class Subject:
    """A solver to test, with its examples.

    Args:
        name: The solver's name.
        spec: Its description; None for an object that has none.
        solver: The object, where there is no description.
        examples: Examples in place of those that the description names.
    """

    def __init__(
        self,
        name: str,
        spec: SolverSpec | None = None,
        solver: Solver | None = None,
        examples: Sequence[Example] | None = None,
    ) -> None:
        self.name, self.spec, self._solver, self._examples = name, spec, solver, examples
        self.fault: Exception | None = None

    def build(self, parameters: dict[str, Any]) -> Solver:
        """Return a new solver; for an object, a clone of it."""
        if self.spec is not None:
            return create(self.spec, parameters)
        assert self._solver is not None
        try:
            return self._solver.clone()
        except Exception:  # which is what check_copies is there to say
            return self._solver

    @functools.cached_property
    def cases(self) -> list[Case]:
        """One case for each example; none if the examples cannot be had, for the reason in ``fault``."""
        try:
            examples = self._read_examples()
        except Exception as error:
            self.fault = error
            return []
        titles = [example.title for example in examples]
        return [
            Case(
                self,
                example,
                title if titles.count(title) == 1 and title else f"{title}#{number}".lstrip("#"),
            )
            for number, (example, title) in enumerate(zip(examples, titles, strict=True), 1)
        ]

    @functools.cached_property
    def plugin(self) -> Plugin | None:
        """The plugin that the description comes from; None if it was registered at run time."""
        found = default_registry().plugins()
        return next((p for p in found if self.spec in p.specs), None)

    @functools.cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """The parameters of the solver, by its schema or its factory's signature; none without a description."""
        if self.spec is None:
            return ()
        return tuple(p.name for p in parameters_of(self.spec.parameters or import_factory(self.spec)))

    def trait(self, name: str) -> Any:
        """Return what the description declares; its default for an object without a description."""
        from imle_core.registry import SolverSpec

        return getattr(SolverSpec if self.spec is None else self.spec, name)

    def _read_examples(self) -> list[Example]:
        if self._examples is not None:
            return list(self._examples)
        if self.spec is None:
            return [Example()]
        named = self.spec.examples
        if named is None:
            schema = self.spec.parameters or import_factory(self.spec)
            if any(p.required for p in parameters_of(schema)):
                raise LookupError("its description names no `examples`, and it has required parameters")
            return [Example()]
        examples = (pkgutil.resolve_name(named) if isinstance(named, str) else named)()
        if not isinstance(examples, (list, tuple)) or not all(isinstance(e, Example) for e in examples):
            raise TypeError(f"{named} returned {examples!r}, not a list of imle_core.testing.Example")
        if not examples:
            raise LookupError(f"{named} returned no example")
        return list(examples)


def subjects_of(what: Any, examples: Sequence[Example] | Example | None = None) -> list[Subject]:
    """Return the subjects that a user names.

    Args:
        what: The name of a solver, the namespace of a plugin as ``"torch.*"``, a solver, a class of solvers that needs
            no parameters, or a list of these.
        examples: Examples in place of declared ones, or a single one.

    Raises:
        SolverNotFoundError: no solver, or no plugin with solvers, goes by this name; or the list is empty.
        RegistrationError: examples are none, or no examples.
        MissingDependencyError: a library of a solver is not installed.
        TypeError: ``what`` is none of these.
    """
    examples = _require_examples(examples)
    if isinstance(what, (list, tuple)):
        if not what:
            raise SolverNotFoundError("nothing to check: the list of solvers is empty.")
        return [subject for each in what for subject in subjects_of(each, examples)]
    if isinstance(what, type) and issubclass(what, Solver):
        what = _made(what)
    if isinstance(what, Solver):
        return [Subject(what.name, solver=what, examples=examples)]
    if not isinstance(what, str):
        raise TypeError(
            "what is tested is the name of a solver, a plugin's namespace as 'torch.*', a Solver, or a list of these; "
            f"got {what!r}. A layer's solver is its attribute `solver`."
        )
    specs = _namespace(what.removesuffix(".*")) if what.endswith(".*") else [default_registry().find(what)]
    for spec in specs:
        check_requirements(spec)
    return [Subject(spec.name, spec, examples=examples) for spec in specs]


def _require_examples(examples: Any) -> list[Example] | None:
    if examples is None:
        return None
    found = [examples] if isinstance(examples, Example) else examples
    if not isinstance(found, (list, tuple)) or not found or not all(isinstance(e, Example) for e in found):
        raise RegistrationError(
            f"examples must be a list of one or more imle_core.testing.Example; got {examples!r}. Leave it out for "
            "those that the solver declares."
        )
    return list(found)


def _made(cls: type[Solver]) -> Solver:
    """Return a solver of a class that needs no parameters."""
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(cls.__abstractmethods__))
        raise TypeError(f"{cls.__name__} is a class without {missing}: nothing can be made of it.")
    parameters = inspect.signature(cls).parameters.values()
    required = [
        p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    if required:
        given = ", ".join(f"{name}=..." for name in required)
        raise TypeError(
            f"{cls.__name__} is a class with parameters: check a solver, {cls.__name__}({given})."
        )
    return cls()


def _namespace(name: str) -> list[SolverSpec]:
    registry = default_registry()
    specs = registry.specs()
    found = [spec for spec in specs if spec.namespace == name]
    if not found:
        known = sorted({spec.namespace for spec in specs})
        failed = [p for p in registry.plugins(load=True) if p.name == name and p.error is not None]
        cause = f" It failed to load: {failed[0].cause}." if failed else ""
        raise SolverNotFoundError(
            f"no plugin named {name!r} offers a solver.{cause}{closest(name, known)} "
            f"There are: {', '.join(known) or 'none'}."
        )
    return found
