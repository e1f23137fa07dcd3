"""The checks as parameters of a pytest test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._catalogue import LEVELS
from ._outcome import CheckSkipped
from ._run import SolverCheck, solver_checks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ._example import Example


def parametrize_with_checks(
    what: Any,
    *,
    expected_failures: Mapping[str, str] | None = None,
    checks: Iterable[str] | None = None,
    levels: Iterable[str] | None = None,
    examples: Sequence[Example] | Example | None = None,
) -> Any:
    """Return a decorator that runs a pytest test once for each check, as its argument ``check``.

    A check that does not apply is skipped with its reason; one that is expected to fail is a strict xfail.

    Args:
        what: As in :func:`solver_checks`.
        expected_failures: As in :func:`solver_checks`.
        checks: As in :func:`solver_checks`.
        levels: As in :func:`solver_checks`; by default all but ``"speed"``, which a busy machine would fail.
        examples: As in :func:`solver_checks`.

    Example:
        >>> @parametrize_with_checks("torch.*")
        ... def test_conformance(check):
        ...     check()
    """
    import pytest

    selected = solver_checks(
        what,
        expected_failures=expected_failures,
        checks=checks,
        levels=[level for level in LEVELS if level != "speed"] if levels is None else levels,
        examples=examples,
    )
    parameters = [
        pytest.param(
            _Skipping(each),
            id=each.id,
            marks=pytest.mark.xfail(reason=each.reason, strict=True) if each.reason else (),
        )
        for each in selected
    ]
    return pytest.mark.parametrize("check", parameters)


@dataclass(frozen=True)
class _Skipping:
    """A check that skips as pytest skips."""

    check: SolverCheck

    def __call__(self) -> None:
        import pytest

        __tracebackhide__ = True
        try:
            self.check()
        except CheckSkipped as skipped:
            pytest.skip(str(skipped))
