"""Parameters on the command line, parsed as the types that a solver declares."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Hashable, Mapping, Sequence  # noqa: TC003 - the annotations are resolved
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import networkx as nx
import numpy as np
import pytest

from imle_core.cli._files import CommandLineError
from imle_core.cli._values import parse_parameters
from imle_core.errors import SolverParameterError
from imle_core.registry import SolverSpec, parameter


@dataclass(frozen=True, kw_only=True)
class Parameters:
    whole: int = parameter(1, help="")
    real: float = parameter(1.0, help="")
    flag: bool = parameter(False, help="")
    word: str = parameter("", help="")
    choice: Literal["one", "two", 3] = parameter("one", help="")
    perhaps: int | None = parameter(None, help="")
    annotated: Annotated[int, "positive"] = parameter(1, help="")
    numbers: Sequence[int] = parameter((), help="")
    pair: tuple[int, int] = parameter((0, 0), help="")
    listed: list[float] = parameter((), help="")
    names: set[str] = parameter((), help="")
    table: Mapping[str, float] = parameter((), help="")
    node: Hashable = parameter(None, help="")
    anything: Any = parameter(None, help="")
    array: np.ndarray = parameter(None, help="")
    path: pathlib.Path = parameter(None, help="")
    graph: nx.Graph = parameter(None, help="")
    either: nx.Graph | str = parameter("", help="")
    function: Callable[[int], int] | None = parameter(None, help="")


SPEC = SolverSpec(name="demo.typed", factory="no_such:Solver", summary="Typed.", parameters=Parameters)


def parsed(assignment):
    (value,) = parse_parameters(SPEC, [assignment]).values()
    return value


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("whole=-3", -3),
        ("real=3", 3.0),
        ("real=1e-3", 0.001),
        ("flag=true", True),
        ("flag=No", False),
        ("word=12", "12"),
        ("word=a=b", "a=b"),
        ("choice=two", "two"),
        ("choice=3", 3),
        ("perhaps=none", None),
        ("perhaps=4", 4),
        ("annotated=5", 5),
        ("numbers=[1, 2]", (1, 2)),
        ("pair=[1, 2]", (1, 2)),
        ("listed=[1.5]", [1.5]),
        ('names=["a", "b"]', {"a", "b"}),
        ('table={"a": 1}', {"a": 1}),
        ("node=0", 0),
        ("node=[0, 1]", (0, 1)),
        ('node="0"', "0"),
        ("node=Rome", "Rome"),
        ("anything=[[1], 2]", ((1,), 2)),
        ("path=a/b", pathlib.Path("a/b")),
        ("function=none", None),
    ],
)
def test_a_value_has_the_declared_type(assignment, value):
    found = parsed(assignment)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "assignment",
    [
        "whole=1.5",
        "whole=",
        "real=x",
        "flag=maybe",
        "choice=four",
        "numbers=1",
        "numbers=[1",
        "pair=x",
        "table=[1]",
    ],
)
def test_a_value_of_another_type_is_refused_with_the_type(assignment):
    key = assignment.partition("=")[0]
    with pytest.raises(CommandLineError, match=rf"demo.typed: {key} must be .*; got '"):
        parsed(assignment)


def test_a_misspelt_choice_gets_the_closest_one_and_a_sequence_its_form():
    with pytest.raises(CommandLineError, match=r"Did you mean 'two'\?"):
        parsed("choice=tow")
    with pytest.raises(CommandLineError, match=r"written as JSON, such as \[1, 2\]"):
        parsed("numbers=1,2")


def test_values_come_from_files(tmp_path):
    np.save(tmp_path / "a.npy", [[1.0, 2.0]])
    (tmp_path / "a.json").write_text("[1, 2]")
    assert parsed(f"array=@{tmp_path}/a.npy").tolist() == [[1.0, 2.0]]
    assert parsed("array=[1, 2]").tolist() == [1, 2]
    assert parsed(f"numbers=@{tmp_path}/a.json") == (1, 2)
    assert parsed(f"listed=@{tmp_path}/a.npy") == [[1.0, 2.0]]
    with pytest.raises(CommandLineError, match=r"numbers: '.*none.json' cannot be read"):
        parsed(f"numbers=@{tmp_path}/none.json")


def test_what_no_text_stands_for_is_said_to_be_for_python():
    with pytest.raises(
        SolverParameterError, match=r"cannot be given on a command line. In Python: imle_core.solver"
    ):
        parsed("function=len")


def test_a_required_parameter_that_no_text_stands_for_is_named():
    def factory(function: Callable[[int], int]) -> None: ...

    spec = SolverSpec(name="demo.f", factory=factory, summary="Takes a function.")
    with pytest.raises(
        SolverParameterError, match=r"'function' is of type .* cannot be given on a command line"
    ):
        parse_parameters(spec, [])


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["whole"], "--set takes key=value; got 'whole'"),
        (["=1"], "--set takes key=value"),
        (["whole=1", "whole=2"], "gives 'whole' twice"),
        (["hole=1"], "unknown parameter 'hole'. Did you mean 'whole'"),
    ],
)
def test_an_assignment_that_is_none_is_refused(assignments, message):
    with pytest.raises(ValueError, match=message):
        parse_parameters(SPEC, assignments)


GRID = nx.grid_2d_graph(2, 3)


@pytest.mark.parametrize(
    ("name", "write", "graph"),
    [
        ("g.graphml", nx.write_graphml, nx.path_graph(4)),
        ("g.gml", nx.write_gml, nx.path_graph(4)),
        ("g.edgelist", nx.write_edgelist, nx.path_graph(4)),
        ("g.adjlist", nx.write_adjlist, nx.path_graph(4, create_using=nx.DiGraph).to_undirected()),
        ("g.json", lambda g, path: path.write_text(json.dumps(nx.node_link_data(g, edges="edges"))), GRID),
        ("h.json", lambda g, path: path.write_text(json.dumps(nx.node_link_data(g, edges="links"))), GRID),
        (
            "g.npy",
            lambda g, path: np.save(path, nx.to_numpy_array(g)),
            nx.path_graph(3, create_using=nx.DiGraph),
        ),
        ("named.edgelist", nx.write_edgelist, nx.Graph([("a", "b"), ("b", "c")])),
    ],
)
def test_a_graph_is_read_from_a_file(tmp_path, name, write, graph):
    write(graph, tmp_path / name)
    read = parsed(f"graph={tmp_path / name}")
    assert list(read) == list(graph)
    assert nx.utils.edges_equal(read.edges, graph.edges, directed=graph.is_directed())
    assert read.is_directed() == graph.is_directed()


@pytest.mark.parametrize(
    ("text", "graph"),
    [
        ("grid:2x3", GRID),
        ("grid8:2x3", nx.strong_product(nx.path_graph(2), nx.path_graph(3))),
        ("complete:4", nx.complete_graph(4)),
        ("cycle:4", nx.cycle_graph(4)),
        ("path:4", nx.path_graph(4)),
    ],
)
def test_a_graph_is_described_in_short(text, graph):
    assert nx.utils.graphs_equal(parsed(f"graph={text}"), graph)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.gml", None, "cannot be read: No such file"),
        ("bad.gml", "graph [", "holds no graph: NetworkXError"),
        ("bad.graphml", "<", "holds no graph"),
        ("bad.json", "[]", "holds no graph"),
        ("bad.npy", "x", "damaged"),
        ("g.dot", "graph {}", "is no graph that can be read"),
        ("grid:3", None, "describes no graph of a sensible size"),
        ("grid:0x3", None, "describes no graph of a sensible size"),
        ("complete:99999999", None, "describes no graph of a sensible size"),
    ],
)
def test_a_graph_that_cannot_be_read_says_why(tmp_path, monkeypatch, name, content, message):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(CommandLineError, match=message):
        parsed(f"graph={name}")


def test_a_matrix_that_is_not_square_is_no_graph(tmp_path):
    np.save(tmp_path / "m.npy", np.ones((2, 3)))
    with pytest.raises(CommandLineError, match=r"square; this array has shape \(2, 3\)"):
        parsed(f"graph={tmp_path / 'm.npy'}")
