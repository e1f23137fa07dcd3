"""What became of the checks of one or more solvers."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["passed", "failed", "skipped", "expected"]

_WORDS: dict[Outcome, str] = {
    "passed": "passed",
    "failed": "failed",
    "skipped": "skipped",
    "expected": "failed as expected",
}


@dataclass(frozen=True)
class CheckResult:
    """What became of one check of one example.

    Attributes:
        solver: The solver's name.
        example: The label of the example; empty for a check of the description alone.
        check: The name of the check.
        level: Its level.
        outcome: ``"passed"``, ``"failed"``, ``"skipped"``, or ``"expected"``: a failure that was announced.
        message: What was asked, found, and is usually wrong; or the reason for skipping or expecting.
        seconds: How long it took.
    """

    solver: str
    example: str
    check: str
    level: str
    outcome: Outcome
    message: str
    seconds: float

    @property
    def id(self) -> str:
        """Solver, example and check in one word."""
        return "-".join(filter(None, (self.solver, self.example, self.check)))


@dataclass(frozen=True)
class ConformanceReport:
    """The results of :func:`check_solver`; printed, the failures and a summary.

    Attributes:
        results: One for each check of each example.
    """

    results: tuple[CheckResult, ...]

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing failed: checks that are all skipped have shown nothing."""
        return not self.failures and any(result.outcome != "skipped" for result in self.results)

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The results that failed."""
        return tuple(result for result in self.results if result.outcome == "failed")

    @property
    def seconds(self) -> float:
        """How long all checks took."""
        return sum(result.seconds for result in self.results)

    @property
    def summary(self) -> str:
        """How many checks passed, failed and were skipped, in one line."""
        counts = Counter(result.outcome for result in self.results)
        told = ", ".join(f"{counts[outcome]} {word}" for outcome, word in _WORDS.items() if counts[outcome])
        return f"{told or 'no checks'}, in {self.seconds:.1f} s"

    @property
    def verdict(self) -> str:
        """What the report comes to, in a sentence; with the reasons where nothing was checked."""
        failed = len(self.failures)
        if failed:
            return f"{failed} check{'s' * (failed != 1)} failed."
        if self.passed:
            return "No check failed."
        reasons = dict.fromkeys(result.message for result in self.results)
        return f"Nothing was checked: {'; '.join(reasons) or 'no checks were chosen'}."

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain types, for JSON."""
        return {
            "passed": self.passed,
            "verdict": self.verdict,
            "summary": self.summary,
            "seconds": round(self.seconds, 3),
            "results": [dataclasses.asdict(result) for result in self.results],
        }

    def __repr__(self) -> str:
        """Return the failures in full, what was expected to fail, and the summary."""
        told = [result for result in self.results if result.outcome in ("failed", "expected")]
        lines = [f"{result.id}: {_WORDS[result.outcome]}\n{indented(result.message)}" for result in told]
        names = ", ".join(dict.fromkeys(result.solver for result in self.results))
        return "\n".join([*lines, f"{names}: {self.summary}"])


def indented(message: str) -> str:
    """Return a message with its lines moved to the right."""
    return "\n".join(f"    {line}" for line in message.splitlines())
