"""A new solver: the best contiguous window of a signal, written, registered and trained through.

A model must find, in noisy signals of 40 steps, the window of 6 that was marked, by scoring each step.
"""

import numpy as np
import torch

import imle_core as imle


@imle.register  # becomes "local.window"; as a plugin it would come by an entry point
class Window(imle.Solver):
    """The contiguous window of ``width`` entries with the largest sum of scores."""

    sense = "max"
    output = "binary"
    scale_invariant = True

    def __init__(self, *, width: int) -> None:
        self.width = width

    def solve(self, theta: np.ndarray) -> np.ndarray:
        sums = np.lib.stride_tricks.sliding_window_view(theta, self.width, axis=1).sum(2)
        steps = np.arange(theta.shape[1])
        first = sums.argmax(1)[:, None]
        return (steps >= first) & (steps < first + self.width)


rng = np.random.default_rng(0)
start = rng.integers(0, 35, 600)
marked = (np.arange(40) >= start[:, None]) & (np.arange(40) < start[:, None] + 6)
signal = torch.from_numpy(np.where(marked, 1.5, 0.0) + rng.normal(size=(600, 40))).float()
target = torch.from_numpy(marked).float()

torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Conv1d(1, 8, 7, padding=3),
    torch.nn.ReLU(),
    torch.nn.Conv1d(8, 1, 7, padding=3),
    torch.nn.Flatten(),
    imle.SolverLayer("window", imle.AIMLE(samples=2, tau=0.3, target_norm=4.0), width=6),
)
optimiser = torch.optim.Adam(model.parameters(), lr=0.01)


def overlap() -> float:
    """Mean share of the marked window that the model finds on held-out signals."""
    model.eval()
    with torch.no_grad():
        return (model(signal[500:, None]) * target[500:]).sum(1).mean().item() / 6


before = overlap()
for _ in range(100):
    model.train()
    optimiser.zero_grad()
    (model(signal[:500, None]) - target[:500]).square().sum(1).mean().backward()
    optimiser.step()
print(f"overlap with the marked window: {before:.0%} before, {overlap():.0%} after training")
assert overlap() > 0.7
