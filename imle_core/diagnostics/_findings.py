"""What to look at in a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._reading import read_run
from ._rules import LAYER_RULES, RUN_RULES

if TYPE_CHECKING:
    from ._reading import Records
    from ._rules import Finding
    from ._run import Run


def findings(records: Records) -> list[Finding]:
    """Return what to look at in a run, the worst first; empty if no rule applies.

    Args:
        records: The records, such as a :class:`Memory`, or the path of a file that :class:`JSONLines` wrote.

    Raises:
        RecordError: there are none, or they are no records.

    Example:
        >>> report = {"time": 0.0, "step": 1, "layer": "planner", "solver": "torch.k_subset", "rows": 8, "samples": 1,
        ...           "solves": 16, "timeouts": 0, "zero_rows": 0.95, "gradient_norm": 0.1, "agreement": 0.9}
        >>> [finding.title for finding in findings([report])]
        ['95 % of rows had a zero gradient in the one report']
    """
    return run_findings(read_run(records))


def run_findings(run: Run) -> list[Finding]:
    """Return the findings of a run, the worst first, those of one layer in the order of the rules."""
    found = [finding for layer in run.layers for rule in LAYER_RULES for finding in rule(layer)]
    found += [finding for rule in RUN_RULES for finding in rule(run)]
    return sorted(found, key=lambda finding: ("problem", "warning", "note").index(finding.level))
