"""``imle estimators``: the catalogue says what the estimators are."""

import inspect
import json

import pytest

import imle_core as imle
from imle_core import estimators
from imle_core.estimators import CATALOGUE, resolve


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=CATALOGUE)
def test_the_catalogue_has_the_options_and_defaults_of_the_estimator(entry):
    signature = inspect.signature(getattr(imle, entry.target)).parameters.values()
    noise = {"Gumbel()": imle.Gumbel(), "Normal()": imle.Normal()}
    described = [
        (option.name, noise.get(option.default) or eval(option.default, {})) for option in entry.options
    ]
    made = resolve(entry.name)
    defaults = [
        (p.name, p.default if isinstance(p.default, (bool, int, float, str)) else getattr(made, p.name))
        for p in signature
    ]
    assert described == defaults


def test_every_estimator_is_in_the_catalogue():
    found = {
        name
        for name in dir(estimators)
        if isinstance(each := getattr(estimators, name), type)
        and issubclass(each, imle.Estimator)
        and not inspect.isabstract(each)
    }
    assert found <= {entry.target for entry in CATALOGUE.values()}


# Those whose calls are a fixed number for any solver.
COUNTED = [entry for entry in CATALOGUE.values() if entry.forward in ("1", "S")]


@pytest.mark.parametrize("entry", COUNTED, ids=lambda entry: entry.name)
def test_the_catalogue_has_the_number_of_solver_calls(entry):
    calls = []

    class Counting(imle.Solver):
        sense = "max"

        def solve(self, theta):
            calls.append(len(theta))
            return (theta == theta.max(1, keepdims=True)).astype(theta.dtype)

    import torch

    torch.manual_seed(0)
    samples = 3 if "samples" in [option.name for option in entry.options] else 1
    # Noise even where there is none by default, because equal points are solved once; an estimator that takes none
    # has one sample.
    options = {"samples": samples, "noise": imle.Normal()} if samples > 1 else {}
    layer = imle.SolverLayer(Counting(), getattr(imle, entry.target)(**options))
    theta = torch.randn(1, 5, requires_grad=True)
    z = layer(theta)
    assert sum(calls) == calls_of(entry.forward, samples)
    calls.clear()
    (z * torch.randn(5)).sum().backward()
    assert sum(calls) == calls_of(entry.backward, samples)


def calls_of(text: str, samples: int) -> int:
    """Return what "2S (forward difference: S)" says of the default, in numbers."""
    number = text.partition(" ")[0]
    return int(number) if number.isdigit() else int(number.removesuffix("S") or 1) * samples


def test_estimators_lists_names_calls_and_defaults(run):
    code, out, _ = run("estimators")
    assert code == 0
    for entry in CATALOGUE.values():
        assert f"\n{entry.name}\n" in out
        assert entry.summary in out
    assert "backward   2S (forward difference: S)" in out
    assert "samples=1, noise=Gumbel()" in out


def test_estimators_as_json(run):
    first = json.loads(run("estimators", "--json")[1])[0]
    assert (first["name"], first["target"], first["forward"]) == ("imle", "imle_core.IMLE", "S")
    assert first["options"][0] == {
        "name": "samples",
        "default": "1",
        "values": ">= 1",
        "help": "Perturbed points S for each row.",
    }


@pytest.mark.parametrize("name", CATALOGUE)
def test_show_describes_an_estimator(run, name):
    code, out, _ = run("show", name)
    assert code == 0
    assert CATALOGUE[name].reference in out
    assert f'imle.SolverLayer("torch.k_subset", "{name}", k=3)' in out
    assert json.loads(run("show", name, "--json")[1])["name"] == name
