"""NetworkX's dispatch to backends: each row reaches a backend with its own weights, although NetworkX caches graphs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

BACKEND = """
import networkx as nx

converted, called = [], []

class Graph(nx.Graph):
    __networkx_backend__ = "fake"

def convert_from_nx(graph, **_):
    converted.append([data.get("weight", data.get("length")) for *_, data in graph.edges(data=True)])
    return Graph(graph)

def convert_to_nx(graph, **_):
    return graph

def dijkstra_path(graph, source, target, weight="weight"):
    called.append("dijkstra_path")
    return nx.dijkstra_path(nx.Graph(graph), source, target, weight=weight, backend="networkx")

def steiner_tree(graph, terminal_nodes, weight="weight", method=None):
    called.append("steiner_tree")
    return nx.approximation.steiner_tree(nx.Graph(graph), terminal_nodes, weight, method, backend="networkx")

def traveling_salesman_problem(graph, weight="weight", nodes=None, cycle=True, method=None):
    called.append("traveling_salesman_problem")
    tour = nx.approximation.traveling_salesman_problem
    return tour(nx.Graph(graph), weight, nodes, cycle, method, backend="networkx")
"""

INFO = """
def get_info():
    return {"functions": {name: {} for name in ("dijkstra_path", "steiner_tree", "traveling_salesman_problem")}}
"""

SCRIPT = """
import networkx as nx, numpy as np, warnings
import imle_core as imle
import fake_backend as fake

ends = {"source": 0, "target": 2}
theta = np.array([[1.0, 1.0, 0.25, 0.5], [0.5, 1.0, 0.25, 1.0], [0.5, 0.5, 0.25, 0.125]])
expected = [[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]
graph = nx.Graph([(0, 1), (1, 2), (0, 3), (3, 2)])
rows = [[1.0, 1.0, 0.25, 0.5], [0.5, 1.0, 0.25, 1.0], [0.5, 0.5, 0.25, 0.125]]

def check(solver, name, times=1):
    fake.converted.clear(), fake.called.clear()
    order = [solver.entries.index(edge) for edge in graph.edges]
    z = solver.solve(theta[:, np.argsort(order)])
    assert fake.called == [name] * 3 * times, (solver.name, fake.called)
    seen = [sorted(np.multiply(weights, 2.0 ** k)) for weights in fake.converted for k in range(-2, 3)]
    for row in rows:  # the core scales each row by a power of two
        assert sorted(row) in [list(each) for each in seen], (solver.name, row, fake.converted)
    assert len(fake.converted) == 3, fake.converted  # once a row, however often the function calls
    return z

def twice(graph, source, target, weight):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NetworkX's own, that a graph is taken from its cache
        assert nx.dijkstra_path(graph, source, target, weight) == nx.dijkstra_path(graph, source, target, weight)
        return nx.dijkstra_path(graph, source, target, weight="length", backend="networkx")

def solvers(**backend):
    options = {"function": "dijkstra_path", "returns": "path", "arguments": ends}
    yield imle.solver("networkx.algorithm", graph=graph, **options, **backend), "dijkstra_path"
    yield imle.solver("networkx.algorithm", graph=graph, weight="length", **options, **backend), "dijkstra_path"
    yield imle.solver("networkx.shortest_path", graph=graph, method="networkx", **ends, **backend), "dijkstra_path"
    yield imle.solver("networkx.steiner_tree", graph=graph, terminals=(0, 2), **backend), "steiner_tree"
    yield imle.solver("networkx.travelling_salesman", graph=graph, **backend), "traveling_salesman_problem"

plain = [solver.solve(theta) for solver, _ in solvers()]
assert not fake.called
for one, (solver, name) in zip(plain, solvers(backend="fake"), strict=True):
    np.testing.assert_array_equal(check(solver, name), one)
with nx.config(backend_priority=["fake"]):
    for one, (solver, name) in zip(plain, solvers(), strict=True):
        if name != "steiner_tree":  # what returns a graph, NetworkX hands to a backend by name alone
            np.testing.assert_array_equal(check(solver, name), one)
    options = {"function": twice, "returns": "path", "weight": "length", "arguments": ends}
    solver = imle.solver("networkx.algorithm", graph=graph, **options)
    check(solver, "dijkstra_path", times=2)
print("all rows arrived")
"""


@pytest.fixture
def environment(tmp_path):
    """The environment of a process in which NetworkX finds a backend that is called fake."""
    (tmp_path / "fake_backend.py").write_text(BACKEND)
    (tmp_path / "fake_info.py").write_text(INFO)
    info = tmp_path / "fake_backend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-backend\nVersion: 1.0\n")
    points = """\
        [networkx.backends]
        fake = fake_backend

        [networkx.backend_info]
        fake = fake_info:get_info
        """
    (info / "entry_points.txt").write_text(textwrap.dedent(points))
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def test_each_row_reaches_a_backend_with_its_own_weights(environment):
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.stdout == "all rows arrived\n", found.stderr
