"""What the shell offers for the name of a solver or an estimator; nothing heavy is imported."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import typer  # noqa: TC002 - typer reads annotations

if TYPE_CHECKING:
    from collections.abc import Iterator


def complete_solver(incomplete: str) -> list[tuple[str, str]]:
    """Return the full names of solvers that begin so, with their summaries; bare names if there is none."""
    from imle_core.registry import default_registry

    try:
        with quiet_registry():  # a broken plugin must not write between the words of the shell
            specs = default_registry().specs()
    except Exception:  # nor under IMLE_STRICT_PLUGINS
        return []
    found = [(spec.name, spec.summary) for spec in specs if spec.name.startswith(incomplete)]
    return found or [
        (name, spec.summary) for spec in specs for name in spec.names if name.startswith(incomplete)
    ]


def complete_parameter(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the parameters of the solver that the line names, where its description lists them."""
    from imle_core.registry import default_registry, parameters_of

    try:
        with quiet_registry():
            # Where the line ends in an option without its value, the name is among the words not yet understood.
            name = ctx.params.get("name") or ctx.args[0]
            schema = default_registry().find(name).parameters
    except Exception:  # no solver yet, or none of that name
        return []
    known = parameters_of(schema) if schema is not None else ()
    return [(f"{each.name}=", each.help) for each in known if each.name.startswith(incomplete)]


def complete_estimator(incomplete: str) -> list[tuple[str, str]]:
    """Return the estimators whose names begin so, with their summaries."""
    from imle_core.estimators import CATALOGUE

    return [(entry.name, entry.summary) for entry in CATALOGUE.values() if entry.name.startswith(incomplete)]


def complete_name(incomplete: str) -> list[tuple[str, str]]:
    """Return what ``imle show`` can describe: solvers and estimators."""
    return complete_solver(incomplete) + complete_estimator(incomplete)


@contextlib.contextmanager
def quiet_registry() -> Iterator[None]:
    """Keep what the registry logs about broken plugins to itself."""
    logger = logging.getLogger("imle_core.registry")
    logger.addFilter(_silence)
    try:
        yield
    finally:
        logger.removeFilter(_silence)


def _silence(record: logging.LogRecord) -> bool:
    return False
