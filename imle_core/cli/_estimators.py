"""``imle estimators``: every gradient estimator by name."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ._output import (
    AsJson,
    print_code,
    print_facts,
    print_heading,
    print_json,
    print_table,
    print_text,
)

if TYPE_CHECKING:
    from imle_core.estimators import EstimatorEntry


def estimators(as_json: AsJson = False) -> None:
    """List the gradient estimators, and the solver calls they need.

    A name stands for the estimator with its defaults, as in SolverLayer(solver, "imle"). S is the number of samples.
    """
    from imle_core.estimators import CATALOGUE

    if as_json:
        print_json([as_dict(entry) for entry in CATALOGUE.values()])
        return
    for entry in CATALOGUE.values():
        print_heading(entry.name)
        print_text(entry.summary, indent=2)
        options = ", ".join(f"{option.name}={option.default}" for option in entry.options)
        print_facts(
            [
                ("when", entry.when),
                ("forward", entry.forward),
                ("backward", entry.backward),
                ("options", options),
                ("reference", entry.reference),
            ]
        )
    print_text(
        "\nForward and backward: solver calls for each row in training; S: samples. `imle show NAME` explains the "
        "options.",
        style="dim",
    )


def describe(entry: EstimatorEntry) -> None:
    """Print all that the catalogue says about one estimator."""
    print_heading(entry.name, "gradient estimator")
    print_text(entry.summary)
    print_text(entry.when)
    print_heading("Solver calls for each row in training", "S: samples")
    print_facts([("forward pass", entry.forward), ("backward pass", entry.backward)])
    print_table(
        ("option", "default", "values", "meaning"),
        [(option.name, option.default, option.values, option.help) for option in entry.options],
        empty="It takes no options.",
        heading="Options",
    )
    print_heading("Reference")
    print_text(entry.reference, indent=2)
    first = entry.options[0]
    print_heading("To use it")
    print_code(
        [
            "import imle_core as imle",
            f'layer = imle.SolverLayer("torch.k_subset", "{entry.name}", k=3)',
            f'layer = imle.SolverLayer("torch.k_subset", imle.{entry.target}({first.name}={first.default}), k=3)',
        ]
    )


def as_dict(entry: EstimatorEntry) -> dict[str, Any]:
    """Return an entry of the catalogue in plain types."""
    described = dataclasses.asdict(entry)
    return described | {"target": f"imle_core.{entry.target}"}
