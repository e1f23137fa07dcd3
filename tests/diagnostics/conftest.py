"""Records as a run writes them, made by hand."""

import pytest


def make_report(step, *, layer="planner", **changed):
    """One record of a layer of 10 rows and 2 samples, of which nothing is to be said."""
    return {
        "time": 1000.0 + step,
        "layer": layer,
        "step": step,
        "solver": "torch.k_subset",
        "estimator": "IMLE(samples=2)",
        "rows": 10,
        "samples": 2,
        "lam": 0.5,
        "zero_rows": 0.1,
        "gradient_norm": 2.0,
        "agreement": 0.4,
        "solves": 38,
        "timeouts": 0,
        "avoided/zero gradient": 2,
        "seconds/noise": 0.01,
        "seconds/forward": 0.02,
        "seconds/backward": 0.03,
        **changed,
    }


def make_value(step, **values):
    return {"time": 1000.0 + step, "step": step, **values}


@pytest.fixture
def report():
    return make_report


@pytest.fixture
def value():
    return make_value
