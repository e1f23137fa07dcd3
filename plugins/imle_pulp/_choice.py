"""Which backend solves: the one that was asked for, or the fastest of those that can, measured on the first batch."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imle_core.errors import InvalidInstanceError, SolverParameterError, SolverTimeoutError
from imle_pulp._backends import candidates, make
from imle_pulp._search import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_pulp._program import Program
    from imle_pulp._search import Searcher, Task

SAMPLE = 8  # rows that each candidate solves
PATIENCE = 2.0, 0.1  # times the best so far, and seconds more, until a candidate is given up


@dataclass
class Choice:
    """A backend by name, or ``"auto"`` until rows were measured.

    Args:
        asked: What the user asked for.
        program: The programme.
        name: The backend that solves; None until it is chosen.
        seconds: Measured seconds a row, by backend; infinity for one that was given up.

    Raises:
        SolverParameterError: the backend that was asked for cannot solve the programme, or there is none.
        MissingDependencyError: its library or command is not installed.
    """

    asked: str
    program: Program
    name: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.asked != "auto":
            make(self.asked, self.program)  # or the error that says why not
            self.name = self.asked
        elif self.name is None:
            able = candidates(self.program)
            if not able:
                raise SolverParameterError(
                    "no backend that can solve this problem is installed; pip install 'imle-core[pulp]'."
                )
            self.name = able[0] if len(able) == 1 else None

    def measure(self, searcher: Searcher, tasks: Sequence[Task], limit: float | None) -> list[Found]:
        """Choose the candidate that is fastest on the first few tasks, and return its answers to these.

        One that needs more than twice the time of the best before it is given up.

        Args:
            searcher: Solves.
            tasks: The tasks of a batch.
            limit: Seconds a task, or None.
        """
        sample, best, answers = tasks[:SAMPLE], (len(tasks) + 1, math.inf), list[Found]()
        for name in candidates(self.program):
            try:
                searcher.warm(name)
            except InvalidInstanceError:  # the rows of this batch may be for it all the same
                self.seconds[name] = math.inf
                continue
            budget = PATIENCE[0] * best[1] + PATIENCE[1]
            begun = time.perf_counter()
            found = _all_within(searcher, name, sample, budget, limit)
            spent = time.perf_counter() - begun
            self.seconds[name] = math.inf if found is None else spent / len(sample)
            if found is not None and (sum(one.late for one in found), spent) < best:
                best, answers, self.name = (sum(one.late for one in found), spent), found, name
        return answers

    def search(self, searcher: Searcher, task: Task, seconds: float | None) -> Found:
        """Solve a task by the backend that was chosen; by HiGHS where an instance is not for that one.

        CP-SAT takes whole coefficients and bounds alone, which another instance may not have.
        """
        assert self.name is not None
        try:
            return searcher.search(self.name, task, seconds)
        except InvalidInstanceError:
            if self.asked != "auto":
                raise
            return searcher.search("highs", task, seconds)

    def __str__(self) -> str:
        """Say which backend solves, and why."""
        if self.asked != "auto":
            return f"{self.asked}, as asked for"
        if self.name is None:
            return (
                f"the fastest of {', '.join(candidates(self.program))}, to be measured on the first {SAMPLE} rows "
                "that the relaxation does not decide"
            )
        if not self.seconds:
            return f"{self.name}, the only one installed that can solve this problem"
        times = ", ".join(
            f"{name} {1e3 * seconds:.3g} ms" if seconds < math.inf else f"{name} given up"
            for name, seconds in self.seconds.items()
        )
        return f"{self.name}, the fastest on the first rows ({times} a row)"


def _all_within(
    searcher: Searcher, name: str, tasks: Sequence[Task], budget: float, limit: float | None
) -> list[Found] | None:
    """Return the answers of a backend, or None if it does not have them within a budget of seconds."""
    begun, answers = time.perf_counter(), list[Found]()
    for task in tasks:
        left = budget - (time.perf_counter() - begun)
        if left <= 0:
            return None
        hurried = left < (math.inf if limit is None else limit)
        seconds = left if hurried else limit
        try:
            found = searcher.search(name, task, None if seconds == math.inf else seconds)
        except InvalidInstanceError:  # this one is not for it
            return None
        except SolverTimeoutError:
            if hurried:
                return None
            raise
        if found.late and hurried:
            return None
        answers.append(found)
    return answers
