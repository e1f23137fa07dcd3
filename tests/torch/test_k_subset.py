"""torch.k_subset against enumeration."""

import pytest
import torch
from toys import subsets

import imle_core as imle


@pytest.mark.parametrize(("n", "k"), [(6, 1), (6, 3), (5, 5), (5, 0)])
def test_it_is_the_best_subset(n, k):
    theta = torch.randn(200, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    every = subsets(n, k)
    z = imle.solver("torch.k_subset", k=k, n=n).solve(theta)
    assert torch.equal(z, every[(theta @ every.T).argmax(1)])


def test_decode_and_encode_are_inverse():
    solver = imle.solver("torch.k_subset", k=2, n=4)
    assert solver.decode(solver.encode([3, 1])) == [1, 3]
    assert solver.is_feasible(torch.tensor([[0.0, 1, 0, 1], [1, 1, 1, 0], [2, 0, 0, 0]])).tolist() == [
        True,
        False,
        False,
    ]


def test_a_state_that_is_no_subset_is_not_decoded():
    solver = imle.solver("torch.k_subset", k=2)
    for state in ([1.0, 1.0, 1.0], [0.5, 0.5, 0.0]):
        with pytest.raises(imle.errors.InvalidSolutionError, match="not an indicator of 2 entries"):
            solver.decode(torch.tensor(state))


def test_bad_input():
    with pytest.raises(imle.errors.SolverParameterError, match="k = 5 entries cannot be chosen from n = 4"):
        imle.solver("torch.k_subset", k=5, n=4)
    with pytest.raises(imle.errors.SolverParameterError, match=r"torch\.k_subset: .*k.*-1"):
        imle.solver("torch.k_subset", k=-1)
    with pytest.raises(
        imle.errors.InvalidThetaError, match="k = 5 entries cannot be chosen from a theta with 3"
    ):
        imle.solver("torch.k_subset", k=5).solve(torch.zeros(2, 3))
    with pytest.raises(imle.errors.InvalidSolutionError, match=r"indices \[1, 1\] of 4 entries"):
        imle.solver("torch.k_subset", k=2, n=4).encode([1, 1])
    with pytest.raises(imle.errors.SolverParameterError, match="encode needs the number of entries"):
        imle.solver("torch.k_subset", k=2).encode([1, 0])
