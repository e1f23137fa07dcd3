"""``imle solve NAME``: a solver from the shell."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path  # noqa: TC003 - typer reads annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imle_core.errors import MissingCapabilityError

from ._completion import complete_parameter, complete_solver
from ._files import CommandLineError, read_array, read_json, write_array
from ._graphs import HELP as GRAPHS
from ._output import AsJson, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imle_core import Solver

_SHORT = 40  # entries of a state that are printed one by one; of a longer one those that are not zero

SolverName = Annotated[
    str,
    typer.Argument(
        help="'plugin.solver', or 'solver' where only one plugin offers it.", autocompletion=complete_solver
    ),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        autocompletion=complete_parameter,
        help="A parameter of the solver, repeatable: numbers and words as they are, sequences as JSON, @FILE for a "
        f"file. A graph is {GRAPHS}.",
    ),
]


def solve(
    name: SolverName,
    theta: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Costs or scores: .npy, .npz, .csv, .txt, .json, or '-' for JSON from stdin."
        ),
    ],
    assignments: Assignments = None,
    instances: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="JSON list with one instance for each row; '-' for stdin."),
    ] = None,
    decode: Annotated[bool, typer.Option("--decode", help="Print structures instead of states.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also save the states, as .npy or .csv.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Solve theta, one row or a batch, from a file or stdin.

    Theta is in the solver's own sense: costs where it minimises, scores where it maximises.
    """
    from imle_core.registry import default_registry

    from ._values import parse_parameters

    if theta == instances == "-":
        raise CommandLineError("stdin holds either --theta or --instances, not both.")
    spec = default_registry().find(name)
    given = parse_parameters(spec, assignments or ())
    with contextlib.redirect_stdout(sys.stderr):
        solver = default_registry().create(spec.name, **given)
    values = _floating(read_array(theta))
    rows, batch = _as_rows(solver, values)
    each = _instances(instances, len(rows))
    with contextlib.redirect_stdout(sys.stderr):  # what a solver prints is not part of the answer
        states = solver.solve(rows) if each is None else solver.solve(rows, instances=each)
        structures = _decoded(solver, states, each) if decode else None
    objective = (rows * states).sum(tuple(range(1, rows.ndim)))
    if out is not None:
        write_array(out, states.reshape(values.shape))
    if as_json:
        answer: dict[str, Any] = {
            "solver": solver.name,
            "sense": solver.sense,
            "objective": objective.reshape(batch),
            "states": states.reshape(values.shape),
        }
        if structures is not None:
            answer["structures"] = structures if batch else structures[0]
        print_json(answer)
        return
    texts = [_state(state) for state in states] if structures is None else [str(each) for each in structures]
    goal = "cost" if solver.sense == "min" else "score"
    print_table(
        ("row", goal, "structure" if decode else "state"),
        [
            (str(i), f"{value:.6g}", text)
            for i, (value, text) in enumerate(zip(objective, texts, strict=True))
        ],
        empty=f"{solver.name}: theta has no rows.",
        right=("row", goal),
    )


def _floating(values: NDArray[Any]) -> NDArray[Any]:
    """Return numbers that a file gave as whole ones in floating point, as a solver takes them."""
    return values if values.dtype.kind == "f" else values.astype(float)


def _as_rows(solver: Solver, values: NDArray[Any]) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Return theta with one batch axis, and the batch shape that the user gave (empty: one row)."""
    if solver.event_shape is None and values.ndim == 1:
        return values[None], ()
    batch, event = solver.split_shape(values.shape)
    return values.reshape(-1 if values.size or not batch else len(values), *event), batch


def _instances(path: str | None, rows: int) -> Sequence[Any] | None:
    from ._values import freeze

    if path is None:
        return None
    loaded = read_json(path)
    given = loaded if isinstance(loaded, list) else [loaded]
    if len(given) != rows:
        raise CommandLineError(
            f"--instances has {len(given)} instances for {rows} rows of theta; give one for each row."
        )
    return [freeze(instance) for instance in given]


def _decoded(solver: Solver, states: NDArray[Any], instances: Sequence[Any] | None) -> list[Any]:
    each = instances if instances is not None else [None] * len(states)
    try:
        # One by one, because a solver without an event_shape cannot tell a batch from a state.
        return [solver.decode(z, instance=instance) for z, instance in zip(states, each, strict=True)]
    except MissingCapabilityError as error:
        raise CommandLineError(f"{error} Leave out --decode.") from error


def _state(state: NDArray[Any]) -> str:
    if state.size <= _SHORT:
        return " ".join(f"{entry:g}" for entry in state.reshape(-1))
    import numpy as np

    chosen = np.argwhere(state)
    where = [str(index[0]) if len(index) == 1 else str(tuple(index.tolist())) for index in chosen]
    return f"{len(chosen)} of {state.size} are not 0: {', '.join(where)}"
