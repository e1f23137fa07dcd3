"""Descriptions that do not fit their solvers: one failure that names the cause, and no flood behind it."""

import dataclasses
import importlib
import sys
import textwrap
from importlib.metadata import EntryPoint

import broken
import pytest

import imle_core as imle
from imle_core.registry import PluginRegistry, use_registry
from imle_core.testing import Example, check_solver, solver_checks


class Choosing(broken.Good):
    """Two of five, or what one asks for."""

    def __init__(self, *, k: int = 2):
        super().__init__()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Other:
    k: int = imle.parameter(3, help="How many.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Same:
    k: int = imle.parameter(2, help="How many.")


def test_a_default_that_differs_between_schema_and_factory_is_found(failures):
    message = failures(Choosing, parameters=Other, checks=["check_parameters"])["check_parameters"]
    assert "the default of k is 3 in the schema and 2 in the factory" in message
    assert failures(Choosing, parameters=Same, checks=["check_parameters"]) == {}


THREE = [Example(label=label) for label in ("one", "two", "three")]


def not_a_solver():
    """Make nothing."""


def needs_a_library():
    """Import what is not there."""
    import no_such_library  # noqa: F401


def divides():
    """Raise."""
    return 1 / 0


@pytest.mark.parametrize(
    ("factory", "traits", "found", "usually"),
    [
        (
            broken.Good,
            {"sense": "min"},
            "described with sense 'min'",
            "what SolverSpec says and what the solver declares",
        ),
        (not_a_solver, {}, "not an imle_core.Solver", "the factory makes no imle_core.Solver"),
        (needs_a_library, {}, "no_such_library", "needs a library that `requires` lacks"),
        (divides, {}, "ZeroDivisionError", "the factory raises it"),
        (broken.Good, {"parameters": Same}, "takes no arguments", "the factory raises it"),
    ],
    ids=["sense", "no solver", "library", "raises", "keyword"],
)
def test_a_solver_that_cannot_be_built_is_told_once_for_all_its_examples(
    failures, factory, traits, found, usually
):
    # what else there is to say of the description may be said besides
    told = failures(factory, examples=lambda: THREE, **traits)
    assert set(told) <= {"check_examples", "check_parameters", "check_docstring"}
    assert told["check_examples"].count(found) == 1
    assert "'one', 'two', 'three'" in told["check_examples"]
    assert usually in told["check_examples"]


def test_an_example_that_cannot_be_built_leaves_the_others():
    examples = [Example(parameters={"k": 2}, label="good"), Example(parameters={"k": "x"}, label="bad")]
    with use_registry(PluginRegistry(entry_points=(), env={})) as registry:
        spec = {"summary": "Some.", "sense": "max", "output": "binary", "examples": lambda: examples}
        registry.register(imle.SolverSpec(name="x.some", factory=Choosing, parameters=Same, **spec))
        results = [each.result() for each in solver_checks("x.some", levels=["api", "contract"])]
    assert {r.check for r in results if r.outcome == "failed"} == {"check_examples"}
    assert {r.outcome for r in results if r.example == "good"} <= {"passed", "skipped"}
    assert any(r.outcome == "passed" for r in results if r.example == "good")


PLUGIN = """
    from imle_core import SolverSpec, hookimpl

    @hookimpl
    def imle_register_solvers():
        return [SolverSpec(name="good", factory="broken:Good", summary="Two of five.", output="binary")]
"""


def test_a_sense_that_the_description_leaves_open_and_the_class_does_not_is_found(tmp_path, monkeypatch):
    (tmp_path / "open_plugin.py").write_text(textwrap.dedent(PLUGIN))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with use_registry(PluginRegistry([EntryPoint("open", "open_plugin", "imle.plugins")], env={})):
        report = check_solver("open.good", checks=["check_description"], raises=False)
    sys.modules.pop("open_plugin", None)
    assert "sense: described as None" in report.failures[0].message
    assert "the class declares 'max'" in report.failures[0].message


class Raising(broken.Good):
    def solve(self, theta):
        raise ZeroDivisionError("nothing to divide by")


def test_an_exception_of_solve_is_not_taken_for_a_wrong_shape(failures):
    message = failures(Raising)["check_answers"]
    assert "solve itself raises it" in message
    assert "another shape" not in message
