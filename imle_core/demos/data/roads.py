r"""Road networks in the TNTP format, with the travel times of traffic in equilibrium.

``NAME_net.tntp`` lists directed links, ``NAME_flow.tntp`` the flow on each in equilibrium and the travel time that it
leads to, ``NAME_node.tntp`` or ``name_nodes.geojson`` where the nodes are. Of the Bureau of Public Roads' formula,

.. math:: t = t_0 \left(1 + b \left(\frac{v}{c}\right)^{p}\right),

the first file holds free-flow time, b, capacity and power of each link, the second the flow v and the time t.

Reference:
    Transportation Networks for Research Core Team, https://github.com/bstabler/TransportationNetworks, for academic
    research only. Bar-Gera (2002), Origin-based algorithm for the traffic assignment problem.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx
import numpy as np

from imle_core.demos.data.files import DataError, Remote

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["REMOTE", "Roads", "generate_roads", "read_roads"]

REMOTE = Remote(
    "https://raw.githubusercontent.com/bstabler/TransportationNetworks/master/",
    {
        "SiouxFalls/SiouxFalls_net.tntp": "ace99b24cec69c273ff0cf3d6d074110177f0cc0ae24b0c7a9f4f4cb5e27635c",
        "SiouxFalls/SiouxFalls_flow.tntp": "5d0b83a22ecc3ce79dabb2b2972162b78c5eda571dcb5b3687429d8397654fee",
        "SiouxFalls/SiouxFalls_node.tntp": "91c0b954dcfc6f6f08f48de1ce9d245261f5188a33aef76acf3ce1fff0809969",
        "Anaheim/Anaheim_net.tntp": "99933b415e9500b13907829c37a43cfa9141714fad5af279081e28e5f9356f9a",
        "Anaheim/Anaheim_flow.tntp": "eecd21c2a908b6a1c6729045ea260e96df1de026f05281d341fc281f2552cebe",
        "Anaheim/anaheim_nodes.geojson": "09467725693e40b1aad64dbb27520c78967271cf0000bce01eb607b0dda63161",
    },
    "Transportation Networks for Research, for academic research only",
)


class Roads(NamedTuple):
    """A road network.

    Args:
        name: Its name.
        graph: Links with all columns of the files as attributes: ``free_flow_time``, ``capacity``, ``length``, ...,
            and ``time``, the travel time in equilibrium. Nodes have ``pos``. A zone that traffic must not pass
            through is two nodes: ``z``, where journeys begin, and ``(z, "end")``, where they end.
        journeys: All pairs of zones with a way between them, as instances of ``networkx.shortest_path``.
    """

    name: str
    graph: nx.DiGraph[Any]
    journeys: list[dict[str, Any]]

    def attribute(self, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return one attribute of all links, in the order of the graph."""
        return np.array([value for *_, value in self.graph.edges(data=name)], np.float64)


def read_roads(folder: Path, name: str) -> Roads:
    """Read one network.

    Args:
        folder: Folder of its files.
        name: What their names begin with.

    Raises:
        DataError: a file is missing, malformed, or does not fit the others.
    """
    facts, columns, links = _table(folder / f"{name}_net.tntp")
    _, _, flows = _table(folder / f"{name}_flow.tntp")
    times = {(int(row[0]), int(row[1])): row[-1] for row in flows}
    try:
        first_through, zones, count = (
            int(facts[key]) for key in ("FIRST THRU NODE", "NUMBER OF ZONES", "NUMBER OF LINKS")
        )
    except (KeyError, ValueError) as error:
        raise DataError(f"{folder / f'{name}_net.tntp'}: the metadata lack a number: {error}.") from None
    where = _coordinates(folder, name)

    def end(node: int) -> Any:
        return (node, "end") if node < first_through else node

    graph: nx.DiGraph[Any] = nx.DiGraph()
    for row in links:
        tail, head = int(row[0]), int(row[1])
        if (tail, head) not in times:
            raise DataError(f"{name}_flow.tntp has no flow from {tail} to {head}, a link of {name}_net.tntp.")
        graph.add_edge(
            tail, end(head), time=times[tail, head], **dict(zip(columns[2:], row[2:], strict=True))
        )
    if not len(links) == graph.number_of_edges() == count:
        raise DataError(
            f"{name}_net.tntp: {count} links are announced, {len(links)} listed, {graph.number_of_edges()} different."
        )
    for node in graph:
        number = node[0] if isinstance(node, tuple) else node
        if number not in where:
            raise DataError(f"{folder}: the coordinates of node {number} of {name} are missing.")
        graph.nodes[node]["pos"] = where[number]
    journeys = [
        {"source": origin, "target": end(zone)}
        for origin in range(1, zones + 1)
        if origin in graph  # no link leads out of some zones
        for reached in [nx.descendants(graph, origin)]
        for zone in range(1, zones + 1)
        if zone != origin and end(zone) in reached
    ]
    return Roads(name, graph, journeys)


def generate_roads(folder: Path, *, side: int = 6, seed: int = 0) -> str:
    """Write the files of a made-up city, of side times side crossings, and return their name.

    Every third street is fast. Traffic between random pairs of crossings is brought near equilibrium by the method
    of successive averages.
    """
    rng = np.random.default_rng(seed)
    places = {
        i + side * j: np.array([i, j]) + rng.uniform(-0.3, 0.3, 2) for j in range(side) for i in range(side)
    }
    graph: nx.DiGraph[Any] = nx.DiGraph()
    for a, b in nx.grid_2d_graph(side, side).to_directed().edges:
        fast = (a[0] == b[0] and a[0] % 3 == 1) or (a[1] == b[1] and a[1] % 3 == 1)
        tail, head = a[0] + side * a[1], b[0] + side * b[1]
        length = float(np.linalg.norm(places[tail] - places[head]))
        speed, capacity = (2.0, 1800.0) if fast else (1.0, 900.0)
        graph.add_edge(
            tail,
            head,
            length=length,
            speed=speed,
            capacity=capacity,
            free=length / speed,
            time=length / speed,
        )
    demand = rng.lognormal(3.0, 1.0, (side**2, side**2))
    flow = dict.fromkeys(graph.edges, 0.0)
    for step in range(1, 41):
        load = dict.fromkeys(graph.edges, 0.0)
        for origin, paths in nx.all_pairs_dijkstra_path(graph, weight="time"):
            for target, path in paths.items():
                for link in nx.utils.pairwise(path):
                    load[link] += demand[origin, target]
        for link, data in graph.edges.items():
            flow[link] += (load[link] - flow[link]) / step
            data["time"] = data["free"] * (1 + 0.15 * (flow[link] / data["capacity"]) ** 4)
    net = [
        f"\t{u + 1}\t{v + 1}\t{d['capacity']}\t{d['length']}\t{d['free']}\t0.15\t4\t{d['speed']}\t0\t1\t;"
        for u, v, d in graph.edges(data=True)
    ]
    head = [
        f"<NUMBER OF ZONES> {side**2}\n<NUMBER OF NODES> {side**2}\n<FIRST THRU NODE> 1",
        f"<NUMBER OF LINKS> {len(net)}\n<END OF METADATA>\n",
        "~\tinit_node\tterm_node\tcapacity\tlength\tfree_flow_time\tb\tpower\tspeed\ttoll\tlink_type\t;",
    ]
    flows = [f"{u + 1}\t{v + 1}\t{flow[u, v]}\t{d['time']}" for u, v, d in graph.edges(data=True)]
    nodes = [f"{node + 1}\t{x}\t{y}\t;" for node, (x, y) in places.items()]
    for kind, lines in (
        ("net", head + net),
        ("flow", ["From\tTo\tVolume\tCost", *flows]),
        ("node", ["Node\tX\tY\t;", *nodes]),
    ):
        (folder / f"City_{kind}.tntp").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return "City"


def _table(path: Path) -> tuple[dict[str, str], list[str], list[list[float]]]:
    """Return metadata, names of the columns and rows of a file."""
    facts: dict[str, str] = {}
    columns: list[str] = []
    rows: list[list[float]] = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        words = line.replace(";", " ").replace(":", " ").split()
        if line.startswith("<"):
            key, _, value = line[1:].partition(">")
            facts[key] = value.strip()
        elif words and (words[0].startswith("~") or not columns):
            columns = [word for word in words if word != "~"]
        elif words:
            try:
                rows.append([float(word) for word in words])
            except ValueError:
                raise DataError(f"{path}, line {number}: expected numbers; got {line.strip()!r}.") from None
            if len(words) != len(columns):
                raise DataError(
                    f"{path}, line {number}: {len(words)} values for the columns {' '.join(columns)}."
                )
    return facts, columns, rows


def _coordinates(folder: Path, name: str) -> dict[int, tuple[float, float]]:
    listed = folder / f"{name}_node.tntp"
    if listed.exists():
        return {int(row[0]): (row[1], row[2]) for row in _table(listed)[2]}
    path = folder / f"{name.lower()}_nodes.geojson"
    try:
        features = json.loads(_text(path))["features"]
        return {f["properties"]["id"]: tuple(f["geometry"]["coordinates"]) for f in features}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is no GeoJSON of nodes: {error!r}.") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}. --download fetches the published files.") from error
