"""What a plugin author writes, and what the core adds around it."""

import copy
import pickle
import sys

import numpy as np
import pytest
import torch
from toys import TopK

import imle_core as imle


def test_direct_call_returns_the_kind_dtype_and_values_of_what_it_was_given():
    for dtype in (np.float32, np.float64, np.float16):
        z = TopK(2).solve(np.array([[3, 1, 2]], dtype))
        assert isinstance(z, np.ndarray)
        assert z.dtype == dtype
        assert z.tolist() == [[1, 0, 1]]
    z = TopK(2).solve(torch.tensor([[3, 1, 2]], dtype=torch.bfloat16, requires_grad=True))
    assert z.dtype == torch.bfloat16
    assert not z.requires_grad
    assert z.tolist() == [[1, 0, 1]]


def test_annotation_decides_between_arrays_and_tensors():
    kinds = {}

    def by_class(theta: torch.Tensor):
        kinds["class"] = type(theta)
        return theta

    def by_text(theta: "torch.Tensor"):
        kinds["text"] = type(theta)
        return theta

    def by_array(theta: np.ndarray):
        kinds["array"] = type(theta)
        return theta

    def bare(theta):
        kinds["bare"] = type(theta)
        return theta

    for function in (by_class, by_text, by_array, bare):
        imle.FunctionSolver(function, sense="max").solve(np.zeros((1, 2)))
    assert kinds == {"class": torch.Tensor, "text": torch.Tensor, "array": np.ndarray, "bare": np.ndarray}


def test_either_kind_may_be_returned():
    class Mixed(imle.Solver):
        sense = "max"

        def solve(self, theta):
            return torch.from_numpy(theta > 0)

    assert Mixed().solve(np.array([[1.0, -1.0]])).tolist() == [[1, 0]]


def test_no_gradient_is_tracked_in_a_solver():
    class Asks(imle.Solver):
        sense = "max"

        def solve(self, theta: torch.Tensor):
            assert not theta.requires_grad
            assert not torch.is_grad_enabled()
            return theta

    theta = torch.ones(2, 3, requires_grad=True)
    imle.SolverLayer(Asks())(theta).sum().backward()
    Asks().solve(theta)


def test_a_subclass_may_call_the_solve_of_its_parent():
    class Reversed(TopK):
        def solve(self, theta):
            return super().solve(-theta)

    assert Reversed(1).solve(np.array([[3.0, 1.0, 2.0]])).tolist() == [[0, 1, 0]]


def test_decode_is_written_for_one_state_and_called_for_any_batch():
    class Decoding(TopK):
        def decode(self, z, *, instance=None):
            return np.flatnonzero(z).tolist()

    z = torch.tensor([[[1.0, 0, 1], [0, 1, 1]]])
    assert Decoding().decode(z[0, 0]) == [0, 2]
    assert Decoding().decode(z[0]) == [[0, 2], [1, 2]]
    assert Decoding().decode(z.requires_grad_()) == [[[0, 2], [1, 2]]]


def test_name_is_that_of_the_class_until_a_registry_gives_one():
    assert TopK().name == "TopK"
    assert imle.solver("torch.k_subset", k=1).name == "torch.k_subset"


def test_sense_may_belong_to_the_instance():
    class Either(imle.Solver):
        def __init__(self, sense):
            self.sense = sense

        def solve(self, theta):
            best = theta.argmax(1) if self.sense == "max" else theta.argmin(1)
            return np.eye(theta.shape[1])[best]

    theta = torch.tensor([[1.0, 2.0, 3.0]])
    assert imle.SolverLayer(Either("max")).eval()(theta).tolist() == [[0, 0, 1]]
    assert imle.SolverLayer(Either("min")).eval()(theta).tolist() == [[1, 0, 0]]


def test_explain_says_what_it_does():
    assert TopK().explain() == "TopK: maximises scores."


def test_a_solver_may_reuse_what_it_returned():
    class Reusing(imle.Solver):
        sense = "max"
        buffer = None

        def solve(self, theta):
            if self.buffer is None:
                self.buffer = np.zeros_like(theta)
            self.buffer[:] = np.eye(theta.shape[1])[theta.argmax(1)]
            return self.buffer

    theta = torch.tensor([[1.0, 2.0], [4.0, 3.0]], requires_grad=True)
    solver = Reusing()
    first = solver.solve(theta)
    solver.solve(-theta)
    assert first.tolist() == [[0, 1], [1, 0]]
    (imle.SolverLayer(solver, imle.BlackBox(lam=10.0))(theta) * torch.tensor([0.0, 1.0])).sum().backward()
    assert theta.grad.abs().sum() > 0


def test_a_user_may_write_over_what_a_memoising_solver_returned():
    class Memoising(imle.Solver):
        sense = "max"
        answer = np.eye(3)

        def solve(self, theta):
            return self.answer

    layer = imle.SolverLayer(Memoising()).eval()
    theta = torch.zeros(3, 3)
    layer(theta).mul_(5)
    assert torch.equal(layer(theta), torch.eye(3))


def test_solve_of_a_mix_in_is_checked_too():
    class Mixin:
        def solve(self, theta):
            return theta * np.nan

    class Mixed(Mixin, imle.Solver):
        sense = "max"

    for call in (Mixed().solve, imle.SolverLayer(Mixed())):
        with pytest.raises(imle.errors.InvalidSolutionError, match="not finite"):
            call(torch.ones(1, 2))


def test_a_solve_on_the_instance_is_refused_and_not_ignored():
    solver = TopK(2)
    solver.solve = lambda theta: theta
    with pytest.raises(imle.errors.SolverParameterError, match="a `solve` on the instance"):
        imle.SolverLayer(solver)


def test_scalar_events_and_events_without_entries():
    class Sign(imle.Solver):
        sense = "max"
        event_shape = ()

        def solve(self, theta):
            return theta > 0

    theta = torch.tensor([[1.0, -1.0]], requires_grad=True)
    layer = imle.SolverLayer(Sign(), imle.BlackBox(lam=3.0))
    z = layer(theta)
    assert z.tolist() == [[1, 0]]
    (z * torch.tensor([1.0, -1.0])).sum().backward()
    # lam = 3: the targets are 1 - 3 and -1 + 3, so both entries change, and G = (z - z') / 3
    torch.testing.assert_close(theta.grad, torch.tensor([[1 / 3, -1 / 3]]))

    seen = []

    class Nothing(imle.Solver):
        sense = "max"
        event_shape = (0,)

        def solve(self, theta):
            seen.append(theta.shape)
            return theta

    assert imle.SolverLayer(Nothing(), imle.IMLE())(torch.zeros(4, 0)).shape == (4, 0)
    assert seen == [(4, 0)]  # a solver decides whether the empty structure is one


def test_decode_of_a_batch_takes_an_instance_for_each_row():
    class Decoding(TopK):
        event_shape = (3,)

        def decode(self, z, *, instance=None):
            return instance, np.flatnonzero(z).tolist()

    z = np.array([[1.0, 0, 1], [0, 1, 1]])
    assert Decoding().decode(z, instances=["a", "b"]) == [("a", [0, 2]), ("b", [1, 2])]
    with pytest.raises(imle.errors.InvalidInstanceError, match="1 instances for states of batch shape"):
        Decoding().decode(z, instances=["a"])


@imle.differentiable(sense="min", estimator=imle.BlackBox())
def cheapest(costs):
    """Stand at the top of a module, where pickle finds decorated functions by name."""
    return np.eye(costs.shape[1])[costs.argmin(1)]


def test_a_decorated_function_is_pickled_by_the_name_of_its_layer():
    sys.modules.setdefault(__name__, sys.modules[cheapest.solver.function.__module__])
    for clone in (copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        twin = clone(cheapest)
        assert twin.solver.function is cheapest.solver.function
        assert twin(torch.tensor([[2.0, 1.0]])).tolist() == [[0, 1]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_whole_numbers_that_half_precision_cannot_hold_are_an_error(dtype):
    class Many(imle.Solver):
        sense = "max"
        output = "integer"

        def solve(self, theta):
            return np.full_like(theta, 2049.0)

    assert Many().solve(torch.ones(1, 2)).tolist() == [[2049, 2049]]
    with pytest.raises(imle.errors.InvalidThetaError, match=r"row 0: the state has 2049 .*cannot hold"):
        Many().solve(torch.ones(1, 2, dtype=dtype))


@pytest.mark.parametrize(("dtype", "powers"), [(np.float64, (-1000, 1000)), (np.float32, (-120, 120))])
def test_rows_of_any_scale_reach_the_solver_alike(dtype, powers):
    seen = []

    class Watching(imle.Solver):
        sense = "min"
        scale_invariant = True

        def solve(self, theta):
            seen.append(theta.copy())
            return np.zeros_like(theta)

    theta = np.array([[1.0, 0.3, 0.7]], dtype)
    for power in (0, *powers):
        Watching().solve(np.ldexp(theta, power))
    for rows in seen:
        np.testing.assert_array_equal(rows, seen[0])
