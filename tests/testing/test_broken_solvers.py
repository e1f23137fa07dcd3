"""Each fault is found by the check that is named for it, and by as few others as it can be."""

import gc
import logging
import os
import signal
import sys
import warnings
from dataclasses import dataclass

import broken
import numpy as np
import pytest
import torch

import imle_core as imle
from imle_core.testing import Example, all_checks, check_solver
from imle_core.testing._checks import _speed, _traits
from imle_core.testing._settings import settings

INSTANCES = (2, 3, 1)
WRONG = "best_of_answers optimality near_ties"  # what is not the optimum cannot but fail these
WORSE = f"{WRONG} gradient_sign low_temperature monotonicity stability ties"
CHANCE = (
    "copies gradient_sign no_state picklable precision rows scale_invariance stability threads ties training"
)

FAULTS = [
    (broken.WrongShape, "answers", ""),
    (broken.NotFinite, "answers", ""),
    (broken.WrongSense, "monotonicity gradient_sign", WORSE),
    (broken.RunnerUp, "stability best_of_answers", WORSE),
    (broken.Hysteresis, "best_of_answers", f"{WRONG} monotonicity"),
    (broken.Greedy, "optimality", WRONG),
    (broken.Memoised, "no_state", "rows ties"),
    (broken.Alternating, "eval training", f"{CHANCE} low_temperature near_ties"),
    (broken.NormalisesBatch, "rows", WORSE),
    (broken.SortsRows, "rows", f"{WORSE} scale_invariance"),
    (broken.Squeezes, "rows", "training"),
    (broken.AbsoluteTolerance, "scale_invariance", ""),
    (broken.AddsTerms, "scale_invariance", f"{WRONG} gradient_sign low_temperature stability ties training"),
    (broken.Penalty, "precision", "scale_invariance"),
    (broken.RandomTies, "ties", "deterministic"),
    (broken.Noisy, "deterministic", "ties"),
    (broken.RoundsToDigits, "near_ties", ""),
    (broken.RoundsToTwoDigits, "near_ties", ""),
    (broken.RoundsToIntegers, "near_ties", ""),
    (broken.EmptyBelowZero, "best_of_answers feasibility", "near_ties"),
    (broken.WrongBelowZero, "negative_costs", ""),
    (broken.ForgetsSigns, "negative_costs", ""),
    (broken.SolvesInParts, "rows", ""),
    (broken.KeepsSize, "no_state", ""),
    (broken.NeverAnswers, "answers", ""),
    (broken.UnboundedByTolerance, "scale_invariance", ""),
    (broken.Prints, "silence", ""),
    (broken.PrintsPastPython, "silence", ""),
    (broken.Warns, "no_warnings", ""),
    (broken.LeavesFile, "no_files", ""),
    (broken.LeavesLog, "no_files", ""),
    (broken.SeedsNumpy, "random_state", ""),
    (broken.DrawsFromTorch, "random_state", ""),
    (broken.SetsThreads, "global_settings", ""),
    (broken.SilencesNumpy, "global_settings", ""),
    (broken.SetsEnvironment, "global_settings", ""),
    (broken.TakesSignals, "global_settings", ""),
    (broken.LeavesThread, "resources", ""),
    (broken.LeavesOpenFile, "resources", ""),
    (broken.SharedBuffer, "threads", ""),
    (broken.Locked, "copies", "picklable"),
    (broken.ForgetfulCopy, "copies", "threads"),
    (broken.HoldsLambda, "picklable", ""),
    (broken.Misspelt, "declarations", ""),
    (broken.MisspeltMethod, "declarations", ""),
    (broken.NoDocstring, "docstring", ""),
    (broken.DecodeShifts, "round_trip", ""),
    (broken.DecodeReuses, "decode", ""),
    (broken.DecodeOfMixin, "decode", ""),
    (broken.AcceptsAll, "is_feasible", "support"),
    (broken.RefusesGood, "feasibility", "is_feasible support"),
    (broken.RefusesUnusual, "is_feasible", "support"),
    (broken.ListsTwice, "support", "sample"),
    (broken.OffByConstant, "log_partition", ""),
    (broken.SkewedMarginals, "marginals", "second_order"),
    (broken.Detached, "second_order", ""),
    (broken.Overflows, "low_temperature", ""),
    (broken.DoubleOnly, "log_partition marginals", "low_temperature sample"),
    (broken.Infinity, "log_partition", "low_temperature marginals second_order"),
    (broken.Constant, "marginals second_order", ""),
    (broken.SamplesUniformly, "sample", ""),
    (broken.SamplesUnlisted, "sample", ""),
    (broken.SamplesEntries, "sample", ""),
    (broken.SamplesRowsFirst, "sample", ""),
    (broken.SamplesDoubles, "sample", ""),
    (broken.SamplesFirstRow, "sample", ""),
    (broken.SamplesGlobally, "sample", ""),
    (broken.SamplesSeeded, "sample", ""),
    (broken.SamplesAnew, "sample", ""),
    (broken.CrashesOnInstance, "bad_instance", ""),
]
WITH_INSTANCES = [
    (broken.IgnoresInstances, "instances", "feasibility is_feasible low_temperature optimality ties"),
    (broken.FirstInstance, "instances", ""),
    (broken.FirstInstanceFeasible, "instances", ""),
    (broken.FirstInstancePartition, "log_partition", ""),
    (broken.FirstInstanceSample, "sample", ""),
]


@dataclass(frozen=True, kw_only=True)
class NoHelp:
    time_limit: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Misfit:
    limit: float = imle.parameter(10.0, help="Seconds a row.")


@dataclass(frozen=True, kw_only=True)
class Unresolved:
    time_limit: "no_such_module.Seconds" = imle.parameter(10.0, help="Seconds a row.")  # noqa: F821


def no_examples():
    raise FileNotFoundError("graph.json")


DESCRIPTIONS = [
    (broken.Good, "description", {"output": "real"}),
    (broken.Good, "description", {"negative": "clip"}),
    (broken.Good, "description", {"time_limit": True}),
    (broken.Good, "devices", {"devices": "any"}),
    (broken.ThroughNumPy, "devices", {"devices": "any"}),
    (broken.IgnoresTimeLimit, "parameters", {"parameters": NoHelp}),
    (broken.IgnoresTimeLimit, "parameters", {"parameters": Misfit}),
    (broken.IgnoresTimeLimit, "parameters", {"parameters": Unresolved}),
    (broken.any_keyword, "parameters", {}),
    (broken.Good, "examples", {"examples": no_examples}),
    (broken.Good, "examples", {"examples": "no_such_module:examples"}),
    (broken.Good, "examples", {"examples": list}),
    (broken.Good, "examples", {"examples": lambda: [Example(parameters={"k": 1})]}),
    (broken.Good, "examples", {"examples": lambda: [Example(event_shape=(20, 20))]}),
]
TIMED = [
    (broken.IgnoresTimeLimit, "time_limit", {"time_limit": True}),
    (broken.Loops, "batched", {"batched": True}),
    (broken.Slow, "budget", {}),
]
ELSEWHERE = {"check_light_module"}  # test_light_module.py


def _assert_found(found, named, others):
    assert {f"check_{name}" for name in named.split()} <= set(found)
    assert set(found) <= {f"check_{name}" for name in f"{named} {others}".split()}


@pytest.mark.parametrize("instances", [(), INSTANCES])
@pytest.mark.parametrize("solver", [broken.Good, broken.GoodCosts])
def test_the_good_solver_that_the_broken_ones_come_from_fails_nothing(failures, solver, instances):
    assert failures(solver, instances=instances) == {}


@pytest.mark.parametrize("instances", [(), INSTANCES])
def test_an_author_is_given_prepared_instances_as_the_core_gives_them(failures, instances):
    assert failures(broken.Prepares, instances=instances) == {}
    solver = broken.Prepares()
    theta = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for options in ({"estimator": "blackbox", "validate": "full"}, {"estimator": imle.Exact(samples=2)}):
        leaf = theta.clone().requires_grad_()
        imle.SolverLayer(solver, **options)(leaf, instances=INSTANCES).sum().backward()
        assert leaf.grad.isfinite().all()


@pytest.mark.parametrize("solver", [broken.Unbounded, broken.Infeasible])
def test_having_no_answer_to_some_theta_is_as_good_as_an_answer(solver):
    report = check_solver(solver())
    outcomes = {result.check: result.outcome for result in report.results}
    for check in ("rows", "scale_invariance", "monotonicity", "negative_costs", "optimality", "answers"):
        assert outcomes[f"check_{check}"] == "passed"
    told = [r.message for r in report.results if "there is no answer to some theta" in r.message]
    assert len(told) <= 8
    assert all(solver.error.__name__ in message for message in told)


def test_a_constant_log_partition_passes_with_a_gradient_and_without_one_is_told_how(failures):
    assert failures(broken.ConstantWithGradient) == {}
    for message in failures(broken.Constant).values():
        assert "carries a gradient" in message
        assert "0 * theta" in message


@pytest.mark.parametrize(("solver", "check", "others"), FAULTS)
def test_a_fault_is_found_by_the_check_named_for_it(failures, solver, check, others):
    _assert_found(failures(solver), check, others)


@pytest.mark.parametrize(("solver", "check", "others"), WITH_INSTANCES)
def test_a_fault_with_instances_is_found(failures, solver, check, others):
    _assert_found(failures(solver, instances=INSTANCES), check, others)


@pytest.mark.parametrize(("solver", "check", "traits"), DESCRIPTIONS)
def test_a_description_that_is_wrong_is_found(failures, solver, check, traits):
    assert f"check_{check}" in failures(solver, checks=[f"check_{check}"], **traits)


@pytest.mark.parametrize(("solver", "check", "traits"), TIMED)
def test_a_slow_solver_is_found(failures, monkeypatch, solver, check, traits):
    monkeypatch.setattr(_traits, "TIME_BOUND", 0.02)
    monkeypatch.setattr(_speed, "SOLVE_BUDGET", 0.02)
    assert f"check_{check}" in failures(solver, checks=[f"check_{check}"], **traits)


def test_every_check_has_a_solver_that_fails_it():
    rows = FAULTS + WITH_INSTANCES + DESCRIPTIONS + TIMED
    named = {f"check_{name}" for _, names, _ in rows for name in names.split()}
    assert named | ELSEWHERE == {check.name for check in all_checks()}


def test_a_message_says_what_was_asked_what_was_found_and_what_is_usually_wrong(failures):
    for solver in (broken.WrongSense, broken.Squeezes):
        for message in failures(solver).values():
            assert [line.partition(": ")[0] for line in message.splitlines()] == ["asked", "found", "usually"]


def test_a_misspelt_declaration_is_named_with_the_right_one(failures):
    message = failures(broken.Misspelt)["check_declarations"]
    assert "'scale_invarient'" in message
    assert "'scale_invariant'" in message


def test_an_author_is_told_to_declare_scale_invariance(failures):
    message = failures(broken.AbsoluteTolerance)["check_scale_invariance"]
    assert "declare scale_invariant = True" in message
    assert "Example.expected_failures" in message


def test_a_wrong_sense_is_blamed_on_the_sense(failures):
    assert "usually: the sense: it is not 'max'" in failures(broken.WrongSense)["check_monotonicity"]


def test_what_one_check_sees_is_not_hidden_from_another(failures):
    before = np.geterr(), dict(os.environ)
    for solver in (broken.SilencesNumpy, broken.SetsEnvironment):
        assert set(failures(solver)) == {"check_global_settings"}
    assert before == (np.geterr(), dict(os.environ))


LEAKS = {
    "torch.get_default_device()": lambda: torch.set_default_device("cpu"),
    "torch.get_default_dtype()": lambda: torch.set_default_dtype(torch.float64),
    "torch.set_printoptions()": lambda: torch.set_printoptions(precision=2),
    "torch.are_deterministic_algorithms_enabled()": lambda: torch.use_deterministic_algorithms(
        True, warn_only=True
    ),
    "torch.get_float32_matmul_precision()": lambda: torch.set_float32_matmul_precision("medium"),
    "numpy.get_printoptions()": lambda: np.set_printoptions(precision=3),
    "warnings.filters": lambda: warnings.simplefilter("ignore"),
    "logging.disable()": lambda: logging.disable(logging.INFO),
    "the level of the root logger": lambda: logging.getLogger().setLevel(17),
    "gc.isenabled()": gc.disable,
    "sys.path": lambda: sys.path.insert(0, "solvers"),
    "the recursion limit": lambda: sys.setrecursionlimit(4321),
    "the switch interval of threads": lambda: sys.setswitchinterval(0.02),
    "the working folder": lambda: os.chdir(os.sep),
    "os.environ['A_VARIABLE']": lambda: os.environ.pop("A_VARIABLE", None),
    "the handler of SIGINT": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_setting_is_seen_to_change_and_put_back_for_the_next_check_and_for_the_user(monkeypatch, name):
    monkeypatch.setenv("A_VARIABLE", "1")
    monkeypatch.setattr(broken.Sets, "change", staticmethod(LEAKS[name]))
    before = settings()
    # the first check, of those that run before, is the first to see it change
    report = check_solver(broken.Sets(), checks=["check_answers", "check_global_settings"], raises=False)
    assert [result.check for result in report.failures] == ["check_global_settings"]
    assert name in report.failures[0].message
    after = settings()
    assert [key for key in {**before, **after} if before[key] != after[key]] == []


def test_without_an_enumerated_set_a_lax_is_feasible_is_still_found(failures):
    class Lax(broken.AcceptsAll):
        """Leaves the constraint out, and cannot list its set."""

        enumerate_support = imle.Solver.enumerate_support
        log_partition = imle.Solver.log_partition
        sample = imle.Solver.sample

    found = failures(Lax, picklable=False)
    assert (
        {"check_is_feasible", "check_optimality"}
        <= set(found)
        <= {f"check_{c}" for c in WORSE.split()} | {"check_is_feasible"}
    )
    assert "constraint is missing in is_feasible" in found["check_optimality"]


def test_a_heuristic_is_not_asked_for_optima_but_for_its_sense(failures):
    assert failures(broken.Greedy, exact=False) == {}
    assert set(failures(broken.RunnerUp, exact=False)) <= {"check_ties"}
    assert "check_monotonicity" in failures(broken.WrongSense, exact=False)


def test_terms_beside_theta_fail_what_they_make_untrue_and_may_be_declared(failures):
    untrue = {
        "check_best_of_answers",
        "check_near_ties",
        "check_optimality",
        "check_scale_invariance",
    }
    found = failures(broken.Terms)
    assert set(found) == untrue
    assert all("terms beside" in message for message in found.values())
    declared = Example(expected_failures=dict.fromkeys(untrue, "fixed costs beside theta"))
    assert failures(broken.Terms, examples=lambda: [declared]) == {}


def test_random_ties_may_be_declared(failures):
    assert failures(broken.RandomTies, deterministic=False) == {}
