"""The globe example: its parts on tiny data, and, as slow tests, the numbers of the documentation."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from tours import DATA, all_tours, along

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("example_globe_tsp", ROOT / "examples" / "globe_tsp.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def globe(example):
    return example.generate(countries=12, size=5, groups=30)


def test_distances_are_angles(example):
    places = torch.eye(3)
    expected = (1 - torch.eye(3)) * torch.pi / 2
    torch.testing.assert_close(example.distances(places), expected, atol=2e-4, rtol=0)
    opposite = torch.tensor([[0.0, 0, 1], [0, 0, -1]])
    assert example.distances(opposite)[0, 1] == pytest.approx(torch.pi, abs=0.05)


def test_distances_have_a_gradient_where_places_are_the_same(example):
    places = torch.ones(2, 3).mul(3**-0.5).requires_grad_()
    example.distances(places).sum().backward()
    assert places.grad.isfinite().all()


def test_tours_of_a_made_up_globe_are_the_shortest(example, globe):
    costs = example.distances(globe.places[globe.groups]).numpy()
    lengths = (costs * globe.tours.numpy()).sum((1, 2)) / 2
    for row, length in zip(costs, lengths, strict=True):
        assert length == pytest.approx(min(along(row, tour).sum() for tour in all_tours(range(5))), rel=1e-6)


def test_the_true_places_give_every_tour_and_others_do_not(example, globe):
    assert example.optimal(globe, globe.places) == (1, 1)
    assert max(example.optimal(globe, globe.places.roll(1, 0))) < 0.6


def test_places_are_aligned_whatever_their_rotation_and_reflection(example, globe):
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)))[0]
    for turn in (rotation, -rotation):
        torch.testing.assert_close(example.aligned(globe, globe.places @ turn), globe.places)


def test_training_places_flags_and_the_figure_is_drawn(example, globe, tmp_path):
    places = example.train(globe, steps=5, log=False)
    torch.testing.assert_close(places.norm(dim=1), torch.ones(12))
    example.draw(globe, example.aligned(globe, places), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_tours_are_learnt_on_a_made_up_globe(example, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("IMLE_DATA", raising=False)
    shares = example.main(["--out", str(tmp_path / "out")])
    assert capsys.readouterr().out.startswith("No data (--data, $IMLE_DATA)")
    assert shares["held out"] > 0.4
    assert (tmp_path / "out" / "globe_tsp.png").stat().st_size < 150_000


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "globe_tsp").is_dir(), reason=f"no globe_tsp in {DATA}; set IMLE_DATA")
def test_90_percent_of_the_tours_through_real_capitals_are_learnt(example):
    shares = example.main(["--data", str(DATA), "--full"])
    assert shares["known"] > 0.93
    assert shares["held out"] > 0.86
    assert shares["km"] < 700
