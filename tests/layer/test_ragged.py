"""Rows of different sizes: lists, padding and masks."""

import numpy as np
import pytest
import torch
from toys import FirstOf

import imle_core as imle
from imle_core.errors import InvalidInstanceError, InvalidThetaError

SIZES = [3, 5, 1, 4]


def rows(seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(n, generator=generator, dtype=dtype) for n in SIZES]


@pytest.mark.parametrize(
    "estimator", [imle.IMLE(samples=8, tau=1.0), imle.Perturbed(samples=8), imle.BlackBox()]
)
def test_a_list_of_rows_gives_what_padding_with_a_mask_gives(estimator):
    layer = imle.SolverLayer(FirstOf(), estimator)
    leaves = [row.requires_grad_() for row in rows()]
    torch.manual_seed(1)
    found = layer(leaves, instances=SIZES)
    assert [z.shape for z in found] == [(n,) for n in SIZES]
    sum((z * torch.arange(len(z))).sum() for z in found).backward()

    theta, mask = imle.pad([row.detach() for row in leaves])
    theta[~mask] = torch.tensor(1e6)  # whatever stands in the padding
    theta.requires_grad_()
    torch.manual_seed(1)
    z = layer(theta, instances=SIZES, mask=mask)
    (z * torch.arange(5)).sum().backward()
    for i, n in enumerate(SIZES):
        torch.testing.assert_close(z[i, :n], found[i])
        torch.testing.assert_close(theta.grad[i, :n], leaves[i].grad)
    assert not z[~mask].any()
    assert not theta.grad[~mask].any()


def test_a_row_of_a_list_is_solved_as_it_is_alone():
    layer = imle.SolverLayer(FirstOf()).eval()
    found = layer(rows(), instances=SIZES)
    for row, z, n in zip(rows(), found, SIZES, strict=True):
        torch.testing.assert_close(z, layer(row[None], instances=[n])[0])
        assert z.argmax() == row.argmax()


def test_samples_lead_in_each_row_of_a_list():
    layer = imle.SolverLayer(FirstOf(), imle.IMLE(samples=6), reduction="none")
    assert [z.shape for z in layer(rows(), instances=SIZES)] == [(6, n) for n in SIZES]


def test_rows_differ_in_every_dimension_of_an_event():
    shapes = [(2, 3), (1, 4), (3, 1)]
    generator = torch.Generator().manual_seed(0)
    theta = [torch.randn(shape, generator=generator) for shape in shapes]
    layer = imle.SolverLayer(FirstOf(ndim=2)).eval()
    found = layer(theta, instances=shapes)
    assert [tuple(z.shape) for z in found] == shapes
    assert all(z.argmax() == row.argmax() and z.sum() == 1 for z, row in zip(found, theta, strict=True))


def test_the_mask_need_not_reach_the_end_of_theta():
    layer = imle.SolverLayer(FirstOf()).eval()
    theta, mask = imle.pad(rows())
    wide = torch.nn.functional.pad(theta, (0, 3), value=9.0)
    z = layer(wide, instances=SIZES, mask=torch.nn.functional.pad(mask, (0, 3)))
    torch.testing.assert_close(z[:, :5], layer(theta, instances=SIZES, mask=mask))
    assert not z[:, 5:].any()


def test_the_step_of_a_padded_row_is_that_of_the_row_alone():
    """The relative step divides by the magnitude of theta, of which padding is no part."""
    layer = imle.SolverLayer(FirstOf(), imle.IMLE(noise=None))
    row, weight = torch.tensor([1.0, 2.0, -3.0]), torch.tensor([3.0, -1.0, 2.0])
    alone = row.clone().requires_grad_()
    (layer(alone[None], instances=[3]) * weight).sum().backward()
    theta, mask = imle.pad([row, torch.ones(5)])
    theta[0, 3:] = 100.0
    theta.requires_grad_()
    (layer(theta, instances=[3, 5], mask=mask)[0, :3] * weight).sum().backward()
    torch.testing.assert_close(theta.grad[0, :3], alone.grad)


def test_a_compiled_layer_takes_masks():
    layer = imle.SolverLayer(FirstOf(), imle.IMLE(noise=None))
    theta, mask = imle.pad(rows())
    numbers = layer.prepare(SIZES)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    z = compiled(theta, instances=numbers, mask=mask)
    torch.testing.assert_close(z, layer(theta, instances=numbers, mask=mask))


@pytest.mark.parametrize(
    ("width", "instances", "message"),
    [
        (6, [3, 5], r"theta has rows of shape \(6,\), but the largest instance has shape \(5,\)"),
        (4, [3, 5], r"row 1 of theta has shape \(4,\), but its instance has shape \(5,\)"),
    ],
)
@pytest.mark.parametrize("prepared", [False, True])
def test_theta_of_another_size_than_the_instances_is_refused(width, instances, message, prepared):
    solver = FirstOf()
    layer = imle.SolverLayer(solver)
    given = layer.prepare(instances) if prepared else instances
    with pytest.raises(InvalidThetaError, match=message):
        layer(torch.zeros(2, width), instances=given)
    with pytest.raises(InvalidThetaError, match=message):
        solver.solve(np.zeros((2, width)), instances=instances)


def test_a_mask_that_does_not_fit_is_refused():
    layer = imle.SolverLayer(FirstOf())
    theta, mask = imle.pad(rows())
    with pytest.raises(InvalidInstanceError, match="mask of row 2 has 2 entries, but its instance has shape"):
        layer(theta, instances=SIZES, mask=mask | (torch.arange(5) < 2))
    with pytest.raises(InvalidInstanceError, match="mask of row 0"):
        layer(theta, instances=SIZES, mask=mask.flip(1))
    with pytest.raises(InvalidThetaError, match="a mask is bool and of theta's shape"):
        layer(theta, instances=SIZES, mask=mask.double())
    with pytest.raises(InvalidThetaError, match="takes no mask"):
        layer(rows(), instances=SIZES, mask=mask)


def test_rows_that_differ_in_more_than_their_sizes_are_refused():
    with pytest.raises(InvalidThetaError, match="at least one"):
        imle.pad([])
    with pytest.raises(InvalidThetaError, match="differ in their sizes alone"):
        imle.pad([torch.zeros(2), torch.zeros(2, 2)])
    with pytest.raises(InvalidThetaError, match="differ in their sizes alone"):
        imle.pad([torch.zeros(2), torch.zeros(2, dtype=torch.float64)])
