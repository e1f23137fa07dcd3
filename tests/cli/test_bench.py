"""``imle bench``: what is timed, and how it is told; never how long it takes."""

import dataclasses
import json

import pytest

import imle_core as imle
from imle_core.cli import _timing
from imle_core.registry import PluginRegistry, SolverSpec, parameter, use_registry


def bench(run, *words):
    return run("bench", *words, "--seconds", 0, "--batch", "1,4")


def test_a_solver_is_timed_on_its_declared_examples(run):
    code, out, _ = bench(run, "torch.k_subset", "--json")
    results = json.loads(out)["results"]
    assert code == 0
    assert [result["rows"] for result in results[:2]] == [1, 4]
    for result in results:
        assert result["solve_seconds"]["median"] > 0
        assert result["step_seconds"]["repeats"] >= _timing.LEAST
        assert result["rows_a_second"] == pytest.approx(1e6 / result["microseconds_a_row"])
        assert 0 < result["solver_share"] <= 1


def test_parameters_and_shape_given_take_the_place_of_the_examples(run):
    code, out, _ = bench(
        run, "torch.k_subset", "--set", "k=3", "--shape", 7, "--estimator", "aimle", "--json"
    )
    answer = json.loads(out)
    assert code == 0
    assert {(r["example"], tuple(r["event_shape"])) for r in answer["results"]} == {("k=3", (7,))}
    assert answer["estimator"] == "aimle"


def test_a_table_tells_rows_times_and_the_share_of_the_solver(run):
    code, out, _ = bench(
        run, "networkx.shortest_path", *["--set", "graph=path:5", "--set", "source=0", "--set", "target=4"]
    )
    assert code == 0
    assert "a row has shape (4,)" in out
    assert [line.split()[0] for line in out.splitlines() if line.strip().endswith("%")] == ["1", "4"]
    assert "IMLE(samples=1" in out


def test_theta_is_the_same_for_the_same_seed_and_another_for_another(run):
    seen = []

    class Spy(imle.Solver):
        sense = "min"
        event_shape = (3,)

        def solve(self, theta):
            seen.append(theta.sum())
            return theta

    with use_registry(PluginRegistry(entry_points=(), env={})) as registry:
        registry.register(Spy, "spy")
        sums = []
        for seed in (1, 1, 2):
            bench(run, "spy", "--seed", seed)
            sums.append(seen[0])
            seen.clear()
    assert sums[0] == sums[1] != sums[2]
    assert sums[0] > 0  # costs


def test_rows_take_the_instances_of_an_example_in_turn(run):
    from imle_core.testing import Example

    received = []

    class Rows(imle.Solver):
        sense = "max"
        event_shape = (2,)

        def prepare(self, instance):
            return instance

        def solve(self, theta, instances=None):
            received.append(list(instances))
            return theta

    examples = lambda: [Example(instances=("a", "b", "c"))]  # noqa: E731
    with use_registry(PluginRegistry(entry_points=(), env={})) as registry:
        registry.register(SolverSpec(name="rows", factory=Rows, summary="Rows.", examples=examples))
        assert bench(run, "rows")[0] == 0
    assert ["a", "b", "c", "a"] in received


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("torch.k_subst", "Did you mean 'torch.k_subset'?"),
        ("torch.k_subset --set k=x", "k must be int"),
        ("torch.k_subset --set n=5", "torch.k_subset needs k; give it by --set k=..."),
        ("torch.k_subset --set k=1 --batch 0", "--batch takes whole numbers of at least 1"),
        ("torch.k_subset --set k=1 --batch a", "--batch takes whole numbers of at least 1"),
        ("torch.k_subset --set k=1 --set n=5 --shape 6", "--shape 6: torch.k_subset: theta has shape (1, 6)"),
        ("torch.k_subset --set k=1 --estimator imel", "Did you mean 'imle'?"),
        ("torch.k_subset --set k=1 --device gpu", "--device 'gpu' cannot be used"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(run, words, message):
    code, out, err = run("bench", *words.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_solver_without_examples_says_what_it_needs(run):
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Needs:
        k: int = parameter(help="How many.")

    with use_registry(PluginRegistry(entry_points=(), env={})) as registry:
        registry.register(SolverSpec(name="bare", factory="no:such", summary="Bare.", parameters=Needs))
        err = run("bench", "bare")[2]
    assert "local.bare declares no examples, and needs k; give it by --set k=..." in err


def test_the_median_is_that_of_at_least_three_repeats_after_one_to_warm_up():
    calls = []
    timing = _timing.measure(lambda: calls.append(None), seconds=0.0)
    assert len(calls) == _timing.LEAST + 1
    assert timing.low <= timing.median <= timing.high
    assert timing.spread == pytest.approx((timing.high - timing.low) / 2 / timing.median)
    assert _timing.measure(lambda: None, seconds=30.0).repeats == _timing.MOST
