"""``imle check``, as a user types it."""

import json

import broken
import pytest

from imle_core.cli import main
from imle_core.registry import PluginRegistry, SolverSpec, use_registry
from imle_core.testing import Example


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command at a width; return its exit code, its output and its errors."""

    def run(*words, width=80):
        monkeypatch.setenv("COLUMNS", str(width))
        with use_registry(PluginRegistry(entry_points=(), env={})) as registry:
            for factory in (broken.Good, broken.Misspelt, broken.RunnerUp):
                spec = SolverSpec(
                    name=f"x.{factory.__name__.lower()}",
                    factory=factory,
                    summary="Two of five.",
                    sense="max",
                    output="binary",
                    examples=lambda: [
                        Example(label="plain"),
                        Example(label="late", expected_failures={"check_ties": "for show"}),
                    ],
                )
                registry.register(spec)
            with pytest.raises(SystemExit) as caught:
                main(["check", *words])
        return (caught.value.code or 0, *capsys.readouterr())

    return run


def test_a_good_solver_is_exit_code_0(run):
    code, out, err = run("x.good", "--level", "contract", "--level", "api")
    assert (code, err) == (0, "")
    assert "x.good" in out
    assert "2 examples: plain; late" in out
    assert "pass   check_rows" in out
    assert "registered at run time: there is no plugin module" in " ".join(out.split())
    assert out.splitlines()[-1].endswith(" s")
    assert "mathematics" not in out


@pytest.mark.parametrize("width", [80, 120])
def test_failures_are_shown_in_full_and_no_line_is_too_long(run, width):
    code, out, _ = run("x.runnerup", "--level", "mathematics", width=width)
    assert code == 1
    assert max(map(len, out.splitlines())) <= width
    text = " ".join(out.split())
    assert "FAIL check_best_of_answers" in text
    assert "asked no answer is beaten by another answer of the same set" in text
    assert "usually the sense is wrong, the search is not exact" in text
    assert "xfail" not in text.partition("check_ties")[0]


def test_chosen_checks_are_run_alone(run):
    code, out, _ = run("x.misspelt", "--check", "check_declarations", "--check", "check_rows")
    assert code == 1
    assert "scale_invarient" in out
    assert "2 passed, 2 failed, in " in out


def test_to_check_nothing_is_exit_code_1_and_says_why(run):
    code, out, _ = run("x.good", "--check", "check_time_limit")
    assert code == 1
    assert "Nothing was checked: no time limit is declared." in " ".join(out.split())
    code, out, _ = run("x.good", "--check", "check_time_limit", "--json")
    assert (code, json.loads(out)["passed"]) == (1, False)


def test_an_expected_failure_that_passes_fails(run):
    code, out, _ = run("x.good", "--check", "check_ties")
    assert code == 1
    assert "it passes, but is expected to fail (for show): remove that" in " ".join(out.split())


def test_json(run):
    code, out, _ = run("x.misspelt", "x.good", "--check", "check_declarations", "--json")
    told = json.loads(out)
    assert code == 1
    assert told["passed"] is False
    assert [(r["solver"], r["example"], r["outcome"]) for r in told["results"]] == [
        ("x.misspelt", "plain", "failed"),
        ("x.misspelt", "late", "failed"),
        ("x.good", "plain", "passed"),
        ("x.good", "late", "passed"),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x.goood"], "Did you mean 'x.good'?"),
        (["y.*"], "no plugin named 'y'"),
        (["x.good", "--check", "check_tie"], "Did you mean 'check_ties'?"),
        (["x.good", "--level", "maths"], "There are: api, contract, mathematics"),
    ],
)
def test_a_mistake_is_exit_code_2(run, words, message):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert message in err


def test_all_of_a_namespace_is_checked(run):
    code, out, _ = run("x.*", "--check", "check_docstring")
    assert code == 0
    assert [line for line in out.splitlines() if line.startswith("x.")] != []
    assert out.count("pass   check_docstring") == 3
