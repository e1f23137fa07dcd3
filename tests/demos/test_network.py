"""The network gives one positive cost a cell, for every published size."""

from __future__ import annotations

import pytest
import torch

from imle_core.demos.warcraft.network import CostNetwork


def make(size: int) -> CostNetwork:
    torch.manual_seed(0)
    return CostNetwork(size, mean=[62.0, 69.0, 31.0], std=[40.0, 20.0, 30.0])


def pixels(count: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 150, (count, 8 * size, 8 * size, 3), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("size", [12, 18])
@pytest.mark.parametrize("training", [True, False])
def test_costs_are_positive_one_a_cell(size, training):
    costs = make(size).train(training)(pixels(3, size))
    assert costs.shape == (3, size, size)
    assert costs.dtype == torch.float32
    assert (costs > 0).all()


def test_bfloat16_convolutions_still_give_float32_costs_without_ties():
    with torch.autocast("cpu", torch.bfloat16):
        costs = make(12)(pixels(3, 12))
    assert costs.dtype == torch.float32
    assert len(costs.unique()) > 0.95 * costs.numel()


def test_every_parameter_receives_a_gradient():
    network = make(6)
    network(pixels(4, 6)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_it_is_the_published_network_but_for_its_head():
    stem_and_stage = 3 * 64 * 49 + 4 * 64 * 64 * 9 + 5 * 2 * 64
    assert sum(p.numel() for p in make(12).parameters()) == stem_and_stage + 65
