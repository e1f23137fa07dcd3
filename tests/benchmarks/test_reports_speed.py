"""What watching adds to a training step: a ratio within one run."""

import contextlib

import pytest
import torch
from timing import fastest

import imle_core as imle
from imle_core.diagnostics import JSONLines, Memory, watch

pytestmark = pytest.mark.benchmark


class Model(torch.nn.Module):
    """A small network before a cheap solver, so that what is added shows."""

    def __init__(self):
        super().__init__()
        self.scores = torch.nn.Sequential(
            torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 144)
        )
        self.select = imle.SolverLayer("torch.k_subset", imle.IMLE(samples=4), k=12)

    def forward(self, x):
        return self.select(self.scores(x))


def step_of(model, x, w, log):
    optimiser = torch.optim.Adam(model.parameters())

    def step():
        optimiser.zero_grad()
        loss = (model(x) * w).sum() / len(x)
        loss.backward()
        optimiser.step()
        log(loss=loss)

    return step


def test_a_watched_step_against_the_same_step_alone(report, tmp_path):
    torch.manual_seed(0)
    x, w = torch.randn(70, 64), torch.randn(70, 144)
    sinks = {"nobody": (), "memory": (Memory(),), "lines": (JSONLines(tmp_path / "run.jsonl"),)}
    with contextlib.ExitStack() as stack:
        calls = {}
        for name, given in sinks.items():
            model = Model()
            run = stack.enter_context(watch(model, *given))
            calls[name] = step_of(model, x, w, run.log)
        best = fastest(calls, rounds=300)
    added = best["lines"] - best["nobody"]
    report(
        f"step B=70, S=4, d=144: {best['nobody'] * 1e3:.2f} ms alone; with JSONLines {added * 1e6:.0f} us more, "
        f"ratio {best['lines'] / best['nobody']:.3f}; with Memory {best['memory'] / best['nobody']:.3f}"
    )
    assert best["lines"] < 1.5 * best["nobody"]
