"""Every loss trains a linear predictor whose decisions are good on data that it has not seen."""

import pytest
import torch
from loss_cases import CASES, PAIRS, Counting, randn

from imle_core import losses


@pytest.mark.parametrize("sense", ["max", "min"])
@pytest.mark.parametrize("name", CASES)
def test_a_linear_model_learns_to_decide(name, sense):
    case, solver = CASES[name], Counting(sense)
    x, true = randn(200, 4, seed=1), randn(200, 4, seed=1) @ randn(4, 5, seed=2)
    y = solver.solve(true)
    train, held_out = slice(0, 130), slice(130, 200)
    model = torch.nn.Linear(4, 5, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(0.1 * randn(5, 4, seed=4))
    loss = case.make(solver, PAIRS)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)

    def regret():
        return losses.normalized_regret(model(x[held_out]), true[held_out], solver)

    assert regret() > 0.5
    for _ in range(60):
        optimizer.zero_grad()
        loss(model(x[train]), (y if case.compares == "structure" else true)[train]).backward()
        optimizer.step()
    # NCE compares with the average of the pool, and not with what comes close
    assert regret() < (0.2 if name == "nce" else 0.03)


@pytest.mark.parametrize("name", ["map", "listwise", "pairwise"])
def test_a_pool_that_grows_from_nothing_is_enough(name):
    case, solver = CASES[name], Counting()
    x, true = randn(200, 4, seed=1), randn(200, 4, seed=1) @ randn(4, 5, seed=2)
    model = torch.nn.Linear(4, 5, bias=False, dtype=torch.float64)
    with torch.no_grad():
        model.weight.copy_(0.1 * randn(5, 4, seed=4))
    loss = case.make(solver, solve_ratio=0.1, generator=torch.Generator().manual_seed(0)).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    y = solver.solve(true)
    for _ in range(20):
        for rows in torch.arange(200).split(50):
            optimizer.zero_grad()
            args = (y, true) if case.compares == "structure" else (true, y)
            loss(model(x[rows]), *(a[rows] for a in args)).backward()
            optimizer.step()
    assert losses.normalized_regret(model(x), true, solver) < 0.05
    assert len(loss.pool) <= len(PAIRS)
