"""A graph from the command line: from a file by its extension, or from a short description."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._files import CommandLineError, read_array, read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    import networkx as nx

HELP = (
    ".graphml, .gml, .edgelist, .adjlist, .json (node-link), .npy (adjacency matrix), or in short grid:12x12 "
    "(4 neighbours), grid8:12x12 (8 neighbours), complete:5, cycle:5, path:5"
)
_DESCRIPTION = re.compile(r"(?P<kind>grid|grid8|complete|cycle|path):(?P<size>\d+(x\d+)?)")
_LARGEST = 10**7  # nodes; a larger description is a slip of the keyboard


def read_graph(text: str) -> nx.Graph[Any]:
    """Return the graph that a file holds or a description describes.

    Nodes whose names are all whole numbers become integers, because most formats have no other way to say so.

    Raises:
        CommandLineError: it is neither; or the file cannot be read.
    """
    if match := _DESCRIPTION.fullmatch(text):
        return _described(match["kind"], [int(number) for number in match["size"].split("x")], text)
    suffix = Path(text).suffix.lower()
    readers = _readers()
    if suffix not in readers:
        raise CommandLineError(f"{text!r} is no graph that can be read. A graph is {HELP}.")
    try:
        graph = readers[suffix](text)
    except OSError as error:
        raise CommandLineError(f"{text!r} cannot be read: {error.strerror or error}.") from error
    except CommandLineError:
        raise
    except Exception as error:  # each format's parser raises what it likes
        reason = " ".join(str(error).split()).rstrip(".")
        raise CommandLineError(f"{text!r} holds no graph: {type(error).__name__}: {reason}.") from error
    return _with_numbers(graph)


def _readers() -> dict[str, Callable[[str], nx.Graph[Any]]]:
    import networkx as nx

    return {
        ".graphml": nx.read_graphml,
        ".gml": nx.read_gml,
        ".edgelist": nx.read_edgelist,
        ".adjlist": nx.read_adjlist,
        ".json": lambda path: nx.node_link_graph(_tuples(read_json(path)), edges=_edges_key(read_json(path))),
        ".npy": _from_matrix,
    }


def _described(kind: str, sizes: list[int], text: str) -> nx.Graph[Any]:
    import networkx as nx

    wanted = 2 if kind.startswith("grid") else 1
    nodes = sizes[0] * sizes[-1] if wanted == 2 else sizes[0]
    links = nodes * nodes if kind == "complete" else nodes
    if len(sizes) != wanted or nodes < 1 or links > _LARGEST:
        raise CommandLineError(
            f"{text!r} describes no graph of a sensible size: write grid:12x12 or complete:5."
        )
    if kind == "grid8":
        return nx.strong_product(nx.path_graph(sizes[0]), nx.path_graph(sizes[1]))
    if kind == "grid":
        return nx.grid_2d_graph(*sizes)
    make = {"complete": nx.complete_graph, "cycle": nx.cycle_graph, "path": nx.path_graph}[kind]
    return make(sizes[0])


def _from_matrix(path: str) -> nx.Graph[Any]:
    import networkx as nx
    import numpy as np

    matrix = read_array(path)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise CommandLineError(
            f"{path!r}: an adjacency matrix is square; this array has shape {matrix.shape}."
        )
    symmetric = np.array_equal(matrix, matrix.T)
    return nx.from_numpy_array(matrix, create_using=nx.Graph if symmetric else nx.DiGraph)


def _edges_key(data: Any) -> str:
    """Return under which name a node-link file keeps its edges; NetworkX has changed it."""
    return "edges" if isinstance(data, dict) and "edges" in data else "links"


def _tuples(data: Any) -> Any:
    """Return node-link data whose nodes, where they are lists, can be nodes."""
    if isinstance(data, dict):
        names = ("id", "source", "target")
        return {k: _frozen(v) if k in names else _tuples(v) for k, v in data.items()}
    return [_tuples(item) for item in data] if isinstance(data, list) else data


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _with_numbers(graph: nx.Graph[Any]) -> nx.Graph[Any]:
    import networkx as nx

    if not all(isinstance(node, str) and re.fullmatch(r"-?\d+", node) for node in graph):
        return graph
    numbers = {node: int(node) for node in graph}
    return nx.relabel_nodes(graph, numbers) if len(set(numbers.values())) == len(numbers) else graph
