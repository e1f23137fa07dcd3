"""Estimators as values: equality, names, and bad parameters."""

import pickle
import re

import numpy as np
import pytest

import imle_core as imle


def test_estimators_are_values():
    assert imle.IMLE(samples=4) == imle.IMLE(samples=4) != imle.IMLE(samples=5)
    assert pickle.loads(pickle.dumps(imle.AIMLE(noise=imle.SumOfGamma(3)))) == imle.AIMLE(
        noise=imle.SumOfGamma(3)
    )
    assert len({imle.IMLE(), imle.IMLE(), imle.BlackBox()}) == 2
    with pytest.raises(AttributeError):
        imle.IMLE().samples = 3


def test_numbers_of_numpy_are_numbers():
    assert imle.IMLE(samples=np.int64(4), lam=np.float32(0.5)) == imle.IMLE(samples=4, lam=0.5)
    assert imle.SumOfGamma(np.float64(3)) == imle.SumOfGamma(3)


def test_names_stand_for_estimators_with_their_defaults():
    from imle_core.estimators import resolve

    assert resolve("imle") == imle.IMLE()
    assert resolve("aimle") == imle.AIMLE()
    assert resolve("blackbox") == imle.BlackBox()
    assert resolve("perturbed") == imle.Perturbed()
    assert resolve("straight_through") == imle.StraightThrough()
    assert resolve("identity") == imle.Identity()
    assert resolve(imle.IMLE(samples=9)).samples == 9


def test_unknown_name_gives_the_closest_match_and_all_names():
    with pytest.raises(
        LookupError, match=r"no estimator named 'imel'. Did you mean 'imle'\? There are: imle, aimle"
    ):
        imle.SolverLayer("torch.k_subset", "imel", k=2)
    with pytest.raises(TypeError, match=r"estimator must be an imle_core.Estimator or one of 'imle'"):
        imle.SolverLayer("torch.k_subset", 3, k=2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: imle.IMLE(lam=0), "IMLE: lam must be a finite number above 0; got 0."),
        (lambda: imle.IMLE(lam=-1.0), "IMLE: lam must be a finite number above 0; got -1.0."),
        (lambda: imle.IMLE(lam=float("nan")), "IMLE: lam must be a finite number above 0; got nan."),
        (lambda: imle.BlackBox(lam=0), "IMLE: lam must be a finite number above 0; got 0."),
        (lambda: imle.IMLE(tau=-0.1), "IMLE: tau must be a finite number of at least 0; got -0.1."),
        (lambda: imle.AIMLE(tau=float("inf")), "AIMLE: tau must be a finite number of at least 0; got inf."),
        (lambda: imle.IMLE(samples=0), "IMLE: samples must be an integer of at least 1; got 0."),
        (lambda: imle.AIMLE(samples=2.5), "AIMLE: samples must be an integer of at least 1; got 2.5."),
        (lambda: imle.IMLE(step="big"), "IMLE: step must be one of 'relative', 'absolute'; got 'big'."),
        (
            lambda: imle.IMLE(difference="both"),
            "IMLE: difference must be one of 'forward', 'central'; got 'both'.",
        ),
        (
            lambda: imle.AIMLE(difference=None),
            "AIMLE: difference must be one of 'forward', 'central'; got None.",
        ),
        (lambda: imle.AIMLE(target_norm=0), "AIMLE: target_norm must be a finite number above 0; got 0."),
        (
            lambda: imle.IMLE(noise="gumbel"),
            "IMLE: noise must be a noise such as imle.Gumbel(), or None; got 'gumbel'.",
        ),
        (
            lambda: imle.IMLE(noise=imle.Gumbel),
            "IMLE: noise must be a noise such as imle.Gumbel(), or None; got",
        ),
    ],
)
def test_parameter_out_of_range_is_refused_at_construction(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()
