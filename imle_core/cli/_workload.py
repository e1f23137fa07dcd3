"""What ``imle bench`` times: a solver with the parameters of its examples, or those that a user gives."""

from __future__ import annotations

import pkgutil
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imle_core.errors import InvalidThetaError

from ._files import CommandLineError
from ._timing import measure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch

    from imle_core import Estimator, Solver
    from imle_core.registry import SolverSpec

    from ._timing import Timing

_ENTRIES = 100  # along an axis whose length the solver leaves open, where neither user nor example tells


@dataclass(frozen=True)
class Workload:
    """A solver, the shape of its rows, and the instances that the rows take in turn (none: the solver's own)."""

    label: str
    solver: Solver
    event: tuple[int, ...]
    instances: Sequence[Any]


@dataclass(frozen=True)
class Result:
    """The times of one workload at one batch size.

    Attributes:
        label: The workload.
        event: Shape of one row.
        rows: Rows in the batch.
        solve: One call of the solver, with the checks around it.
        step: Forward and backward pass of a layer over the solver, in training.
        share: Share of the time of a step that its solves took, with checks and transfers.
    """

    label: str
    event: tuple[int, ...]
    rows: int
    solve: Timing
    step: Timing
    share: float


def workloads(spec: SolverSpec, given: Mapping[str, Any], shape: tuple[int, ...] | None) -> list[Workload]:
    """Return one workload for what the user gave, or else one for each example that the solver declares.

    Args:
        spec: The solver.
        given: Its parameters; empty takes those of the examples.
        shape: Shape of one row, for a solver that leaves it open.

    Raises:
        CommandLineError: there are neither parameters nor examples, and the solver cannot do without.
        SolverParameterError: the parameters are not valid.
    """
    from imle_core.registry import create, import_factory, parameters_of

    if given or spec.examples is None:
        needed = [p.name for p in parameters_of(spec.parameters or import_factory(spec)) if p.required]
        if missing := [name for name in needed if name not in given]:
            raise CommandLineError(
                f"{spec.name} {'needs' if given else 'declares no examples, and needs'} "
                f"{', '.join(missing)}; give {'it' if len(missing) == 1 else 'them'} by --set {missing[0]}=..."
            )
        solver = create(spec, given)
        label = ", ".join(f"{key}={value}" for key, value in given.items())
        return [Workload(label or "defaults", solver, _event(solver, shape, None), ())]
    examples = pkgutil.resolve_name(spec.examples) if isinstance(spec.examples, str) else spec.examples
    return [_of_example(create(spec, example.parameters), example, shape) for example in examples()]


def run(
    work: Workload, rows: int, *, estimator: Estimator, device: torch.device, seed: int, seconds: float
) -> Result:
    """Time one batch: the solver alone, and a training step through it.

    Args:
        work: What to time.
        rows: Rows in the batch.
        estimator: The estimator of the step.
        device: Where theta is.
        seed: Seed of theta and of the noise.
        seconds: How long to time each of the two.
    """
    import torch

    import imle_core as imle

    generator = torch.Generator(device).manual_seed(seed)
    shape = (rows, *work.event)
    # Costs above zero, as all solvers take them; scores of either sign.
    draw = torch.rand if work.solver.sense == "min" or work.solver.negative != "allow" else torch.randn
    theta = draw(shape, generator=generator, device=device) + (0.25 if draw is torch.rand else 0.0)
    weights = torch.randn(shape, generator=generator, device=device)
    options: dict[str, Any] = {}
    if work.instances:
        options["instances"] = [work.instances[i % len(work.instances)] for i in range(rows)]
    layer = imle.SolverLayer(work.solver, estimator, generator=generator)
    parameters = theta.clone().requires_grad_()

    def solve() -> None:
        work.solver.solve(theta, **options)
        _wait(device)

    inside: list[float] = []

    def step() -> None:
        parameters.grad = None
        (layer(parameters, **options) * weights).sum().backward()
        _wait(device)
        report = layer.last_report
        assert report is not None
        inside.append(report.seconds.get("forward", 0.0) + report.seconds.get("backward", 0.0))

    alone = measure(solve, seconds=seconds)
    whole = measure(step, seconds=seconds)
    share = statistics.median(inside[1:]) / whole.median
    return Result(work.label, work.event, rows, alone, whole, min(share, 1.0))


def _of_example(solver: Solver, example: Any, shape: tuple[int, ...] | None) -> Workload:
    return Workload(
        example.title or "defaults",
        solver,
        _event(solver, shape, example.event_shape),
        tuple(example.instances),
    )


def _event(
    solver: Solver, shape: tuple[int, ...] | None, declared: tuple[int, ...] | None
) -> tuple[int, ...]:
    """Return the shape of one row: what the user asks for, what the example says, or what the solver has."""
    own = solver.event_shape
    event = shape or declared or tuple(_ENTRIES if n is None else n for n in (own or (None,)))
    try:
        solver.split_shape((1, *event))
    except InvalidThetaError as error:
        raise CommandLineError(f"--shape {','.join(map(str, event))}: {error}") from error
    return event


def _wait(device: torch.device) -> None:
    """Wait for the device, which otherwise works on after a call has returned."""
    if device.type == "cuda":
        import torch

        torch.cuda.synchronize(device)
