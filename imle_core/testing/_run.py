"""From what a user names to checks that can be called, and to a report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._catalogue import Check, require_checks, select_checks
from ._example import Example, require_reasons
from ._isolation import quiet, without_warnings
from ._outcome import CheckSkipped, ConformanceError
from ._problem import NO_ANSWER
from ._report import CheckResult, ConformanceReport, Outcome
from ._settings import preserved
from ._subject import Subject, subjects_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ._case import Case


@dataclass(frozen=True)
class SolverCheck:
    """One check of one example of a solver. Calling it runs it.

    Attributes:
        check: The check.
        subject: The solver.
        case: The example; None for a check of the description alone.
        reason: Why it is expected to fail; empty if it is not.
    """

    check: Check
    subject: Subject
    case: Case | None
    reason: str = ""

    @property
    def id(self) -> str:
        """Solver, example and check in one word: ``torch.k_subset-k=2-check_monotonicity``."""
        label = "" if self.case is None else self.case.label
        return "-".join(filter(None, (self.subject.name, label, self.check.name)))

    def __repr__(self) -> str:
        """Return its id."""
        return self.id

    def __call__(self) -> None:
        """Run the check.

        Raises:
            ConformanceError: the solver fails it.
            CheckSkipped: it does not apply; the message is the reason.
        """
        __tracebackhide__ = True  # pytest: the message says it all
        case = self.case
        if case is None and not self.check.once:
            raise CheckSkipped(f"the solver has no examples, see check_examples: {self.subject.fault}")
        if case is not None and "fault" in case.known:
            raise CheckSkipped(case.known["fault"])
        try:
            self._run()
        except (ConformanceError, CheckSkipped):
            raise
        except NO_ANSWER as error:
            raise CheckSkipped(
                f"there is no answer to some theta of this check: {type(error).__name__}: {error}"
            ) from error
        except Exception as error:
            cause = f"{type(error).__name__}: {error}"
            raise ConformanceError(
                f"asked: {self.check.summary}\nfound: {cause}\nusually: the exception comes from the solver; "
                "it is the cause of this one"
            ) from error

    def _run(self) -> None:
        """Run the check; once more, with theta that have answers alone, where some turn out to have none."""
        with without_warnings(), preserved():
            if self.case is None:
                self.check.function(self.subject)
                return
            try:
                self.check.function(self.case.renewed())
            except NO_ANSWER:
                if "partial" in self.case.known:
                    raise
                self.case.known["partial"] = True
                self.check.function(self.case.renewed())

    def result(self) -> CheckResult:
        """Run the check, quietly, and return what became of it."""
        outcome: Outcome = "passed"
        message = ""
        start = time.perf_counter()
        try:
            with quiet():
                self()
        except CheckSkipped as skipped:
            outcome, message = "skipped", str(skipped)
        except ConformanceError as error:
            outcome, message = ("expected", self.reason) if self.reason else ("failed", str(error))
        else:
            if self.reason:
                outcome, message = (
                    "failed",
                    f"it passes, but is expected to fail ({self.reason}): remove that",
                )
        label = self.case.label if self.case is not None else ""
        took = time.perf_counter() - start
        return CheckResult(
            self.subject.name, label, self.check.name, self.check.level, outcome, message, took
        )


def solver_checks(
    what: Any,
    *,
    expected_failures: Mapping[str, str] | None = None,
    checks: Iterable[str] | None = None,
    levels: Iterable[str] | None = None,
    examples: Sequence[Example] | Example | None = None,
) -> list[SolverCheck]:
    """Return the checks of solvers, each to be called; nothing is run, and no solver is built yet.

    Args:
        what: The name of a solver, a plugin's namespace as ``"torch.*"``, a :class:`~imle_core.Solver`, a class of
            them that needs no parameters, or a list of these.
        expected_failures: Checks that are known to fail, for every example, each with the reason.
        checks: Names of the checks to run; by default all.
        levels: Levels of the checks to run; by default all.
        examples: Examples in place of those that the solvers declare; one alone may be given as it is.

    Raises:
        SolverNotFoundError: nothing goes by this name, or the list is empty.
        RegistrationError: ``examples`` are none, or no examples.
        UnknownNameError: there is no such check or level; the message has the closest match.

    Example:
        >>> [each.id for each in solver_checks("torch.k_subset", checks=["check_docstring"])]
        ['torch.k_subset-check_docstring']
    """
    chosen = select_checks(checks, levels)
    common = expected_failures or {}
    require_reasons("expected_failures", common)
    require_checks("expected_failures", common)
    found = []
    for subject in subjects_of(what, examples):
        for known in subject.cases:
            owner = f"{subject.name}, example {known.label!r}: expected_failures"
            require_checks(owner, known.example.expected_failures)
        for check in chosen:
            # without an example, a check is still listed, to say so
            cases: list[Case | None] = [None] if check.once or not subject.cases else [*subject.cases]
            for case in cases:
                reasons = dict(common) if case is None else {**common, **case.example.expected_failures}
                found.append(SolverCheck(check, subject, case, reasons.get(check.name, "")))
    return found


def check_solver(
    what: Any,
    *,
    expected_failures: Mapping[str, str] | None = None,
    checks: Iterable[str] | None = None,
    levels: Iterable[str] | None = None,
    examples: Sequence[Example] | Example | None = None,
    event_shape: tuple[int, ...] | None = None,
    instances: Sequence[Any] = (),
    raises: bool = True,
) -> ConformanceReport:
    """Check that a solver does what its contract says.

    Args:
        what: As in :func:`solver_checks`.
        expected_failures: As in :func:`solver_checks`.
        checks: As in :func:`solver_checks`.
        levels: As in :func:`solver_checks`.
        examples: As in :func:`solver_checks`.
        event_shape: Shape of the structures to test a solver object with, where it takes any.
        instances: Instances to test a solver object with, where its rows may differ.
        raises: Whether failures raise.

    Returns:
        What became of each check; at the end of a notebook's cell it shows itself.

    Raises:
        ConformanceError: checks failed, and the message lists every one; or nothing was checked, and it says why. Not
            with ``raises=False``.
        SolverNotFoundError, RegistrationError, UnknownNameError: as in :func:`solver_checks`.

    Example:
        >>> import numpy as np, imle_core as imle
        >>> class Worst(imle.Solver):
        ...     sense = "max"
        ...     def solve(self, theta):
        ...         return np.eye(theta.shape[1])[theta.argmin(axis=1)]
        >>> report = check_solver(Worst(), raises=False)
        >>> report.passed, report.failures[0].check
        (False, 'check_monotonicity')
    """
    if examples is None and (event_shape is not None or instances):
        examples = [Example(event_shape=event_shape, instances=instances)]
    selected = solver_checks(
        what, expected_failures=expected_failures, checks=checks, levels=levels, examples=examples
    )
    report = ConformanceReport(tuple(each.result() for each in selected))
    if raises and not report.passed:
        raise ConformanceError(f"{report.verdict}\n{report!r}")
    return report
