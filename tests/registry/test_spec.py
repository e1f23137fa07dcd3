"""A description that is not valid says so when it is written."""

from dataclasses import dataclass

import pytest

from imle_core.errors import RegistrationError
from imle_core.registry import SolverSpec

VALID = {"name": "top_k", "factory": "module:TopK", "summary": "The k best of n."}


@dataclass
class NotFrozen:
    k: int


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "top k"),
        ("name", "a.b.c"),
        ("name", 3),
        ("factory", "module.TopK"),
        ("factory", ":TopK"),
        ("factory", 3),
        ("examples", "module"),
        ("summary", ""),
        ("summary", "two\nlines"),
        ("aliases", "best"),
        ("aliases", ("the best",)),
        ("requires", ["numpy"]),
        ("references", (1,)),
        ("extra", 3),
        ("sense", "maximise"),
        ("output", "float"),
        ("devices", "cuda"),
        ("negative", "shift"),
        ("batched", 1),
        ("api_version", "1"),
        ("parameters", NotFrozen),
        ("parameters", {"k": int}),
    ],
)
def test_an_invalid_field_is_refused_with_its_value(field, value):
    with pytest.raises(RegistrationError, match=f"SolverSpec .*: {field} must be ") as caught:
        SolverSpec(**{**VALID, field: value})
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("field", ["requires", "conflicts"])
def test_a_requirement_that_cannot_be_read_is_refused(field):
    with pytest.raises(RegistrationError, match="'top_k': 'numpy=>2'"):
        SolverSpec(**VALID, **{field: ("numpy=>2",)})


def test_a_description_cannot_be_changed():
    with pytest.raises(AttributeError):
        SolverSpec(**VALID).name = "other"


@pytest.mark.parametrize("factory", ["module:TopK", "a.b:C.d", len])
def test_a_factory_is_named_or_given(factory):
    assert SolverSpec(**{**VALID, "factory": factory}).factory is factory
