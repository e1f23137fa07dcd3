"""The names of the backends: which there are, what each can solve, and what is said where it cannot."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from backend_cases import make_program, set_cover
from imle_pulp._backends import NAMES, _table, can_solve, candidates, is_command, make, pulp_command
from imle_pulp._backends._integral import row_factors

from imle_core.errors import MissingDependencyError, SolverError, SolverParameterError


@pytest.fixture
def cover():
    return set_cover(np.random.default_rng(0), 12, 8)[0]


@pytest.fixture
def without(monkeypatch):
    """Make libraries look as if they were not installed."""

    def hide(*names):
        version = _table.importlib.metadata.version

        def look(name):
            if name in names:
                raise _table.importlib.metadata.PackageNotFoundError(name)
            return version(name)

        monkeypatch.setattr(_table.importlib.metadata, "version", look)
        _table._missing.cache_clear()

    yield hide
    monkeypatch.undo()
    _table._missing.cache_clear()


def test_unknown_names_get_the_closest_and_all_others(cover):
    with pytest.raises(
        SolverParameterError, match=r"unknown backend 'higs'\. Did you mean 'highs'\? Backends: auto, cp_sat,"
    ):
        make("higs", cover)
    with pytest.raises(SolverParameterError, match="unknown backend 'glpk'"):
        can_solve("glpk", cover)


@pytest.mark.parametrize("name", ["CHOCO_CMD", "COPT_CMD", "XPRESS", "XPRESS_CMD"])
def test_commands_that_pulp_starts_through_a_shell_are_no_backends(cover, name):
    assert name not in NAMES
    with pytest.raises(SolverParameterError, match=r"unknown backend|is not supported"):
        make(name, cover)


def test_solvers_that_pulp_knows_are_told_from_mistakes(cover):
    with pytest.raises(SolverParameterError, match=r"PuLP's solver 'CPLEX_PY' is not supported.*'CPLEX_CMD'"):
        make("CPLEX_PY", cover)


def test_libraries_that_are_missing_are_named_with_what_installs_them(cover, without):
    without("gurobipy", "highspy")
    with pytest.raises(
        MissingDependencyError, match=r"needs gurobipy.*not installed.*pip install 'gurobipy'"
    ):
        make("gurobi", cover)
    with pytest.raises(MissingDependencyError, match=r"needs highspy.*pip install 'imle-core\[pulp\]'"):
        _table.relaxation(cover)
    assert "not installed" in can_solve("highs", cover)


def test_commands_that_are_missing_are_named(cover, monkeypatch):
    monkeypatch.setenv("PATH", "")
    _table._missing.cache_clear()
    with pytest.raises(
        MissingDependencyError, match=r"'GLPK_CMD' needs the command 'glpsol', which is not found"
    ):
        make("GLPK_CMD", cover)
    _table._missing.cache_clear()


def test_auto_has_the_libraries_that_are_free_and_able(cover, without):
    assert candidates(cover) == ["cp_sat", "highs"]
    assert candidates(cover.with_(integer=np.zeros(cover.width, bool))) == ["highs"]
    without("highspy", "ortools")
    assert candidates(cover) == ["scipy"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"integer": [True, False]}, r"the variable .* is continuous"),
        ({"upper": [1, np.inf]}, r"the integer .* has no finite bounds"),
        ({"values": [1, np.pi]}, r"the coefficients of the constraint 'row 0'"),
        ({"upper": [1, 2.0**40]}, "fewer than 30 bits"),
        ({"values": [1, 2.0**52], "upper": [1, 1024]}, "do not fit"),
    ],
)
def test_what_cp_sat_cannot_solve_is_said_in_words(changes, reason):
    program = make_program([[1, 2]], [0], [3], [0, 0], [1, 1], [True, True])
    assert can_solve("cp_sat", program) is None
    other = program.with_(**{name: np.array(value) for name, value in changes.items()})
    with pytest.raises(SolverParameterError, match=rf"'cp_sat' cannot solve this problem: .*{reason}"):
        make("cp_sat", other)


def test_rows_become_integers_by_the_factor_that_they_need():
    matrix = [[1, 2, -3], [2.25, 1, 0], [0.1, 0.2, 0.7], [0.125, 3, 0], [1 / 3, 1, 0]]
    program = make_program(matrix, [0] * 5, [9] * 5, [0] * 3, [4] * 3, [True] * 3)
    np.testing.assert_array_equal(row_factors(program), [1, 4, 10, 8, np.nan])


def test_commands_are_told_from_libraries():
    assert is_command("cbc")
    assert is_command("SCIP_CMD")
    assert not is_command("highs")
    assert not is_command("HiGHS")  # PuLP's name of what runs in this process


def test_a_command_without_a_reason_is_an_error_and_a_late_one_is_no_optimum(cover, monkeypatch):
    model = make("cbc", cover)
    model.solve(np.full(12, 0.5))
    model._problem.status, model._problem.sol_status = 0, 0
    with pytest.raises(SolverError, match="gave no solution and no reason"):
        model._read(late=False)
    model._problem.status = model._problem.sol_status = 1
    model._command = "SCIP_CMD"  # which PuLP calls optimal also when time ran out
    assert model._read(late=True).status is pulp_command.Outcome.TIME_LIMIT
    assert model._read(late=False).status is pulp_command.Outcome.OPTIMAL


def test_the_names_are_known_without_any_library():
    script = (
        "import sys; from imle_pulp._backends import NAMES; assert 'highs' in NAMES;"
        "print(sorted({'highspy', 'ortools', 'pulp', 'scipy', 'gurobipy'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
