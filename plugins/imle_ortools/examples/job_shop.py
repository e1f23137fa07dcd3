"""Small shops for the conformance kit."""

from __future__ import annotations

from imle_core.testing import Example

_JOBS = [[("a", 2), ("b", 1)], [("b", 2), ("a", 1)]]


def job_shop() -> list[Example]:
    """Return each statistic, several at once, both policies for negative prices, and jobs that differ by row."""
    durations = [{}, {"durations": ((1, 1), (2, 2))}, {"durations": ((2, 2), (1, 1)), "release": (1, 0)}]
    shared = [[("a", 1)], [("a", 2)], [("a", 1)]]
    return [
        Example(parameters={"jobs": shared, "horizon": 6}, label="completion"),
        Example(parameters={"jobs": _JOBS, "objective": "machines", "negative": "clip"}, label="machines"),
        Example(
            parameters={"jobs": _JOBS, "objective": "load", "horizon": 5, "power": {"a": 3}}, label="load"
        ),
        Example(
            parameters={"jobs": _JOBS, "objective": ("completion", "makespan"), "deadline": (6, 5)},
            label="completion,makespan",
        ),
        Example(parameters={"jobs": _JOBS, "negative": "allow"}, instances=durations, label="instances"),
    ]
