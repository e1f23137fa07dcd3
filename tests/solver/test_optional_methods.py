"""What a solver may implement beside `solve`, and what it says where it does not."""

import pytest
import torch
from toys import OneOfN, TopK, Window

import imle_core as imle
from imle_core.errors import MissingCapabilityError, UnknownNameError


class Listing(OneOfN):
    def enumerate_support(self, *, instance=None):
        return torch.eye(4)

    def log_partition(self, theta, *, instances=None):
        return theta.logsumexp(1)


class Inheriting(Listing):
    pass


def test_a_method_is_implemented_where_it_is_overridden_by_the_class_or_a_parent():
    assert Listing().implements("log_partition")
    assert Inheriting().implements("enumerate_support")
    assert Window().implements("prepare")
    assert not OneOfN().implements("log_partition")
    assert not Listing().implements("decode")


def test_a_method_that_there_is_not_gets_the_closest_match():
    with pytest.raises(UnknownNameError, match="Did you mean 'log_partition'"):
        OneOfN().implements("log_partion")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda solver: solver.enumerate_support(), "TopK has no `enumerate_support`"),
        (lambda solver: solver.log_partition(torch.zeros(1, 3)), "TopK has no `log_partition`"),
    ],
)
def test_what_is_not_implemented_is_an_error_that_names_it(call, message):
    with pytest.raises(MissingCapabilityError, match=message):
        call(TopK())


def test_a_clone_is_an_independent_copy_that_may_be_overridden():
    solver = TopK(2)
    twin = solver.clone()
    twin.k = 1
    assert solver.k == 2

    class Sharing(TopK):
        def clone(self):
            return self

    sharing = Sharing()
    assert sharing.clone() is sharing


def test_a_description_may_declare_picklability_and_a_time_limit():
    spec = imle.SolverSpec(name="x", factory=TopK, summary="x", picklable=False, time_limit=True)
    assert (spec.picklable, spec.time_limit) == (False, True)
    for field in ("picklable", "time_limit"):
        with pytest.raises(imle.errors.RegistrationError, match=f"{field} must be True or False"):
            imle.SolverSpec(name="x", factory=TopK, summary="x", **{field: 1})
