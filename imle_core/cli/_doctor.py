"""``imle doctor``: what is installed, what is broken, and what to do about it."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING

import typer

from ._completion import quiet_registry
from ._output import AsJson, print_facts, print_finding, print_heading, print_json
from ._plugins import as_dict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imle_core.registry import Plugin

    from ._scene import Section


def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, what is broken, and what to do.

    Versions, plugins, clashes, environment, licences, devices, solvers. The exit code is 1 if something does not work.
    Only the last two sections import anything: torch, and then the libraries of the solvers.
    """
    from ._health import examine
    from ._scene import Scene

    scene = Scene(_plugins())
    sections: list[Section] = []
    for section in examine(scene):
        sections.append(section)
        if not as_json:
            _print(section)
    findings = [finding for section in sections for finding in section.findings]
    problems = sum(finding.level == "problem" for finding in findings)
    if as_json:
        print_json(
            {
                "healthy": not problems,
                "plugins": [as_dict(plugin) for plugin in scene.plugins],
                "sections": {section.title.lower(): dict(section.facts) for section in sections},
                "findings": [dataclasses.asdict(finding) for finding in findings],
            }
        )
    else:
        print_heading(
            _count(problems, "problem")
            + (f", {_count(len(findings) - problems, 'note')}" if findings else "")
        )
    if problems:
        raise typer.Exit(1)


def _print(section: Section) -> None:
    print_heading(section.title)
    print_facts(section.facts)
    for finding in section.findings:
        print_finding(finding.level, finding.text, finding.remedy)


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'s' * (number != 1)}"


def _plugins() -> Sequence[Plugin]:
    """Return the plugins with what became of them, also where the environment asks for an error instead."""
    from imle_core.registry import PluginRegistry, default_registry
    from imle_core.registry._switches import STRICT

    lenient = {name: value for name, value in os.environ.items() if name != STRICT}
    registry = PluginRegistry(env=lenient) if STRICT in os.environ else default_registry()
    with quiet_registry():  # what it would say is in the findings
        return registry.plugins(load=True)
