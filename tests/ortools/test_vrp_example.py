"""The example that learns travel times from the routes of dispatchers: its parts, and as slow tests its numbers."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch

from imle_core.demos.data import roads

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("IMLE_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture
def example():
    spec = importlib.util.spec_from_file_location("vehicle_routes", ROOT / "examples" / "vehicle_routes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def traffic(example, tmp_path):
    return example.Traffic(roads.read_roads(tmp_path, roads.generate_roads(tmp_path, side=4)), 4.0)


def test_times_between_stops_are_those_of_the_quickest_ways(traffic):
    days = traffic.days(3, seed=0)
    found = traffic.quickest(days.times, days.stops)
    for times, stops, row in zip(days.times, days.stops.tolist(), found, strict=True):
        graph = nx.DiGraph()
        ends = traffic.links.tolist()
        graph.add_weighted_edges_from((*link, float(t)) for link, t in zip(ends, times, strict=True))
        lengths = dict(nx.all_pairs_dijkstra_path_length(graph))
        np.testing.assert_allclose(row, [[lengths[i][j] for j in stops] for i in stops], rtol=1e-5)


def test_the_gradient_of_a_time_goes_to_the_links_of_its_quickest_way(traffic):
    days = traffic.days(1, seed=1)
    times = days.times.requires_grad_()
    way = traffic.quickest(times, days.stops)[0, 0, 1]
    way.backward()
    assert set(times.grad.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close((times.grad * times).sum(), way)


def test_traffic_is_slow_into_the_town_in_the_morning_and_out_of_it_in_the_evening(traffic):
    days = traffic.days(400, seed=2)
    hour = torch.atan2(days.context[:, 0], days.context[:, 3]) % (2 * np.pi) / (2 * np.pi) * 14 + 6
    slowdown = (days.times - traffic.empty).numpy()
    morning, evening = ((hour - peak).abs().numpy() < 1 for peak in (8, 17))
    inward, outward = traffic.inward > 0.5, traffic.inward < -0.5
    assert slowdown[morning][:, inward].mean() > 1.2 * slowdown[evening][:, inward].mean()
    assert slowdown[evening][:, outward].mean() > 1.2 * slowdown[morning][:, outward].mean()
    assert (slowdown >= 0).all()


def test_plans_by_true_times_lose_nothing_and_by_others_something(example, traffic, capsys):
    study = example.Study(traffic, seen=8, later=20)
    assert study.judge("true", study.test.times) == pytest.approx(0, abs=1e-6)
    assert study.judge("all alike", torch.ones_like(study.test.times)) > 0.01
    assert "100.0%" in capsys.readouterr().out


def test_a_model_without_context_predicts_the_same_times_for_all_days(example, traffic):
    study = example.Study(traffic, seen=32, later=5)
    without = study.fit(2, context=False)
    torch.testing.assert_close(without, without[0].expand_as(without))  # but for the order of sums
    assert (study.fit(2, context=True).std(0) > 0).any()


@pytest.mark.slow
def test_the_example_beats_its_baselines_on_generated_data(example, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("IMLE_DATA", raising=False)
    example.main(["--out", str(tmp_path / "out")])  # it asserts the comparison itself
    assert capsys.readouterr().out.startswith("No data (--data, $IMLE_DATA)")
    assert (tmp_path / "out" / "vehicle_routes.png").stat().st_size < 150_000


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "transport_networks").is_dir(), reason=f"no {DATA}; set IMLE_DATA")
def test_the_example_on_real_roads(example):
    baseline, lost = example.main(["--data", str(DATA), "--full"])
    assert baseline == pytest.approx(0.122, abs=0.005)  # no training in it
    assert lost < 0.02
