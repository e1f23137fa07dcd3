"""A small instance of a solver, as its author declares it for the conformance kit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imle_core.errors import RegistrationError

if TYPE_CHECKING:
    from collections.abc import Sequence


TRAITS = frozenset({"batched", "exact", "deterministic", "picklable", "time_limit"})
"""What an example may say differently from the description of its solver."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A small solver to test: the parameters to build it with, and what is known about its set.

    Args:
        parameters: Keyword parameters of the solver.
        event_shape: Shape of one structure, where the solver takes any; by default a few entries.
        instances: Instances of rows, for a solver whose rows may differ; two or more show that rows do not mix.
        support: All structures of its set, shape ``(K, *event)``, or a function of the instance that returns them.
            Where there is neither this nor ``enumerate_support``, small binary sets are found by ``is_feasible``.
        label: What the reports call it; by default its parameters.
        traits: Traits of the solver's description that are different with these parameters, such as
            ``{"batched": False}`` where they choose another method.
        expected_failures: Checks that are known to fail, each with the reason; one that passes is a failure.

    Raises:
        RegistrationError: a field is not valid.

    Example:
        >>> Example(parameters={"k": 2}, event_shape=(5,)).title
        'k=2'
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    event_shape: tuple[int, ...] | None = None
    instances: Sequence[Any] = ()
    support: Any = None
    label: str = ""
    traits: Mapping[str, bool] = field(default_factory=dict)
    expected_failures: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = self.event_shape
        _require(isinstance(self.parameters, Mapping), "parameters", "a mapping by name", self.parameters)
        sized = shape is None or (isinstance(shape, tuple) and all(type(n) is int and n > 0 for n in shape))
        _require(sized, "event_shape", "a tuple of positive integers, or None", shape)
        known = isinstance(self.traits, Mapping) and set(self.traits) <= TRAITS
        _require(known, "traits", f"a mapping from {', '.join(sorted(TRAITS))} to True or False", self.traits)
        require_reasons("Example", self.expected_failures)

    @property
    def title(self) -> str:
        """The label, or the parameters that can be written in a few characters."""
        return self.label or ",".join(f"{key}={_short(value)}" for key, value in self.parameters.items())


def require_reasons(owner: str, expected: object) -> None:
    """Raise RegistrationError unless expected failures are a mapping from checks to reasons."""
    ok = isinstance(expected, Mapping) and all(
        isinstance(reason, str) and reason.strip() for reason in expected.values()
    )
    if not ok:
        raise RegistrationError(
            f"{owner}: expected_failures must be a mapping from the name of a check to the reason why it fails, such "
            f"as {{'check_ties': 'ties are broken at random'}}; got {expected!r}."
        )


def _require(ok: bool, name: str, wanted: str, got: object) -> None:
    if not ok:
        raise RegistrationError(f"Example: {name} must be {wanted}; got {got!r}.")


def _short(value: object) -> str:
    if isinstance(value, str):
        return value if len(value) <= 12 else value[:11] + "~"
    text = repr(value).replace(" ", "")
    return text if len(text) <= 12 else type(value).__name__
