"""Prices of electricity, real and made up, and the example that schedules by them."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import imle_core as imle
from imle_core.demos.data import energy
from imle_core.demos.data.files import DataError

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("IMLE_DATA", ROOT.parent / "shared" / "data"))
REAL = pytest.mark.skipif(
    not (DATA / "energy_icon").is_dir(), reason=f"no energy_icon in {DATA}; set IMLE_DATA"
)


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location(
        "example_energy", ROOT / "examples" / "energy_scheduling.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def study(example):
    return example.Study(energy.generate_prices(96, slots=12), energy.generate_day(12, tasks=3), seed=0)


@pytest.fixture
def arrays():
    made = energy.generate_prices(6, slots=4)
    return {"X": made.features, "feature_names": np.array(energy.NAMES), "price_noisy": made.prices}


def test_a_file_is_read_as_it_was_written(tmp_path, arrays):
    np.savez(tmp_path / "x.npz", **arrays)
    features, prices = energy.read_prices(tmp_path / "x.npz")
    np.testing.assert_array_equal(features, arrays["X"])
    np.testing.assert_array_equal(prices, arrays["price_noisy"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"price_noisy": None}, "cannot be read as prices.*price_noisy"),
        ({"feature_names": np.array(["Price"] * 8)}, "expected the features HolidayFlag, .*; got Price"),
        ({"price_noisy": np.ones((6, 5))}, r"X has shape \(6, 4, 8\) and price_noisy \(6, 5\)"),
        ({"price_noisy": np.full((6, 4), np.nan)}, "not finite"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, arrays, change, message):
    np.savez(tmp_path / "x.npz", **{k: v for k, v in (arrays | change).items() if v is not None})
    with pytest.raises(DataError, match=message):
        energy.read_prices(tmp_path / "x.npz")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.npz cannot be read"):
        energy.read_prices(tmp_path / "none.npz")


def test_a_split_has_each_day_once_and_depends_on_its_seed_alone():
    data = energy.generate_prices(80, slots=2)
    learn, choose, test = data.split(3)
    assert (len(learn), len(choose), len(test)) == (56, 10, 14)
    assert sorted(np.concatenate([learn, choose, test])) == list(range(80))
    np.testing.assert_array_equal(learn, data.split(3)[0])
    assert (learn != data.split(4)[0]).any()


def test_a_made_up_market_depends_on_its_seed_alone():
    one, same, other = (energy.generate_prices(8, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.features, same.features)
    np.testing.assert_array_equal(one.prices, same.prices)
    assert (one.prices != other.prices).any()


def test_made_up_prices_go_with_their_forecast_and_are_not_negative():
    data = energy.generate_prices()
    forecast = data.features[..., energy.NAMES.index("SMPEA")]
    assert 0.5 < np.corrcoef(forecast.ravel(), data.prices.ravel())[0, 1] < 0.9
    assert data.prices.min() >= 0


@pytest.mark.parametrize("seed", range(5))
def test_a_made_up_day_can_be_scheduled(seed):
    day = energy.generate_day(seed=seed)
    z = imle.solver("pulp.scheduling", instance=day, backend="highs", threads=1).solve(np.ones((1, 24)))
    used = sum(task["power"] * task["duration"] for task in day["tasks"])
    assert z.sum() == pytest.approx(used)  # slots of an hour


@REAL
def test_the_real_prices_are_read():
    data = energy.read_prices(DATA / "energy_icon" / energy.FILE)
    assert data.prices.shape == (789, 48)
    assert [len(days) for days in data.split(0)] == [552, 99, 138]
    forecast = data.features[..., energy.NAMES.index("SMPEA")]
    assert np.corrcoef(forecast.ravel(), data.prices.ravel())[0, 1] == pytest.approx(0.59, abs=0.01)


def test_features_are_standardised_by_the_days_to_learn_from(study):
    known = study.x[study.learn]
    torch.testing.assert_close(known.mean((0, 1)), torch.zeros(8), atol=1e-4, rtol=0)
    assert (study.x[study.test].mean((0, 1)).abs() > 1e-3).any()


def test_prices_that_come_true_leave_no_regret(study, monkeypatch):
    assert study.judge(study.network()) > 0.01
    monkeypatch.setattr(study, "predict", lambda network, days: study.price[days])
    assert study.regret(study.network(), study.test) == pytest.approx(0, abs=1e-6)
    assert study.judge(study.network()) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("method", ["two-stage", "I-MLE", "SPO+"])
def test_each_method_learns_and_returns_its_best_epoch(example, study, method):
    result = study.train(method, 0.01, epochs=3)
    assert len(result.curve) == 4
    assert result.regret == min(result.curve) < result.curve[0]
    assert study.regret(result.network, study.choose) == pytest.approx(result.regret, abs=1e-6)


def test_all_methods_begin_at_the_same_network(study):
    before = [study.train(method, 0.01, epochs=0).curve for method in ("two-stage", "I-MLE", "SPO+")]
    assert before[0] == before[1] == before[2]


def test_the_figure_is_drawn(example, study, tmp_path):
    results = {method: study.train(method, 0.01, epochs=1) for method in example.METHODS}
    example.draw(study, results, {method: [0.02, 0.03] for method in example.METHODS}, tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_decisions_are_better_on_a_made_up_market(example, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("IMLE_DATA", raising=False)
    regrets = example.main(["--out", str(tmp_path)])  # it asserts the comparison itself
    assert capsys.readouterr().out.startswith("No data (--data, $IMLE_DATA)")
    assert regrets["SPO+"][0] < 0.9 * regrets["two-stage"][0]
    assert (tmp_path / "energy_scheduling.png").stat().st_size < 150_000


@REAL
@pytest.mark.slow
def test_decisions_are_better_on_real_prices(example):
    """The numbers of docs/energy.md, with a margin for other processors."""
    regrets = {m: np.array(r) for m, r in example.main(["--data", str(DATA), "--full"]).items()}
    assert regrets["two-stage"].mean() == pytest.approx(0.0204, abs=0.0008)
    assert regrets["I-MLE"].mean() < regrets["two-stage"].mean() - 0.0004
    assert regrets["SPO+"].mean() < regrets["two-stage"].mean() + 0.0004
