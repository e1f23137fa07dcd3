"""torch.k_subset: its set and its log-partition function, beyond the small examples of the conformance kit."""

import math

import pytest
import torch
from toys import subsets

import imle_core as imle


def theta(rows, n, scale=1.0):
    return scale * torch.randn(rows, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("k", range(8))
def test_log_partition_is_the_logsumexp_over_all_subsets(k):
    points = theta(20, 7, scale=5.0)
    expected = (points @ subsets(7, k).T).logsumexp(1)
    torch.testing.assert_close(imle.solver("torch.k_subset", k=k).log_partition(points), expected)


@pytest.mark.parametrize(("n", "k"), [(1000, 3), (1000, 997), (200, 100)])
def test_log_partition_of_equal_scores_counts_the_subsets(n, k):
    value = imle.solver("torch.k_subset", k=k).log_partition(torch.zeros(1, n, dtype=torch.float64))
    expected = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    assert value.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("k", [0, 1, 3, 5, 6])
def test_derivatives_are_finite_at_large_and_tied_scores(k, dtype):
    points = torch.tensor([[1e4, -1e4, 0, 0, 30, -30], [0, 0, 0, 0, 0, 0]], dtype=dtype, requires_grad=True)
    value = imle.solver("torch.k_subset", k=k).log_partition(points)
    (marginals,) = torch.autograd.grad(value.sum(), points, create_graph=True)
    assert marginals.isfinite().all()
    rounding = 1e4 * torch.finfo(dtype).eps
    torch.testing.assert_close(
        marginals.sum(1), torch.full((2,), k, dtype=dtype), rtol=rounding, atol=rounding
    )
    if 0 < k < 6:  # otherwise the marginals are constants
        (curvature,) = torch.autograd.grad(marginals.square().sum(), points)
        assert curvature.isfinite().all()


def test_log_partition_has_one_value_a_row_also_for_no_rows():
    solver = imle.solver("torch.k_subset", k=2)
    assert solver.log_partition(torch.zeros(0, 5)).shape == (0,)
    batch = theta(4, 5)
    assert torch.equal(solver.log_partition(batch)[2:3], solver.log_partition(batch[2:3]))


def test_the_set_is_listed_once_each():
    assert torch.equal(
        torch.from_numpy(imle.solver("torch.k_subset", k=3, n=6).enumerate_support()), subsets(6, 3)
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"k": 20, "n": 40}, "137,846,528,820 subsets of 20 of 40 entries are too many"),
        ({"k": 2}, "make the solver with n="),
    ],
)
def test_a_set_that_cannot_be_listed_says_why(parameters, message):
    with pytest.raises(imle.errors.MissingCapabilityError, match=message):
        imle.solver("torch.k_subset", **parameters).enumerate_support()


def test_more_entries_than_there_are_is_an_error():
    with pytest.raises(imle.errors.InvalidThetaError, match="k = 5 entries cannot be chosen"):
        imle.solver("torch.k_subset", k=5).log_partition(torch.zeros(2, 3))


def test_encode_of_no_entries():
    assert imle.solver("torch.k_subset", k=0, n=3).encode([]).tolist() == [0, 0, 0]
