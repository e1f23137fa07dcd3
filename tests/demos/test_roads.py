"""The reader of road networks, on a tiny made-up one, and the generator of such files."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pytest

from imle_core.demos.data.files import DataError
from imle_core.demos.data.roads import generate_roads, read_roads

# Zones 1 and 2 must not be passed through; 3 and 4 are crossings. Zone 2 can be reached, and left to nowhere.
NET = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 4
<FIRST THRU NODE> 3
<NUMBER OF LINKS> 5
<ORIGINAL HEADER>~ \tTail\tHead\t;
<END OF METADATA>\t\t


~ \tinit_node\tterm_node\tcapacity\tlength\tfree_flow_time\tb\tpower\tspeed\ttoll\tlink_type\t;
\t1\t3\t900\t2\t1.5\t0.15\t4\t60\t0\t1\t;
\t3\t1\t900\t2\t1.5\t0.15\t4\t60\t0\t1\t;
\t3\t2\t900\t2\t2.5\t0.15\t4\t60\t0\t1\t;
\t3\t4\t900\t2\t1\t0.15\t4\t60\t0\t1\t;
\t4\t2\t900\t2\t1\t0.15\t4\t60\t0\t1\t;
"""
FLOW = "From \tTo \tVolume \tCost \n" + "".join(
    f"{u} \t{v} \t10.0 \t{time} \n"
    for u, v, time in [(1, 3, 1.5), (3, 1, 2), (3, 2, 7), (3, 4, 1), (4, 2, 1)]
)
NODE = "Node\tX\tY\t;\n" + "".join(f"{n}\t{n}.5\t-{n}.25\t;\n" for n in (1, 2, 3, 4))


@pytest.fixture
def folder(tmp_path):
    for kind, text in (("net", NET), ("flow", FLOW), ("node", NODE)):
        (tmp_path / f"Tiny_{kind}.tntp").write_text(text)
    return tmp_path


def change(folder, kind, old, new):
    path = folder / f"Tiny_{kind}.tntp"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_links_have_the_columns_of_both_files(folder):
    roads = read_roads(folder, "Tiny")
    assert list(roads.graph.edges) == [(1, 3), (3, (1, "end")), (3, (2, "end")), (3, 4), (4, (2, "end"))]
    assert roads.graph.edges[1, 3] == {
        "capacity": 900, "length": 2, "free_flow_time": 1.5, "b": 0.15, "power": 4, "speed": 60, "toll": 0,
        "link_type": 1, "time": 1.5,
    }  # fmt: skip
    np.testing.assert_array_equal(roads.attribute("time"), [1.5, 2, 7, 1, 1])


def test_no_route_leads_through_a_zone(folder):
    graph = read_roads(folder, "Tiny").graph
    assert list(graph.successors((1, "end"))) == []
    assert list(graph.predecessors(1)) == []


def test_a_network_without_such_zones_keeps_its_nodes(folder):
    change(folder, "net", "<FIRST THRU NODE> 3", "<FIRST THRU NODE> 1")
    assert set(read_roads(folder, "Tiny").graph) == {1, 2, 3, 4}


def test_journeys_are_the_pairs_of_zones_with_a_way(folder):
    assert read_roads(folder, "Tiny").journeys == [{"source": 1, "target": (2, "end")}]
    change(folder, "net", "<NUMBER OF ZONES> 2", "<NUMBER OF ZONES> 4")
    pairs = [tuple(journey.values()) for journey in read_roads(folder, "Tiny").journeys]
    assert pairs == [
        (1, (2, "end")),
        (1, 3),
        (1, 4),
        (3, (1, "end")),
        (3, (2, "end")),
        (3, 4),
        (4, (2, "end")),
    ]


def test_nodes_have_places_also_both_of_a_zone(folder):
    nodes = read_roads(folder, "Tiny").graph.nodes
    assert nodes[3]["pos"] == (3.5, -3.25)
    assert nodes[1]["pos"] == nodes[1, "end"]["pos"] == (1.5, -1.25)


def test_places_may_be_in_geojson(folder):
    (folder / "Tiny_node.tntp").unlink()
    features = [{"properties": {"id": n}, "geometry": {"coordinates": [n, -n]}} for n in (1, 2, 3, 4)]
    (folder / "tiny_nodes.geojson").write_text(json.dumps({"features": features}))
    assert read_roads(folder, "Tiny").graph.nodes[4]["pos"] == (4, -4)


@pytest.mark.parametrize(
    ("kind", "old", "new", "message"),
    [
        ("net", "\t4\t2\t900", "\t4\t2\t", r"_net\.tntp, line 14: 9 values for the columns init_node"),
        ("net", "\t4\t2\t900", "\t4\t2\tmany", r"_net\.tntp, line 14: expected numbers; got '4\\t2\\tmany"),
        ("net", "\t4\t2\t900", "\t3\t4\t900", "5 links are announced, 5 listed, 4 different"),
        ("net", "LINKS> 5", "LINKS> 6", "6 links are announced, 5 listed, 5 different"),
        ("net", "<FIRST THRU NODE> 3\n", "", "the metadata lack a number: 'FIRST THRU NODE'"),
        ("flow", "4 \t2 \t10.0 \t1 \n", "", "no flow from 4 to 2"),
        ("node", "4\t4.5\t-4.25\t;\n", "", "coordinates of node 4 of Tiny are missing"),
    ],
)
def test_a_fault_is_named_with_its_place(folder, kind, old, new, message):
    change(folder, kind, old, new)
    with pytest.raises(DataError, match=message):
        read_roads(folder, "Tiny")


@pytest.mark.parametrize("kind", ["net", "flow"])
def test_a_missing_file_is_named(folder, kind):
    (folder / f"Tiny_{kind}.tntp").unlink()
    with pytest.raises(DataError, match=rf"Tiny_{kind}\.tntp cannot be read.*--download"):
        read_roads(folder, "Tiny")


def test_what_is_no_geojson_is_an_error(folder):
    (folder / "Tiny_node.tntp").unlink()
    (folder / "tiny_nodes.geojson").write_text('{"features": [{}]}')
    with pytest.raises(DataError, match=r"tiny_nodes\.geojson is no GeoJSON of nodes"):
        read_roads(folder, "Tiny")


def test_a_generated_city_is_read_by_the_same_reader(tmp_path):
    roads = read_roads(tmp_path, generate_roads(tmp_path, side=4))
    assert nx.is_strongly_connected(roads.graph)
    assert len(roads.journeys) == 16 * 15
    slowdown = roads.attribute("time") / roads.attribute("free_flow_time")
    assert slowdown.min() >= 1


def test_traffic_in_a_generated_city_is_slow_enough_to_matter(tmp_path):
    roads = read_roads(tmp_path, generate_roads(tmp_path))
    assert (roads.attribute("time") / roads.attribute("free_flow_time")).max() > 1.5


def test_a_generated_city_depends_on_its_seed_alone(tmp_path):
    (tmp_path / "other").mkdir()
    texts = []
    for folder, seed in ((tmp_path, 1), (tmp_path / "other", 1), (tmp_path, 2)):
        generate_roads(folder, side=4, seed=seed)
        texts.append((folder / "City_net.tntp").read_text())
    assert texts[0] == texts[1] != texts[2]
