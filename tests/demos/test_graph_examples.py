"""The examples that learn on graphs: their parts on tiny data, and, as slow tests, the numbers of the documentation."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch

from imle_core.demos.data import layouts, planning, roads

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("IMLE_DATA", ROOT.parent / "shared" / "data"))
PNG = b"\x89PNG"


def example(name):
    spec = importlib.util.spec_from_file_location(f"example_{name}", ROOT / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def on(data_set):
    """Mark a slow test of real data, which is skipped where they are not."""
    skip = pytest.mark.skipif(
        not (DATA / data_set).is_dir(), reason=f"no {data_set} in {DATA}; set IMLE_DATA"
    )
    return lambda test: pytest.mark.slow(skip(test))


FULL = ["--data", str(DATA), "--full"]


# Route choice


@pytest.fixture
def city(tmp_path):
    return roads.read_roads(tmp_path, roads.generate_roads(tmp_path, side=4))


def test_a_study_sees_the_quickest_routes(city):
    study = example("route_choice").Study(city)
    for network_name, weight in (("time", study.true), ("free_flow_time", study.empty)):
        torch.testing.assert_close(
            weight * study.unit, torch.from_numpy(city.attribute(network_name)).float()
        )
    took = study.driven @ torch.from_numpy(city.attribute("time")).float()
    lengths = dict(nx.all_pairs_dijkstra_path_length(city.graph, weight="time"))
    order = np.random.default_rng(0).permutation(len(city.journeys))
    ends = [city.journeys[i] for i in order]
    expected = [lengths[journey["source"]][journey["target"]] for journey in ends]
    torch.testing.assert_close(took, torch.tensor(expected, dtype=torch.float32))


def test_the_true_times_predict_all_routes(city, capsys):
    study = example("route_choice").Study(city)
    assert study.judge("true", study.true) == 1
    assert "100.0%      100.0%       0.00%" in capsys.readouterr().out


def test_features_do_not_tell_the_true_times(city):
    study = example("route_choice").Study(city)
    before = study.features()
    for *_, link in city.graph.edges(data=True):
        link["time"] *= 2
    torch.testing.assert_close(study.features(), before)


@pytest.mark.parametrize("by_features", [False, True])
def test_learnt_times_are_never_less_than_those_of_empty_roads(city, by_features):
    study = example("route_choice").Study(city)
    times = study.train(study.features() if by_features else None, seen=40, steps=3)
    assert (times >= study.empty).all()
    assert (times > study.empty).any()


def test_the_figure_of_route_choice_is_drawn(city, tmp_path):
    module = example("route_choice")
    study = module.Study(city)
    module.draw([(study, study.empty * 1.5)], tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)


# The latent tree


def test_scores_do_not_depend_on_the_order_of_the_points():
    module = example("latent_tree")
    torch.manual_seed(0)
    encoder, x = module.Encoder(4), torch.rand(2, 4, module.N, 2)
    order = torch.randperm(module.N)
    table = torch.zeros(2, module.N, module.N)
    table[:, module.TAIL, module.HEAD] = encoder(x)
    table = (table + table.transpose(1, 2))[:, order][:, :, order]
    torch.testing.assert_close(encoder(x[:, :, order]), table[:, module.TAIL, module.HEAD])


def test_the_decoder_can_be_the_recipe_of_the_data():
    module = example("latent_tree")
    made = layouts.generate_layouts(20)
    x, trees = torch.from_numpy(made.positions), torch.from_numpy(made.trees)[:, module.TAIL, module.HEAD]
    decoder = module.Decoder()
    extent = np.ptp(made.positions, axis=2).max()
    with (
        torch.no_grad()
    ):  # k^2 / d and d^2 / k with k = 1 / sqrt(n), and steps of about a tenth of the extent
        decoder.repulsion.copy_(torch.tensor([np.log(0.1), -1.0]))
        decoder.attraction.copy_(torch.tensor([np.log(10**0.5), 2.0]))
        decoder.step.fill_(np.log(0.1 * extent))
        error = (decoder(x[:, :-1], trees) - x[:, 1:]).square().mean()
        wrong = (decoder(x[:, :-1], trees.roll(1, 0)) - x[:, 1:]).square().mean()
    assert error < 2e-3 < 3 * error + 2e-3 < wrong


def test_precision_is_the_share_of_edges_that_are_right():
    true = torch.tensor([[1.0, 1, 0], [0, 1, 1]])
    assert example("latent_tree").precision(torch.tensor([[1.0, 0, 1], [0, 1, 1]]), true) == 0.75


def test_training_returns_trees_and_the_figure_is_drawn(tmp_path):
    module = example("latent_tree")
    made = layouts.generate_layouts(8)
    x, true = torch.from_numpy(made.positions), torch.from_numpy(made.trees)[:, module.TAIL, module.HEAD]
    encoder, _, layer = module.train(x, steps=2)
    found = layer(encoder(x)).detach()
    assert (found.sum(1) == module.N - 1).all()
    module.draw(x, true, found, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)


# Planning maps


def test_plans_by_the_true_walls_are_best_and_those_without_are_not():
    module = example("planning_maps")
    test = module.ways(planning.generate_planning(20, seed=0), seed=0)
    best, clear = module.quality(1 + 1000 * (1 - test.maps), test)
    assert best == clear == 1
    assert module.quality(torch.ones_like(test.maps), test)[1] < 0.5


def test_costs_have_a_geometric_mean_of_one_whatever_the_network_says():
    module = example("planning_maps")
    numbers = torch.randn(3, 5, 5)
    torch.testing.assert_close(module.costs(numbers).log().mean((1, 2)), torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(module.costs(numbers + 7), module.costs(numbers))


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_network_gives_each_cell_a_number(noise):
    assert example("planning_maps").network(noise)(torch.rand(2, 32, 32)).shape == (2, 32, 32)


def test_the_figure_of_planning_maps_is_drawn(tmp_path):
    module = example("planning_maps")
    test = module.ways(planning.generate_planning(10, seed=0), seed=0)
    module.draw(test, test.maps, 1 + 30 * (1 - test.maps), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(PNG)


# The numbers of docs/graph_examples.md, with a margin for other processors


@pytest.mark.slow
@pytest.mark.parametrize("name", ["route_choice", "latent_tree", "planning_maps"])
def test_an_example_beats_its_baseline_on_generated_data(name, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("IMLE_DATA", raising=False)
    example(name).main(["--out", str(tmp_path / "out")])  # it asserts the comparison itself
    assert capsys.readouterr().out.startswith("No data (--data, $IMLE_DATA)")
    assert (tmp_path / "out" / f"{name}.png").stat().st_size < 150_000


@on("transport_networks")
def test_route_choice_on_real_roads():
    shares = example("route_choice").main(FULL)
    empty, learnt = shares["SiouxFalls"]
    assert empty == pytest.approx(0.833, abs=0.005)  # no training in it
    assert learnt > 0.93
    empty, learnt = shares["Anaheim"]
    assert empty == pytest.approx(0.876, abs=0.005)
    assert learnt > 0.94


@on("nri_graph_layout")
def test_the_latent_tree_on_the_stored_set():
    nearest, inferred = example("latent_tree").main(FULL)
    assert nearest == pytest.approx(0.802, abs=0.002)
    assert inferred > 0.88


@on("planning_mpd")
def test_planning_on_real_maps():
    shares = example("planning_maps").main(FULL)
    for noise, most, least in ((0.0, 0.6, 0.95), (0.3, 0.4, 0.66)):
        same, without, through, told = shares[noise].values()
        assert same == pytest.approx(0.071, abs=0.005)
        assert without < most
        assert through > least
        assert through > told - 0.05
