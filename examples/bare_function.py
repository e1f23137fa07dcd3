"""A bare function as a layer: learn what things are worth from the suitcases that people packed.

The function packs a suitcase of limited weight by dynamic programming. It knows nothing of gradients; the decorator
gives it one.
"""

import numpy as np
import torch

import imle_core as imle

WEIGHTS = np.array([3, 5, 2, 7, 4, 6, 1, 5, 3, 4])  # kg
LIMIT = 15


@imle.differentiable(sense="max", estimator=imle.IMLE(samples=4, tau=0.3))
def pack(values: np.ndarray) -> np.ndarray:
    """Return which items to pack, 0 or 1, for each row of values: the most value within the limit."""
    n_rows, n_items = values.shape
    best = np.zeros((n_items + 1, n_rows, LIMIT + 1))  # value of the best choice among the first i items
    for i, weight in enumerate(WEIGHTS):
        best[i + 1] = best[i]
        with_item = best[i, :, : LIMIT + 1 - weight] + values[:, i : i + 1]
        best[i + 1, :, weight:] = np.maximum(best[i, :, weight:], with_item)
    packed = np.zeros_like(values)
    room = np.full(n_rows, LIMIT)
    rows = np.arange(n_rows)
    for i in reversed(range(n_items)):
        packed[:, i] = best[i + 1, rows, room] > best[i, rows, room]
        room -= (packed[:, i] * WEIGHTS[i]).astype(int)
    return packed


torch.manual_seed(0)
travellers = torch.randn(600, 5)  # what we know of each
truth = torch.nn.functional.softplus(travellers @ torch.randn(5, 10))
suitcases = pack.solver.solve(truth)  # what each packed
model = torch.nn.Sequential(torch.nn.Linear(5, 10), torch.nn.Softplus())
optimiser = torch.optim.Adam(model.parameters(), lr=0.03)


def share_right() -> float:
    """Share of the held-out suitcases that are predicted to the last item."""
    with torch.no_grad():
        predicted = pack.eval()(model(travellers[500:]))
    return (predicted == suitcases[500:]).all(1).float().mean().item()


before = share_right()
for _ in range(150):
    optimiser.zero_grad()
    (pack.train()(model(travellers[:500])) - suitcases[:500]).square().sum(1).mean().backward()
    optimiser.step()
after = share_right()
print(f"held-out suitcases predicted exactly: {before:.0%} before, {after:.0%} after training")
assert after > before + 0.4
