"""What is read of a problem: what PuLP adds, constraints without a name, and numbers of instances in any form."""

import numpy as np
import pulp
import pytest
import torch
from backend_cases import make_program
from imle_pulp._backends import make

import imle_core as imle
from imle_core.errors import InvalidInstanceError, SolverParameterError, SolverTimeoutError


def without_objective():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    take = [pulp.LpVariable(f"take_{i}", cat=pulp.LpBinary) for i in range(3)]
    limit = pulp.lpSum(take) <= 1
    problem += limit
    return problem, take, limit


def test_the_variable_that_pulp_adds_when_it_solves_is_none(tmp_path):
    problem, _, _ = without_objective()
    problem.solve(pulp.PULP_CBC_CMD(msg=False))
    problem.writeMPS(str(tmp_path / "p.mps"))
    for given in (problem, tmp_path / "p.mps"):
        solver = imle.solver("pulp.ilp", problem=given, backend="cp_sat")
        assert solver.entries == ["take_0", "take_1", "take_2"]
        z = solver.solve(np.array([[1.0, 3.0, 2.0]]))
        assert z.tolist() == [[0, 1, 0]]
        assert set(solver.decode(z[0])) == set(solver.entries)


def test_a_variable_of_that_name_that_is_somebodys_own_stays():
    problem, take, _ = without_objective()
    own = pulp.LpVariable("__dummy", 0, 1)
    problem += own + take[0] <= 1
    assert imle.solver("pulp.ilp", problem=problem, theta=[own]).solve(np.array([[1.0]])).tolist() == [[1]]


def test_a_parameter_may_be_a_constraint_without_a_name():
    problem, take, limit = without_objective()
    another = take[0] + take[1] >= 0
    problem += another
    solver = imle.solver(
        "pulp.ilp", problem=problem, theta=take, parameters={"most": limit, "weight": [(limit, take[1])]}
    )
    z = solver.solve(np.ones((2, 3)), instances=[{"most": 2}, {"most": 2, "weight": 3}])
    assert z.sum(1).tolist() == [2, 2]
    assert z[1, 1] == 0
    with pytest.raises(SolverParameterError, match="the problem has no constraint"):
        imle.solver("pulp.ilp", problem=problem, theta=take, parameters={"a": take[2] <= 0})


@pytest.mark.parametrize("number", [2, 2.0, np.int64(2), np.array(2.0), torch.tensor(2), np.array([2]), [2]])
def test_numbers_of_an_instance_have_any_form(number):
    problem, take, limit = without_objective()
    solver = imle.solver("pulp.ilp", problem=problem, theta=take, parameters={"most": limit})
    assert solver.solve(np.ones((1, 3)), instances=[{"most": number}]).sum() == 2


def test_no_states_are_no_error():
    problem, take, _ = without_objective()
    solver = imle.solver("pulp.ilp", problem=problem, theta=take)
    assert solver.solve(np.ones((0, 3))).shape == (0, 3)
    assert solver.is_feasible(np.ones((0, 3))).shape == (0,)
    assert solver.is_feasible(torch.eye(3)).tolist() == [True] * 3


def test_time_limits_hold_for_whether_a_state_can_be_completed():
    """A market split problem of 40 binaries, which no search decides in half a second."""
    rng = np.random.default_rng(0)
    problem = pulp.LpProblem("split", pulp.LpMinimize)
    x = [pulp.LpVariable(f"x{i}", cat=pulp.LpBinary) for i in range(40)]
    rest = pulp.LpVariable("rest", 0, 10)
    for _ in range(3):
        weights = rng.integers(0, 100, 40)
        problem += pulp.lpDot(weights.tolist(), x) == int(weights.sum() // 2)
    problem += x[0] + rest >= 1
    solver = imle.solver("pulp.ilp", problem=problem, theta=[rest], time_limit=0.2)
    for ask in (solver.is_feasible, solver.fixed_terms, lambda states: solver.decode(states[0])):
        with pytest.raises(SolverTimeoutError, match=r"time limit of 0\.2 s"):
            ask(np.array([[1.0]]))


@pytest.mark.parametrize("tail", [0, 1])
def test_a_programme_that_a_backend_cannot_take_is_refused_every_time(tail):
    """Whether or not columns are substituted: the answers of the one before would be wrong."""
    matrix = [
        [9.0, 9, 0],
        [1, 2, 1],
    ]  # with tail, the last column is continuous, and defined by the second row
    program = make_program(
        matrix, [-np.inf, 0], [10, 4 if not tail else 0], [0, 0, -9], [1, 1, 9], [1, 1, 1 - tail]
    )
    model = make("cp_sat", program)
    cost = np.array([-0.9, -0.8, 0])
    assert model.solve(cost).x[:2].tolist() == [1, 0]
    values = program.values.copy()
    values[:2] = 1 / 3**9
    for _ in range(3):
        other = program.with_(values=values)
        for _ in range(2):
            with pytest.raises(InvalidInstanceError, match="cp_sat"):
                model.change(other)
        model.change(program)
        assert model.solve(cost).x[:2].tolist() == [1, 0]


def test_texts_are_no_weights_and_tensors_are_tables():
    with pytest.raises(SolverParameterError, match=r"weights must be numbers.*\['3', '1'\]"):
        imle.solver("pulp.knapsack", weights=["3", "1"], capacity=4)
    theta = np.array([[1.0, 1.5]])
    for sets in (torch.tensor([[1, 1], [0, 1]]), [torch.tensor([0]), torch.tensor([0, 1])], [{0}, {0, 1}]):
        assert imle.solver("pulp.set_cover", sets=sets).solve(theta).tolist() == [[0, 1]]


def test_linear_programmes_say_that_they_are():
    problem = pulp.LpProblem("diet", pulp.LpMinimize)
    x = [pulp.LpVariable(f"x{i}", 0) for i in range(2)]
    problem += x[0] + x[1] >= 1
    for name in ("pulp.lp", "pulp.ilp"):
        assert (
            "It is linear: the primal simplex method" in imle.solver(name, problem=problem, theta=x).explain()
        )
    assert "Solved by cbc" in imle.solver("pulp.ilp", problem=problem, theta=x, backend="cbc").explain()
