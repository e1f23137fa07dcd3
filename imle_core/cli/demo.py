"""``imle demo``: small experiments that train."""

from __future__ import annotations

import importlib.util
import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from imle_core.demos.warcraft.settings import ESTIMATORS, NOISES, TEST_MAPS, TILE_MAPS, TRAIN_MAPS, Settings
from imle_core.errors import MissingDependencyError, SolverParameterError

app = typer.Typer(help="Small experiments that train.", no_args_is_help=True)

INTERRUPTED = 130  # what shells report for a process ended by Ctrl-C
_DEFAULT = Settings()


@app.callback()
def _group() -> None:
    """Small experiments that train."""  # also keeps `warcraft` a sub-command while it is the only one


@app.command()
def warcraft(
    out: Annotated[
        Path, typer.Option(help="Folder for checkpoint.pt, metrics.json and warcraft.png.")
    ] = Path("runs/demo"),
    data: Annotated[
        Path | None, typer.Option(help="Folder of the published archive; maps are generated without it.")
    ] = _DEFAULT.data,
    md5: Annotated[
        bool, typer.Option("--md5", help="Verify the archive's published checksums (12x12).")
    ] = False,
    tiles: Annotated[
        Path | None, typer.Option(help="Tile atlas (.npz) of real maps, to build maps from.")
    ] = _DEFAULT.tiles,
    tile_maps: Annotated[
        str | None,
        typer.Option(
            help=f"Maps of the atlas to build from: even, odd, all, or as in 0-13,20; by default {TILE_MAPS}."
        ),
    ] = _DEFAULT.tile_maps,
    test_maps: Annotated[
        list[Path] | None,
        typer.Option(help="Real maps (.npz) to test on, less those that gave tiles to training; repeatable."),
    ] = None,
    size: Annotated[
        int, typer.Option(min=3, max=60, help="Cells along each side of generated maps.")
    ] = _DEFAULT.size,
    train: Annotated[
        int | None,
        typer.Option(
            min=1, help=f"Training maps; by default {TRAIN_MAPS} generated ones, or all of an archive."
        ),
    ] = _DEFAULT.train,
    val: Annotated[
        int, typer.Option(min=1, help="Validation maps, which choose the best epoch.")
    ] = _DEFAULT.val,
    test: Annotated[
        int | None,
        typer.Option(min=1, help=f"Test maps; by default {TEST_MAPS} generated ones, or all of an archive."),
    ] = _DEFAULT.test,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training maps.")] = _DEFAULT.epochs,
    batch: Annotated[int, typer.Option(min=2, help="Maps in a batch.")] = _DEFAULT.batch,
    lr: Annotated[float, typer.Option(min=1e-8, max=1.0, help="Peak learning rate of Adam.")] = _DEFAULT.lr,
    augment: Annotated[
        bool, typer.Option(help="Transpose and turn training maps at random.")
    ] = _DEFAULT.augment,
    estimator: Annotated[str, typer.Option(help=f"Gradient: {', '.join(ESTIMATORS)}.")] = _DEFAULT.estimator,
    samples: Annotated[int, typer.Option(min=1, help="Perturbed paths for each map.")] = _DEFAULT.samples,
    noise: Annotated[str, typer.Option(help=f"Perturbation: {', '.join(NOISES)}.")] = _DEFAULT.noise,
    tau: Annotated[float, typer.Option(min=0.0, help="Temperature: factor of the noise.")] = _DEFAULT.tau,
    lam: Annotated[
        float, typer.Option(min=1e-8, help="Step to the target costs, in units of the costs.")
    ] = _DEFAULT.lam,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = _DEFAULT.seed,
    bf16: Annotated[
        bool | None,
        typer.Option(
            "--bf16/--no-bf16", help="Convolutions in bfloat16; by default where the processor has it."
        ),
    ] = _DEFAULT.bf16,
    threads: Annotated[int, typer.Option(min=0, help="Threads of torch; 0: its default.")] = _DEFAULT.threads,
    device: Annotated[
        str, typer.Option(help="auto (CUDA if there is any), cpu, cuda, ...")
    ] = _DEFAULT.device,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on exactly where the run in --out stopped (same options).")
    ] = False,
) -> None:
    """Learn shortest paths from pixels, through a solver, from best paths alone.

    Ctrl-C stops the training, keeps the best epoch, tests and draws it, and exits with code 130.
    """
    _require("networkx", "matplotlib")
    _require_choice("--noise", noise, NOISES)
    _require_choice("--estimator", estimator, ESTIMATORS)
    # Two threads that spin while they wait collapse as soon as another process wants a core. To be set before
    # torch is imported, and nobody else's business: the process is this command's.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from rich.console import Console
    from rich.logging import RichHandler

    from imle_core.demos.warcraft.display import summary_table
    from imle_core.demos.warcraft.run import run

    # The handler is this command's, for as long as it runs: a library leaves logging to its host.
    log = logging.getLogger("imle_core.demos")
    console = Console(stderr=True)
    handler = (
        RichHandler(console=console, show_path=False) if console.is_terminal else logging.StreamHandler()
    )
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    settings = Settings(
        data=data, md5=md5, tiles=tiles, tile_maps=tile_maps, test_maps=tuple(test_maps or ()), size=size,
        train=train, val=val, test=test, epochs=epochs, batch=batch, lr=lr, augment=augment, estimator=estimator,
        samples=samples, noise=noise, tau=tau, lam=lam, seed=seed, bf16=bf16, threads=threads, device=device,
    )  # fmt: skip
    try:
        metrics = run(settings, out, resume=resume)
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    Console().print(summary_table(metrics))
    if metrics["interrupted"]:
        raise typer.Exit(INTERRUPTED)


def _require(*modules: str) -> None:
    if missing := [name for name in modules if importlib.util.find_spec(name) is None]:
        raise MissingDependencyError(
            f"imle demo needs {' and '.join(missing)}. Install with: pip install 'imle-core[demo]'"
        )


def _require_choice(option: str, value: str, valid: tuple[str, ...]) -> None:
    if value not in valid:
        raise SolverParameterError(f"{option} {value!r} is not known; choose one of {', '.join(valid)}.")
