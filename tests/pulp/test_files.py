"""Programmes in MPS files: what is read is what the file says, and what makes no sense is refused."""

from __future__ import annotations

import gzip
import operator
import os

import highspy
import numpy as np
import pulp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imle_pulp._files import read_mps
from imle_pulp._lower import lower
from miplib import FOLDER, REASON, files
from scipy import sparse

from imle_core.errors import SolverParameterError

INF = float("inf")
SMALL = """NAME  small
ROWS
 N  obj
 L  r1
 G  r2
 E  r3
 N  other
COLUMNS
    x  obj  1  r1  1
    x  r2  1  other  9
    M1  'MARKER'  'INTORG'
    y  obj  2  r1  1
    y  r3  1
    z  obj  -3  r3  1.5
    M2  'MARKER'  'INTEND'
    w  obj  4  r2  -1
RHS
    RHS  r1  10  r2  1
    RHS  r3  2
    RHS  obj  -5
"""


@pytest.fixture
def read(tmp_path):
    """Read a text as a file."""

    def from_text(text, name="a.mps"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_mps(path)

    return from_text


def with_sections(text):
    return SMALL + text + "ENDATA\n"


def by_highs(path):
    """Return what HiGHS reads: matrix, limits, bounds, integrality, objective, constant, names."""
    highs = highspy.Highs()
    highs.silent()
    assert highs.readModel(str(path)) != highspy.HighsStatus.kError
    lp = highs.getLp()
    integer = [kind == highspy.HighsVarType.kInteger for kind in lp.integrality_] or [False] * lp.num_col_
    columns = lp.a_matrix_
    matrix = sparse.csc_array((columns.value_, columns.index_, columns.start_), (lp.num_row_, lp.num_col_))
    return [
        matrix,
        *map(np.array, (lp.row_lower_, lp.row_upper_, lp.col_lower_, lp.col_upper_)),
        np.array(integer, bool),
        np.array(lp.col_cost_),
        lp.offset_,
        lp.sense_ == highspy.ObjSense.kMaximize,
        tuple(lp.col_names_),
        tuple(lp.row_names_),
    ]


def parts(model):
    """Return a model in the form of ``by_highs``."""
    program = model.program
    entries = program.values, program.columns, program.starts
    return [
        sparse.csr_array(entries, (program.height, program.width)),
        program.row_lower,
        program.row_upper,
        program.lower,
        program.upper,
        program.integer,
        model.objective,
        model.constant,
        model.maximise,
        program.names,
        program.row_names,
    ]


def assert_same(found, expected):
    (matrix, *found), (other, *expected) = found, expected
    assert matrix.shape == other.shape
    assert matrix.nnz == other.nnz
    assert (matrix.tocsr() != other.tocsr()).nnz == 0
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_each_section_is_read(read):
    model = read(with_sections(""))
    program = model.program
    assert program.names == ("x", "y", "z", "w")
    assert program.row_names == ("r1", "r2", "r3")
    matrix, lower_limits, upper_limits, lower_bounds, upper_bounds, integer, *_ = parts(model)
    np.testing.assert_array_equal(matrix.toarray(), [[1, 1, 0, 0], [1, 0, 0, -1], [0, 1, 1.5, 0]])
    np.testing.assert_array_equal(lower_limits, [-INF, 1, 2])
    np.testing.assert_array_equal(upper_limits, [10, INF, 2])
    np.testing.assert_array_equal(integer, [False, True, True, False])
    np.testing.assert_array_equal(lower_bounds, [0, 0, 0, 0])
    # Integer columns between markers are binary unless they have a bound.
    np.testing.assert_array_equal(upper_bounds, [INF, 1, 1, INF])
    np.testing.assert_array_equal(model.objective, [1, 2, -3, 4])
    np.testing.assert_array_equal(program.cost, np.zeros(4))
    assert (model.constant, model.maximise) == (5.0, False)


@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, -1, -1), (0, 0, 0)])
def test_ranges_widen_each_type_of_row_to_its_own_side(read, tmp_path, signs):
    ranges = [4 * sign for sign in signs]
    text = "RANGES\n    R  r1  {}  r2  {}\n    R  r3  {}\n".format(*ranges)
    _, low, high, *_ = found = parts(read(with_sections(text)))
    span = abs(ranges[0])
    np.testing.assert_array_equal(low, [10 - span, 1, 2 - span if signs[2] < 0 else 2])
    np.testing.assert_array_equal(high, [10, 1 + span, 2 + span if signs[2] > 0 else 2])
    assert_same(found, by_highs(tmp_path / "a.mps"))


@pytest.mark.parametrize(
    ("lines", "lower", "upper", "integer"),
    [
        ("UP B x 7", 0, 7, False),
        ("UP B y 7", 0, 7, True),
        ("LO B x 2.5", 2.5, INF, False),
        ("LO B y -1", -1, INF, True),
        ("LO B y 0", 0, INF, True),
        ("FX B x -2.5", -2.5, -2.5, False),
        ("FR B x", -INF, INF, False),
        ("FR B y", -INF, INF, True),
        ("MI B x", -INF, INF, False),
        ("MI B y\n UP B y 3", -INF, 3, True),
        ("UP B y 3\n MI B y", -INF, 3, True),
        ("PL B y", 0, INF, True),
        ("BV B x", 0, 1, True),
        ("BV B x\n UP B x 1", 0, 1, True),
        ("LI B x 2", 2, INF, True),
        ("UI B x 7", 0, 7, True),
        ("LI B x -3\n UI B x 7", -3, 7, True),
        ("UP B x 1e30", 0, INF, False),
        ("LO B x -1D+20", -INF, INF, False),
        ("UP B x inf", 0, INF, False),
        ("UP B x 0", 0, 0, False),
        ("UP x 5", 0, 5, False),
        ("BV x", 0, 1, True),
        ("LO B x 6\n UP B x 5", 6, 5, False),
    ],
)
def test_bounds_mean_what_highs_says(read, tmp_path, lines, lower, upper, integer):
    found = parts(read(with_sections(f"BOUNDS\n {lines}\n")))
    column = 1 if " y" in lines else 0
    assert (found[3][column], found[4][column], found[5][column]) == (lower, upper, integer)
    assert_same(found, by_highs(tmp_path / "a.mps"))


def test_an_upper_bound_below_zero_takes_the_lower_one_away(read):
    # So have it CPLEX and CBC; HiGHS leaves the lower bound at 0, with nothing between.
    program = read(with_sections("BOUNDS\n UP B x -2\n UP B y -3\n LO B w -9\n UP B w -4\n")).program
    np.testing.assert_array_equal(program.lower, [-INF, -INF, 0, -9])
    np.testing.assert_array_equal(program.upper, [-2, -3, 1, -4])


@pytest.mark.parametrize("vector", ["B ", ""])
def test_a_bound_without_a_number_may_have_one_all_the_same(read, vector):
    program = read(with_sections(f"BOUNDS\n BV {vector}x 1\n FR {vector}w 0\n")).program
    assert (program.upper[0], program.integer[0], program.lower[3]) == (1, True, -INF)


@pytest.mark.parametrize(
    ("said", "maximise"),
    [
        ("OBJSENSE\n    MAX\n", True),
        ("OBJSENSE\n    MINIMIZE\n", False),
        ("OBJSENSE MAXIMISE\n", True),
        ("*SENSE:Maximize\n", True),
        ("*SENSE:Minimize\n", False),
        ("*SENSE: to be discussed\n", False),
        ("*SENSE:Maximize\nOBJSENSE\n    MIN\n", False),
        ("OBJSENSE\n    MIN\n*SENSE:Maximize\n", False),
    ],
)
def test_the_sense_is_read(read, said, maximise):
    model = read(said + with_sections(""))
    assert model.maximise is maximise
    np.testing.assert_array_equal(model.objective, [1, 2, -3, 4])


def test_names_of_vectors_may_be_left_out(read):
    text = with_sections("RANGES\n    R  r1  4\nBOUNDS\n UP  B  x  3\n")
    assert_same(
        parts(read(text.replace(" RHS  ", "  ").replace(" R  ", "  ").replace("  B  ", "  "))),
        parts(read(text)),
    )


def test_a_compressed_file_is_known_by_its_bytes(read):
    assert_same(parts(read(gzip.compress(with_sections("").encode()), "a")), parts(read(with_sections(""))))


@pytest.mark.parametrize("encode", ["utf-8", "utf-8-sig", "latin-1"])
def test_names_may_hold_any_characters_but_blanks(read, encode):
    names = {"x": "α" if encode != "latin-1" else "ä", "y": "'a'\"b\"", "z": "x[1,(2,3)]", "w": "-1e5;$%&"}
    lines = with_sections("").split("\n")
    for i, line in enumerate(lines):
        name = line.split()[0] if line.startswith("    ") else None
        if name in names:
            lines[i] = line.replace(f"    {name} ", f"    {names[name]} ")
    model = read("\r\n".join(lines).encode(encode))
    assert model.program.names == tuple(names.values())


FIXED = """\
NAME          fixed
ROWS
 N  cost
 L  row 1
 G  1 2
COLUMNS
    a b       cost               1.5   row 1                2
    M1        'MARKER'                 'INTORG'
    c d e     1 2                 -3
    M2        'MARKER'                 'INTEND'
RHS
    RHS       row 1                4   1 2                 -6
BOUNDS
 UP BND       c d e                8
ENDATA
"""


def test_names_in_fixed_form_may_hold_blanks(read, tmp_path):
    model = read(FIXED)
    assert model.program.names == ("a b", "c d e")
    assert model.program.row_names == ("row 1", "1 2")
    np.testing.assert_array_equal(model.program.integer, [False, True])
    np.testing.assert_array_equal(model.program.upper, [INF, 8])
    np.testing.assert_array_equal(model.program.row_lower, [-INF, -6])
    assert_same(parts(model), by_highs(tmp_path / "a.mps"))


def test_numbers_beside_their_places_in_fixed_form_are_refused(read):
    with pytest.raises(SolverParameterError, match="line 4: 3 fields where 2 are expected"):
        read(FIXED.replace("           1.5   row", "         1.5555555   row"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n  \n", "is empty"),
        ("hello, world\n", "line 1: 'hello,' is none of the sections"),
        ("NAME only\n", "no ROWS section"),
        (SMALL, "without ENDATA"),
        (with_sections("BOUNDS\n SC B x 5\n"), "line 22: a bound 'SC' of column 'x'.*semicontinuous"),
        (with_sections("BOUNDS\n UP B xx 5\n"), "there is no column 'xx'. Did you mean 'x'"),
        (with_sections("BOUNDS\n UP B x five\n"), "'five' is no number"),
        (with_sections("BOUNDS\n UP B x nan\n"), "'nan' is no number"),
        (with_sections("BOUNDS\n UP B x 1_0\n"), "'1_0' is no number"),
        (with_sections("BOUNDS\n UP B x 3\n UP B x 4\n"), "line 23: a second upper bound of column 'x'"),
        (with_sections("BOUNDS\n UP B x 3\n UP C y 4\n"), "several vectors, 'B' and 'C'"),
        (with_sections("BOUNDS\n LO B x 1e30\n"), "limits of 'x' are infinite on the wrong side"),
        (with_sections("RANGES\n    R  r9  4\n"), "there is no row 'r9'"),
        (with_sections("RANGES\n    R  r1  4  r2  5  r3  6\n"), "7 fields where 3 or 5 are expected"),
        (with_sections("RANGES\n    R  r1  inf\n"), "entry of RANGES for row 'r1' is infinite"),
        (with_sections("QUADOBJ\n    x  x  4\n"), "'QUADOBJ' is none of the sections"),
        (with_sections("SOS1\n"), "'SOS1' is none of the sections"),
        (with_sections("RHS\n"), "a second section RHS"),
        (SMALL.replace(" L  r1", " L  r2"), "a second row 'r2'"),
        (SMALL.replace(" L  r1", " Q  r1"), "type of row 'r1' is N, L, G or E, not 'Q'"),
        (SMALL.replace("z  obj  -3", "x  obj  -3"), "column 'x' has ended"),
        (SMALL.replace("r3  1\n", "r1  1\n"), "a second entry of column 'y' in row 'r1'"),
        (SMALL.replace("y  r3  1", "y  r3  inf"), "entry of column 'y' in row 'r3' is infinite"),
        (SMALL.replace("'INTORG'", "'SOSORG'"), "marker 'SOSORG'"),
        ("OBJSENSE\n    UP\n" + SMALL, "OBJSENSE is MIN or MAX, not 'UP'"),
        ("NAME\nCOLUMNS\n", "COLUMNS before ROWS"),
        ("NAME\n    x  obj  1\n", "before the section ROWS"),
        (b"\x1f\x8b damaged", "not a whole gzip file"),
        (gzip.compress(SMALL.encode())[:-9], "not a whole gzip file"),
        (b"\x7fELF\x00\x01\x02", "is none of the sections"),
    ],
)
def test_what_makes_no_sense_is_refused(read, tmp_path, text, message):
    with pytest.raises(SolverParameterError, match=message) as raised:
        read(text)
    assert str(tmp_path / "a.mps") in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SolverParameterError, match=r"there is no file .*missing\.mps"):
        read_mps(tmp_path / "missing.mps")
    with pytest.raises(SolverParameterError, match="cannot be read: Is a directory"):
        read_mps(tmp_path)


numbers = st.integers(-40, 40).map(lambda n: n / 4)


@st.composite
def problems(draw):
    """A model of PuLP with bounds of all kinds."""
    problem = pulp.LpProblem("p", draw(st.sampled_from([pulp.LpMinimize, pulp.LpMaximize])))
    bounds = st.one_of(st.none(), numbers)
    variables = []
    for j in range(draw(st.integers(1, 5))):
        low, high = draw(bounds), draw(bounds)
        if low is not None and high is not None and low > high:
            low, high = high, low
        kind = draw(st.sampled_from([pulp.LpInteger, pulp.LpContinuous]))
        variables.append(problem.add_variable(f"v{j}", low, high, kind))
    problem += pulp.lpSum(draw(numbers.filter(bool)) * variable for variable in variables)
    for i in range(draw(st.integers(1, 4))):
        total = pulp.lpSum(draw(numbers.filter(bool)) * variable for variable in variables)
        compare = draw(st.sampled_from([operator.le, operator.ge, operator.eq]))
        problem += compare(total, draw(numbers)), f"c{i}"
    return problem


@settings(max_examples=150, deadline=None)
@given(problem=problems(), objsense=st.booleans())
def test_what_pulp_writes_is_what_is_read(problem, objsense, tmp_path_factory):
    path = tmp_path_factory.mktemp("mps", numbered=True) / "p.mps"
    problem.writeMPS(str(path), with_objsense=objsense)
    found, expected = read_mps(path), lower(problem)
    assert_same(parts(found), in_order(parts(expected), found.program.names))


def in_order(model, names):
    """Return parts of a model with its columns in another order."""
    order = [model[9].index(name) for name in names]
    return [
        model[0][:, order],
        *model[1:3],
        *(part[order] for part in model[3:7]),
        *model[7:9],
        names,
        model[10],
    ]


def test_pulp_reads_the_same_of_what_both_can_read(read, tmp_path):
    text = with_sections("BOUNDS\n UP B x 7\n LO B y 1\n UP B y 4\n BV B z\n FR B w\n")
    # PuLP's reader knows neither the constant nor further rows of type N.
    text = text.replace("    RHS  obj  -5\n", "").replace("  other  9", "").replace(" N  other\n", "")
    found = read(text)
    _, problem = pulp.LpProblem.fromMPS(str(tmp_path / "a.mps"))
    assert_same(in_order(parts(lower(problem)), found.program.names), parts(found))


@pytest.mark.skipif(not FOLDER.is_dir(), reason=REASON)
@pytest.mark.parametrize("name", files())
def test_every_instance_of_miplib_is_read_as_highs_reads_it(name, tmp_path):
    path = tmp_path / "plain.mps"
    path.write_bytes(gzip.decompress(files()[name].read_bytes()))
    assert_same(parts(read_mps(files()[name])), by_highs(path))


def test_nothing_is_printed_and_nothing_left(read, tmp_path, capfd):
    read(with_sections(""))
    assert capfd.readouterr() == ("", "")
    assert os.listdir(tmp_path) == ["a.mps"]
