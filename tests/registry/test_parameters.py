"""What a user gives is checked before a solver is built."""

# ruff: noqa: UP045 - `parameter` returns a dataclass field; old unions are tested too

import subprocess
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Optional, Protocol

import numpy as np
import pytest

from imle_core.errors import RegistrationError, SolverParameterError
from imle_core.registry import parameter, parameters_of
from imle_core.registry._check import check_parameters, with_defaults
from imle_core.registry._types import matches


class Unchecked(Protocol):
    x: int


@dataclass(frozen=True, kw_only=True)
class Schema:
    graph: "fractions.Fraction" = parameter(help="The graph.")  # noqa: F821 - resolved when it is checked
    source: Hashable = parameter(help="The first node.")
    method: Literal["dijkstra", "bellman_ford"] = parameter("dijkstra", help="The algorithm.")
    share: float | None = parameter(None, help="A share.", ge=0, lt=1)
    extra: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.share == self.source:
            raise ValueError("share and source must differ")


GOOD = {"graph": __import__("fractions").Fraction(1), "source": (0, 0)}


def check(**given: Any) -> dict[str, Any]:
    check_parameters("p.solver", Schema, given)
    return with_defaults("p.solver", Schema, given)


def test_an_array_in_place_of_a_sequence_is_refused_with_how_to_give_it():
    @dataclass(frozen=True, kw_only=True)
    class Pairs:
        needs: Sequence[Sequence[int]] = parameter(help="Pairs.")

    check_parameters("p.solver", Pairs, {"needs": np.ones((2, 2), int).tolist()})
    with pytest.raises(SolverParameterError, match=r"Give it as Python's own, needs\.tolist\(\)\."):
        check_parameters("p.solver", Pairs, {"needs": np.ones((2, 2), int)})
    with pytest.raises(SolverParameterError) as caught:  # nor would a list do
        check_parameters("p.solver", Pairs, {"needs": np.ones((2, 2))})
    assert "tolist" not in str(caught.value)


def test_good_parameters_are_returned_with_the_defaults():
    values = check(**GOOD, share=0)
    assert values == {**GOOD, "method": "dijkstra", "share": 0, "extra": {}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"grpah": 1},
            "unknown parameter 'grpah'. Did you mean 'graph'? Parameters: graph, source, method, share",
        ),
        ({"zzz": 1}, "unknown parameter 'zzz'. Parameters: graph"),
        ({"source": (0,), "graph": np.ones(2)}, "parameter 'graph' must be fractions.Fraction; got array"),
        ({"graph": 3}, "parameter 'graph' must be fractions.Fraction; got 3 (int)."),
        ({"source": [0, 0]}, "parameter 'source' must be Hashable; got [0, 0] (list)."),
        ({"source": ([], 0)}, "parameter 'source' must be Hashable"),
        ({"method": "dijkstr"}, "got 'dijkstr' (str). Did you mean 'dijkstra'?"),
        ({"share": "half"}, "parameter 'share' must be float | None; got 'half' (str)."),
        ({"share": True}, "parameter 'share' must be float | None; got True (bool)."),
        ({"share": 1}, "parameter 'share' must be >= 0, < 1; got 1."),
        ({"share": -0.1}, "parameter 'share' must be >= 0, < 1; got -0.1."),
        ({"share": float("nan")}, "parameter 'share' must be >= 0, < 1; got nan."),
        ({"share": 0.5, "source": 0.5}, "share and source must differ"),
    ],
)
def test_a_mistake_is_named_with_the_solver(given, message):
    with pytest.raises(SolverParameterError) as caught:
        check(**{**GOOD, **given})
    assert str(caught.value).startswith("p.solver: ")
    assert message in str(caught.value)


def test_all_missing_parameters_are_named_with_their_meaning():
    with pytest.raises(SolverParameterError) as caught:
        check()
    assert str(caught.value) == "p.solver: missing parameters 'graph' (The graph), 'source' (The first node)."


def test_a_long_value_is_shortened_in_the_message():
    with pytest.raises(SolverParameterError) as caught:
        check(**{**GOOD, "graph": list(range(10_000))})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("bound", ["ge", "gt", "le", "lt"])
def test_every_bound_is_checked(bound):
    @dataclass(frozen=True)
    class Bounded:
        x: float = parameter(help="A number.", **{bound: 1})

    inside = {"ge": 1, "gt": 1.1, "le": 1, "lt": 0.9}[bound]
    outside = {"ge": 0.9, "gt": 1, "le": 1.1, "lt": 1}[bound]
    check_parameters("p.solver", Bounded, {"x": inside})
    with pytest.raises(SolverParameterError):
        check_parameters("p.solver", Bounded, {"x": outside})


YES = [
    (1, int), (np.int64(1), int), (1, float), (1.5, float), (np.float32(1), float), (True, bool), ("a", str),
    (None, None), (None, Optional[int]), (1, int | str), ("a", int | str), (3, Any), (len, Callable[[int], int]),
    ("a", Literal["a", 1]), (1, Literal["a", 1]), ((1, "a"), tuple[int, str]), ((1, 2, 3), tuple[int, ...]),
    ((), tuple[int, ...]), ([1, 2], list[int]), ([1, 2], Sequence[int]), ((1, 2), Sequence[int]),
    ({"a": 1}, dict[str, int]), ({"a": 1}, Mapping[str, float]), ({1}, set[int]), ([], list), ((0, 0), Hashable),
    (1, Annotated[int, "text"]), (1, "int | None"), (1, "'int'"), (3, Unchecked), ([1], list["int"]),
    ("a/b", "str | os.PathLike"), (int, type[int]),
]  # fmt: skip
NO = [
    (True, int), (1.0, int), ("1", int), (True, float), ("1", float), (1, bool), (1, str), (b"a", str),
    (0, None), ("a", Optional[int]), (1.5, int | str), (3, Callable), ("b", Literal["a"]), (True, Literal[1]),
    ((1,), tuple[int, str]), ((1, 2, 3), tuple[int, str]), ((1, "a"), tuple[int, ...]), ([1], tuple[int, ...]),
    ([1, "a"], list[int]), ((1,), list[int]), ("ab", Sequence[str]), ("ab", Sequence), ({"a": "b"}, dict[str, int]),
    ({1: 1}, Mapping[str, int]), ([1], dict), ([0, 0], Hashable), ("a", Annotated[int, "text"]), (1, "str | None"),
    (["a"], list["int"]), (1, "xml.dom.minidom.Node"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "annotation"), YES, ids=str)
def test_a_value_of_the_type_is_accepted(value, annotation):
    assert matches(value, annotation, {})


@pytest.mark.parametrize(("value", "annotation"), NO, ids=str)
def test_a_value_of_another_type_is_refused(value, annotation):
    assert not matches(value, annotation, {})


def test_a_class_of_a_library_is_imported_only_when_a_value_is_checked():
    code = """
import sys
from dataclasses import dataclass
from imle_core import parameter
from imle_core.registry import parameters_of
from imle_core.registry._check import check_parameters

@dataclass(frozen=True)
class Schema:
    rows: "mailbox.Mailbox | None" = parameter(None, help="Rows.")

assert parameters_of(Schema)[0].type == "mailbox.Mailbox | None"
assert "mailbox" not in sys.modules
check_parameters("p.solver", Schema, {"rows": None})
assert "mailbox" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_type_that_cannot_be_resolved_is_the_plugins_mistake():
    @dataclass(frozen=True)
    class Odd:
        graph: "nowhere.Graph" = parameter(help="A graph.")  # noqa: F821

    with pytest.raises(RegistrationError, match=r"p\.solver: the type 'nowhere\.Graph' of parameter 'graph'"):
        check_parameters("p.solver", Odd, {"graph": 1})


def test_a_signature_is_a_schema_where_a_factory_has_no_other():
    def factory(k: int, *, tau: float = 1.0, graph: "nowhere.Graph | None" = None): ...  # noqa: F821

    k, tau, _ = parameters_of(factory)
    assert (k.name, k.type, k.required) == ("k", "int", True)
    assert (tau.type, tau.required, tau.default) == ("float", False, 1.0)
    check_parameters("p.solver", factory, {"k": 1, "graph": "a type for checkers only is not checked"})
    with pytest.raises(SolverParameterError, match="parameter 'k' must be int"):
        check_parameters("p.solver", factory, {"k": "1"})


@pytest.mark.parametrize("factory", [lambda *args: 0, lambda **kwargs: 0, lambda x, /: 0])
def test_a_factory_whose_parameters_have_no_names_is_refused(factory):
    with pytest.raises(RegistrationError, match="named keyword parameters only"):
        parameters_of(factory)


def test_a_solver_without_parameters_says_so():
    with pytest.raises(SolverParameterError, match=r"unknown parameter 'k'\. It takes no parameters\."):
        check_parameters("p.solver", lambda: 0, {"k": 1})
