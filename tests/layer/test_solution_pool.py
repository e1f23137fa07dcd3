"""A layer's pool of solutions: hints for its solver, and answers in the solver's place."""

import copy
import io
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from toys import TopK, Window

import imle_core as imle
from imle_core.errors import InfeasibleError, SolverError


class Hinted(TopK):
    """Best of n, which keeps the hints that it is given."""

    event_shape = (5,)

    def __init__(self, k=2):
        super().__init__(k)
        self.hints = []

    def solve(self, theta, *, hint=None):
        self.hints.append(None if hint is None else np.array(hint))
        return super().solve(theta)


def test_a_solver_that_takes_hints_has_a_pool_and_begins_without_any():
    layer = imle.SolverLayer(Hinted(), "blackbox")
    layer(torch.rand(3, 5))
    assert np.isnan(layer.solver.hints[0]).all()
    assert len(layer.pool) > 0


def test_the_hint_is_the_best_structure_that_was_found_before():
    layer = imle.SolverLayer(Hinted(1), "blackbox")
    layer(torch.eye(5)[:3])
    layer(torch.tensor([[0.0, 3.0, 2.0, 9.0, 9.0]]))
    assert layer.solver.hints[1].tolist() == [[0, 1, 0, 0, 0]]


def test_the_forward_solution_is_known_in_the_backward_pass():
    layer = imle.SolverLayer(Hinted(1), imle.BlackBox())
    theta = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]], requires_grad=True)
    (layer(theta) * torch.tensor([0.0, 0.0, 0.0, -0.1, 9.0])).sum().backward()
    assert layer.solver.hints[1].tolist() == [[0, 0, 0, 0, 1]]


def test_a_minimising_solver_is_given_the_cheapest():
    class Cheapest(Hinted):
        sense = "min"

        def solve(self, theta, *, hint=None):
            self.hints.append(np.array(hint))
            return np.eye(5)[theta.argmin(1)]

    layer = imle.SolverLayer(Cheapest(1), "blackbox")
    layer(1 - torch.eye(5)[:2])
    layer(torch.tensor([[1.0, 2.0, 0.0, 0.0, 0.0]]))
    assert layer.solver.hints[1].tolist() == [[1, 0, 0, 0, 0]]


def test_without_a_pool_there_are_no_hints():
    layer = imle.SolverLayer(Hinted(), "blackbox", pool=None)
    layer(torch.rand(3, 5))
    assert layer.solver.hints == [None]


def test_solvers_that_take_no_hints_have_no_pool():
    assert imle.SolverLayer(TopK()).pool is None


def test_rows_have_structures_of_their_own_instance_alone():
    class HintedWindow(Window):
        def solve(self, theta, *, instances=None, hint=None):
            self.last = hint
            return super().solve(theta, instances=instances)

    layer = imle.SolverLayer(HintedWindow(), "blackbox")
    layer(torch.rand(2, 5), instances=[0, 1])
    layer(torch.rand(3, 5), instances=[1, 0, 2])
    known = ~np.isnan(layer.solver.last).any(1)
    assert known.tolist() == [True, True, False]


def rows_solved(layer):
    return sum(layer.solver.batches)


def test_solve_ratio_0_takes_every_known_row_from_the_pool_in_training_alone():
    layer = imle.SolverLayer(TopK(1), "blackbox", solve_ratio=0.0)
    theta = torch.eye(5)
    assert torch.equal(layer(theta), theta)  # nothing known yet: all are solved
    assert rows_solved(layer) == 5
    again = layer(torch.rand(64, 5))
    assert rows_solved(layer) == 5
    assert (again.sum(1) == 1).all()
    layer.eval()(torch.rand(7, 5))
    assert rows_solved(layer) == 12


def test_what_the_pool_answers_is_its_best_structure():
    pool = imle.SolutionPool()
    pool.add(torch.eye(5)[:3])
    layer = imle.SolverLayer(TopK(1), "blackbox", pool=pool, solve_ratio=0.0)
    theta = torch.tensor([[1.0, 3.0, 2.0, 9.0, 9.0]])
    assert layer(theta).tolist() == [[0, 1, 0, 0, 0]]


def test_solve_ratio_is_the_share_of_rows_that_are_solved():
    pool = imle.SolutionPool()
    pool.add(torch.eye(5))
    generator = torch.Generator().manual_seed(3)
    layer = imle.SolverLayer(TopK(1), "blackbox", pool=pool, solve_ratio=0.3, generator=generator)
    layer(torch.rand(4000, 5))
    assert abs(rows_solved(layer) - 1200) < 150  # 5 standard deviations


def test_the_report_counts_what_the_pool_answered():
    pool = imle.SolutionPool()
    pool.add(torch.eye(5))
    layer = imle.SolverLayer(TopK(1), "blackbox", pool=pool, solve_ratio=0.0)
    theta = torch.rand(6, 5, requires_grad=True)
    (layer(theta) * torch.randn(5)).sum().backward()
    assert layer.last_report.avoided["pool"] == 12
    assert layer.last_report.solves == 0


def test_outcomes_of_rows_that_the_pool_answered_are_feasible():
    class Telling(TopK):
        def solve(self, theta):
            z = super().solve(theta)
            self.note_outcomes(np.zeros(len(theta)), (z * theta).sum(1), np.zeros(len(theta)))
            return z

    pool = imle.SolutionPool()
    pool.add(torch.eye(5))
    layer = imle.SolverLayer(Telling(1), "blackbox", pool=pool, solve_ratio=0.5)
    theta = torch.rand(40, 5, requires_grad=True)
    torch.manual_seed(0)
    (layer(theta) * torch.randn(5)).sum().backward()
    report = layer.last_report
    solved = report.statuses == imle.Status.OPTIMAL
    assert 0 < solved.sum() < 40
    assert (report.statuses[~solved] == imle.Status.FEASIBLE).all()
    best = theta.detach().amax(1).numpy()[None]
    np.testing.assert_allclose(report.objectives[solved], best[solved], rtol=1e-6)


def test_an_error_names_the_row_of_the_users_batch():
    class Failing(TopK):
        def solve(self, theta):
            bad = np.flatnonzero(theta[:, 0] > 0)
            if len(bad):
                raise SolverError("no", row=int(bad[0]))
            return super().solve(theta)

    pool = imle.SolutionPool()
    pool.add(torch.eye(5))
    layer = imle.SolverLayer(Failing(1), "blackbox", pool=pool, solve_ratio=0.5)
    theta = torch.zeros(30, 5)
    theta[17, 0] = 1
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        try:
            layer(theta)
        except SolverError as error:
            seen.add(error.row)
    assert seen == {17}


class Priced(TopK):
    """One of five, where the first costs 10 beside theta."""

    event_shape = (5,)
    scale_invariant = False

    def solve(self, theta):
        return super().solve(theta - 10 * np.eye(5)[0])

    def fixed_terms(self, z, *, instances=None):
        return -10 * z[:, 0]


def test_the_pool_compares_the_whole_objective_where_theta_is_not_all_of_it():
    layer = imle.SolverLayer(Priced(1), "blackbox", solve_ratio=1.0)
    layer.solve_ratio = 0.5  # a pool is made
    torch.manual_seed(0)
    layer(torch.tensor([[20.0, 0, 0, 0, 0], [0, 1.0, 0, 0, 0]]))
    layer.solve_ratio = 0.0
    assert layer(torch.tensor([[9.0, 1.0, 0, 0, 0]])).tolist() == [[0, 1, 0, 0, 0]]
    assert layer(torch.tensor([[19.0, 1.0, 0, 0, 0]])).tolist() == [[1, 0, 0, 0, 0]]


def test_the_whole_objective_counts_of_what_was_found_before_the_pool_answered_rows():
    layer = imle.SolverLayer(Priced(1), "blackbox", pool=10)
    layer(torch.tensor([[20.0, 0, 0, 0, 0]]))
    layer.pool.add(torch.eye(5)[1:2])
    layer.solve_ratio = 0.0
    assert layer(torch.tensor([[9.0, 1.0, 0, 0, 0]])).tolist() == [[0, 1, 0, 0, 0]]


def test_threads_may_share_a_pool():
    pool, interval = imle.SolutionPool(), sys.getswitchinterval()

    def work(thread):
        for i in range(60):
            pool.add(torch.tensor([[thread, i]]))
            pool.best(torch.ones(1, 2))

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(6) as executor:
            list(executor.map(work, range(6)))
    finally:
        sys.setswitchinterval(interval)
    assert len(pool) == 360


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
def test_a_copy_has_a_pool_of_its_own(clone):
    layer = imle.SolverLayer(Hinted(1), "blackbox")
    layer(torch.eye(5)[:2])
    other = clone(layer)
    assert other._binding.pool is other.pool
    other(torch.eye(5)[2:])
    assert (len(layer.pool), len(other.pool)) == (2, 5)


def test_the_pool_is_saved_with_the_model():
    layer = imle.SolverLayer(Hinted(1), "blackbox")
    layer(torch.eye(5)[:2])
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    other = imle.SolverLayer(Hinted(1), "blackbox")
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(other.pool.states, layer.pool.states)


def test_a_checkpoint_from_before_there_were_pools_is_loaded():
    state = imle.SolverLayer(Hinted(1), "blackbox").state_dict()
    layer = imle.SolverLayer(Hinted(1), "blackbox")
    layer(torch.eye(5)[:2])
    layer.load_state_dict({key: value for key, value in state.items() if "pool" not in key})
    assert len(layer.pool) == 2


def test_the_pool_is_no_buffer_that_distributed_training_would_copy():
    layer = imle.SolverLayer(Hinted(1), "blackbox")
    layer(torch.eye(5))
    assert list(layer.buffers()) == []


def test_it_works_in_compiled_code_and_under_vmap():
    pool = imle.SolutionPool()
    pool.add(torch.eye(5)[:3])
    layer = imle.SolverLayer(TopK(1), "blackbox", pool=pool, solve_ratio=0.0)
    theta = torch.rand(4, 5)
    expected = torch.eye(5)[theta[:, :3].argmax(1)]
    assert torch.equal(torch.compile(layer, backend="eager", fullgraph=True)(theta), expected)
    assert torch.equal(torch.vmap(layer)(theta), expected)


@pytest.mark.parametrize("bad", ["all", 1.5, -1, True])
def test_a_solve_ratio_that_is_no_share_is_refused(bad):
    with pytest.raises(ValueError, match="solve_ratio must be a number from 0 to 1"):
        imle.SolverLayer(TopK(), solve_ratio=bad)


@pytest.mark.parametrize("bad", ["none", 2.5, [], True])
def test_a_pool_that_is_none_is_refused(bad):
    with pytest.raises(TypeError, match=r"pool must be an imle_core\.SolutionPool"):
        imle.SolverLayer(TopK(), pool=bad)


def test_a_share_that_no_pool_can_answer_is_refused():
    with pytest.raises(ValueError, match=r"solve_ratio=0.5 takes the other answers from a pool"):
        imle.SolverLayer(TopK(), pool=None, solve_ratio=0.5)


def test_a_number_is_the_capacity_of_a_new_pool():
    assert imle.SolverLayer(TopK(), pool=7).pool.capacity == 7


def test_states_without_dimensions_are_compared():
    pool = imle.SolutionPool()
    pool.add(torch.tensor([0.0, 3.0]))
    best, known = pool.best(torch.tensor([2.0, -1.0, 1.0]))
    assert best.tolist() == [3, 0, 3]
    assert known.all()


def test_a_structure_of_another_problem_is_named_where_its_fixed_terms_are_wanted():
    class Checked(Priced):
        def fixed_terms(self, z, *, instances=None):
            raise InfeasibleError("no", row=0)

    layer = imle.SolverLayer(Checked(1), "blackbox", pool=10, solve_ratio=0.0)
    layer.pool.add(torch.ones(1, 5))
    with pytest.raises(InfeasibleError, match="empty pool") as caught:
        layer(torch.rand(2, 5))
    assert caught.value.row is None


def test_structures_of_another_problem_in_a_checkpoint_are_no_answers():
    saved = imle.SolverLayer(TopK(1), "blackbox", pool=10)
    saved(torch.eye(5))
    layer = imle.SolverLayer(TopK(2), "blackbox", pool=10, solve_ratio=0.0)
    layer.load_state_dict(saved.state_dict())
    with pytest.raises(InfeasibleError, match="not one of this solver's: of another problem"):
        layer(torch.rand(2, 5))
    layer.eval()(torch.rand(2, 5))


def test_only_structures_that_others_brought_are_checked():
    class Counted(TopK):
        checked = 0

        def is_feasible(self, z, *, instances=None):
            self.checked += len(z)
            return super().is_feasible(z)

    layer = imle.SolverLayer(Counted(1), "blackbox", pool=10, solve_ratio=0.0)
    layer(torch.eye(5)[:3])
    layer.pool.add(torch.eye(5)[3:])
    for _ in range(3):
        layer(torch.rand(4, 5))
    assert layer.solver.checked == 2


def test_a_pool_that_nobody_asked_for_stays_small_where_structures_are_large():
    class Large(Hinted):
        event_shape = (300, 300)

    assert imle.SolverLayer(Hinted()).pool.capacity == 1000
    assert (imle.SolverLayer(Large()).pool.capacity, imle.SolverLayer(Large()).pool.total) == (46, 46)


def test_a_pool_that_is_assigned_is_the_one_that_is_used():
    layer = imle.SolverLayer(Hinted(1), "blackbox")
    layer.pool = mine = imle.SolutionPool()
    layer(torch.eye(5)[:2])
    assert len(mine) == 2
    assert layer.pool is mine
    layer.pool = None
    layer(torch.eye(5))
    assert layer.solver.hints[-1] is None
    layer.pool = 3
    assert layer.pool.capacity == 3
    with pytest.raises(TypeError, match=r"pool must be an imle_core\.SolutionPool"):
        layer.pool = []
