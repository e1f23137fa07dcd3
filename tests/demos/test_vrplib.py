"""The readers of vehicle-routing problems, on tiny made-up files."""

from __future__ import annotations

import numpy as np
import pytest

from imle_core.demos.data.files import DataError
from imle_core.demos.data.vrplib import read_plan, read_solomon, read_vrp

PLACES = """NAME : Tiny-n3
COMMENT : (made up, Optimal value: 9)
TYPE : CVRP
DIMENSION : 3
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
DISTANCE : 20
SERVICE_TIME : 2
NODE_COORD_SECTION
 1 0 0
 2 3 4
 3 0 2.4
DEMAND_SECTION
1 0
2 4
3 6
DEPOT_SECTION
 1
 -1
EOF
"""
TABLE = """C1

VEHICLE
NUMBER     CAPACITY
   2          50

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0          0          0          0        100          0
    1      3          4         10          9         20          5
    2      0          1         20          0         30          5
"""


def write(folder, text, name="Tiny-n3.vrp"):
    path = folder / name
    path.write_text(text)
    return path


def test_distances_of_places_are_rounded_or_not(tmp_path):
    path = write(tmp_path, PLACES)
    tiny = read_vrp(path)
    assert tiny.name == "Tiny-n3"
    np.testing.assert_array_equal(tiny.distances, [[0, 5, 2], [5, 0, 3], [2, 3, 0]])
    np.testing.assert_allclose(read_vrp(path, rounded=False).distances[0], [0, 5, 2.4])
    np.testing.assert_array_equal(tiny.demands, [0, 4, 6])


def test_a_limit_of_length_has_the_services_in_it(tmp_path):
    options = read_vrp(write(tmp_path, PLACES)).options()
    assert options["capacities"] == 10
    assert options["max_length"] == 20
    np.testing.assert_array_equal(options["lengths"], [[0, 5, 2], [7, 2, 5], [4, 5, 2]])
    assert "windows" not in options
    assert "vehicles" not in options


def test_distances_may_be_the_rows_of_a_lower_triangle(tmp_path):
    text = PLACES[: PLACES.index("NODE_COORD")] + PLACES[PLACES.index("DEMAND") :]
    text = text.replace("EUC_2D", "EXPLICIT\nEDGE_WEIGHT_FORMAT : LOWER_ROW")
    read = read_vrp(
        write(tmp_path, text.replace("DEMAND_SECTION", "EDGE_WEIGHT_SECTION\n7\n8 9\nDEMAND_SECTION"))
    )
    np.testing.assert_array_equal(read.distances, [[0, 7, 8], [7, 0, 9], [8, 9, 0]])
    assert read.places is None


def test_a_table_has_windows_and_times(tmp_path):
    table = read_solomon(write(tmp_path, TABLE, "C1.txt"))
    assert (table.vehicles, table.capacity) == (2, 50)
    np.testing.assert_array_equal(table.windows, [[0, 100], [9, 20], [0, 30]])
    np.testing.assert_allclose(table.distances[1], [5, 0, 18**0.5])
    options = table.options()
    assert options["windows"][1] == (9.0, 20.0)
    assert options["service_times"] == [0, 5, 5]
    assert options["vehicles"] == 2


def test_a_problem_of_the_first_customers_alone(tmp_path):
    first = read_solomon(write(tmp_path, TABLE, "C1.txt")).customers(1)
    assert first.distances.shape == (2, 2)
    assert len(first.options()["windows"]) == 2


def test_a_plan_is_read(tmp_path):
    plan = read_plan(write(tmp_path, "Route #1: 2 1 \nRoute #2: 3\nCost 12.5\n", "x.sol"))
    assert plan == ([[2, 1], [3]], 12.5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DIMENSION : 3", "DIMENSION : 4", "is no vehicle-routing problem"),
        ("CAPACITY : 10\n", "", "is no vehicle-routing problem.*CAPACITY"),
        ("EUC_2D", "GEO", "distances of type GEO are not read"),
        ("2 4\n", "2 four\n", "line 15: expected numbers of a section; got '2 four'"),
        ("1 0\n2 4", "1 1\n2 4", "the depot must be the first node, without demand"),
        ("DEPOT_SECTION\n 1", "DEPOT_SECTION\n 2", "the depot must be the first node"),
    ],
)
def test_a_fault_of_a_file_is_named(tmp_path, old, new, message):
    assert old in PLACES
    with pytest.raises(DataError, match=message):
        read_vrp(write(tmp_path, PLACES.replace(old, new)))


def test_a_fault_of_a_table_or_a_plan_is_named(tmp_path):
    with pytest.raises(DataError, match="is no table of customers"):
        read_solomon(write(tmp_path, TABLE.replace("50\n", "\n"), "C1.txt"))
    with pytest.raises(DataError, match="customers must be numbered from 0"):
        read_solomon(write(tmp_path, TABLE.replace("    1      3", "    2      3"), "C1.txt"))
    with pytest.raises(DataError, match="has no routes, or no line"):
        read_plan(write(tmp_path, "Route #1: 2 1\n", "x.sol"))
    with pytest.raises(DataError, match="cannot be read"):
        read_plan(tmp_path / "missing.sol")
