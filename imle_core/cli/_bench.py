"""``imle bench NAME``: how fast a solver is, alone and in a training step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._completion import complete_estimator
from ._files import CommandLineError
from ._output import AsJson, print_json, print_table, print_text
from ._solve import Assignments, SolverName  # noqa: TC001 - typer reads annotations

if TYPE_CHECKING:
    from ._workload import Result, Workload


def bench(
    name: SolverName,
    assignments: Assignments = None,
    batch: Annotated[str, typer.Option(metavar="N,...", help="Batch sizes.")] = "1,32,256",
    shape: Annotated[
        str | None, typer.Option(metavar="N,...", help="Shape of one row, where the solver leaves it open.")
    ] = None,
    estimator: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="The estimator of the training step.", autocompletion=complete_estimator
        ),
    ] = "imle",
    device: Annotated[str, typer.Option(metavar="DEVICE", help="Where theta is: cpu, cuda, ...")] = "cpu",
    seconds: Annotated[float, typer.Option(min=0.0, max=3600.0, help="How long to time each figure.")] = 0.5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of theta and noise.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Time a solver, alone and in a training step.

    On its declared examples, or with the parameters given by --set.

    Figures are medians over at least three repeats, after one to warm up. The spread is half the distance of the
    quartiles. A step is one forward and backward pass of a layer in training; the share is that of its solves.
    """
    from imle_core.registry import default_registry

    from ._values import parse_parameters

    sizes, event = _numbers("--batch", batch), _numbers("--shape", shape) if shape else None
    spec = default_registry().find(name)
    given = parse_parameters(spec, assignments) if assignments else {}
    from imle_core.estimators import resolve

    from ._workload import run, workloads

    gradient, place = resolve(estimator), _device(device)
    works = workloads(spec, given, event)
    results = [
        run(work, rows, estimator=gradient, device=place, seed=seed, seconds=seconds)
        for work in works
        for rows in sizes
    ]
    if as_json:
        settings = {"solver": spec.name, "estimator": estimator, "device": device, "seed": seed}
        print_json(settings | {"results": [_as_dict(result) for result in results]})
        return
    for work in works:
        _print(spec.name, work, [result for result in results if result.label == work.label])
    print_text(f"\nStep: forward and backward with {gradient}, on {device}.", style="dim")


def _print(name: str, work: Workload, results: list[Result]) -> None:
    heads = ("rows", "us a row", "spread", "rows a second", "step", "solver's share")
    rows = [
        (
            str(result.rows),
            f"{result.solve.median / result.rows * 1e6:,.2f}",
            f"{result.solve.spread:.0%}",
            f"{result.rows / result.solve.median:,.0f}",
            _time(result.step.median),
            f"{result.share:.0%}",
        )
        for result in results
    ]
    note = f"{work.label}; a row has shape {work.event}"
    print_table(heads, rows, empty="", heading=name, note=note, right=heads)


def _as_dict(result: Result) -> dict[str, Any]:
    times = {
        figure: {"median": t.median, "lower_quartile": t.low, "upper_quartile": t.high, "repeats": t.repeats}
        for figure, t in (("solve_seconds", result.solve), ("step_seconds", result.step))
    }
    return {
        "example": result.label,
        "event_shape": result.event,
        "rows": result.rows,
        "microseconds_a_row": result.solve.median / result.rows * 1e6,
        "rows_a_second": result.rows / result.solve.median,
        **times,
        "solver_share": result.share,
    }


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:,.2f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def _numbers(option: str, text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = (0,)
    if min(numbers) < 1:
        raise CommandLineError(f"{option} takes whole numbers of at least 1, as in 1,32; got {text!r}.")
    return numbers


def _device(text: str) -> Any:
    import torch

    try:
        device = torch.device(text)
        torch.zeros(
            1, device=device
        ).item()  # some devices can be named, and even hold tensors, but not be read
    except Exception as error:  # of many types: torch says for each device in its own way that it is missing
        reason = str(error).partition("\n")[0].rstrip(".")
        raise CommandLineError(f"--device {text!r} cannot be used ({reason}); take cpu.") from error
    return device
