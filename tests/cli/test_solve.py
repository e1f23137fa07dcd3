"""``imle solve``: a solver from the shell."""

import io
import json
import zipfile

import numpy as np
import pytest

import imle_core as imle
from imle_core.registry import PluginRegistry, use_registry


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Be in a folder with scores of two rows in every format."""
    monkeypatch.chdir(tmp_path)
    theta = np.array([[0.1, 3.0, 2.0], [4.0, 1.0, 0.5]])
    np.save("t.npy", theta)
    np.savez("t.npz", theta=theta)
    np.savetxt("t.csv", theta, delimiter=",", header="a, b, c")
    np.savetxt("t.txt", theta)
    (tmp_path / "t.json").write_text(json.dumps(theta.tolist()))
    (tmp_path / "bom.json").write_text("\ufeff[1, 2, 3]", encoding="utf-8")
    return tmp_path


def solve(run, *words):
    return run("solve", "torch.k_subset", "--set", "k=1", *words)


@pytest.mark.parametrize("name", ["t.npy", "t.npz", "t.csv", "t.txt", "t.json"])
def test_a_batch_is_read_from_every_format(run, files, name):
    code, out, _ = solve(run, "--theta", name, "--json")
    assert code == 0
    assert json.loads(out) == {
        "solver": "torch.k_subset",
        "sense": "max",
        "objective": [3.0, 4.0],
        "states": [[0, 1, 0], [1, 0, 0]],
    }


def test_one_row_gives_one_answer(run, files):
    answer = json.loads(solve(run, "--theta", "bom.json", "--decode", "--json")[1])
    assert (answer["objective"], answer["states"], answer["structures"]) == (3.0, [0, 0, 1], [2])


def test_theta_may_come_from_stdin(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("[[1, 2], [3, 1]]"))
    assert json.loads(solve(run, "--theta", "-", "--json")[1])["objective"] == [2, 3]


def test_more_batch_dimensions_and_no_rows_at_all(run, files):
    np.save("deep.npy", np.arange(24.0).reshape(2, 3, 4))
    np.save("none.npy", np.zeros((0, 4)))
    assert json.loads(solve(run, "--theta", "deep.npy", "--json")[1])["objective"] == [
        [3, 7, 11],
        [15, 19, 23],
    ]
    assert json.loads(solve(run, "--theta", "none.npy", "--json")[1])["objective"] == []
    assert solve(run, "--theta", "none.npy")[1] == "torch.k_subset: theta has no rows.\n"


def test_a_table_shows_row_objective_and_state_or_structure(run, files):
    out = solve(run, "--theta", "t.npy")[1]
    assert [line.split() for line in out.splitlines()[-2:]] == [
        ["0", "3", "0", "1", "0"],
        ["1", "4", "1", "0", "0"],
    ]
    assert [line.split() for line in solve(run, "--theta", "t.npy", "--decode")[1].splitlines()[-2:]] == [
        ["0", "3", "[1]"],
        ["1", "4", "[0]"],
    ]


def test_of_a_long_state_the_entries_are_told_that_are_not_zero(run, files):
    np.save("long.npy", np.eye(1, 100, 7))
    assert "1 of 100 are not 0: 7" in solve(run, "--theta", "long.npy")[1]


def test_states_are_saved_in_the_shape_of_theta(run, files):
    assert solve(run, "--theta", "t.npy", "--out", "z")[0] == 0
    assert np.load("z").tolist() == [[0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize(("name", "delimiter"), [("z.csv", ","), ("z.txt", None)])
def test_states_are_saved_as_text_where_the_name_says_so(run, files, name, delimiter):
    assert solve(run, "--theta", "t.npy", "--out", name)[0] == 0
    assert np.loadtxt(name, delimiter=delimiter).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_what_a_solver_prints_is_not_amid_the_answer(run, files):
    class Talking(imle.Solver):
        sense = "max"

        def solve(self, theta):
            print("thinking")  # noqa: T201
            return theta

    with use_registry(PluginRegistry(entry_points=(), env={})) as registry:
        registry.register(Talking, "talking")
        code, out, err = run("solve", "talking", "--theta", "t.npy", "--json")
    assert (code, err) == (0, "thinking\n")
    assert json.loads(out)["solver"] == "local.talking"


def test_a_graph_and_instances_of_rows(run, files):
    np.save("costs.npy", [[1.0, 1.0, 1.0], [1.0, 5.0, 1.0]])
    (files / "i.json").write_text('[{"source": 0, "target": 3}, {"source": 1, "target": 2}]')
    words = (
        "solve",
        "networkx.shortest_path",
        "--set",
        "graph=path:4",
        "--theta",
        "costs.npy",
        "--json",
        "--decode",
    )
    answer = json.loads(run(*words, "--instances", "i.json")[1])
    assert answer["structures"] == [[0, 1, 2, 3], [1, 2]]
    assert answer["objective"] == [3.0, 5.0]


def test_nodes_of_a_grid_are_lists(run, files):
    np.save("costs.npy", np.ones((1, 6)))
    words = [
        "solve",
        "shortest_path",
        "--set",
        "graph=grid:2x3",
        "--set",
        "weight=node",
        "--theta",
        "costs.npy",
        "--decode",
        "--json",
    ]
    answer = json.loads(run(*words, "--set", "source=[0,0]", "--set", "target=[1,0]")[1])
    assert answer["structures"] == [[[0, 0], [1, 0]]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--theta none.npy", "'none.npy' cannot be read: No such file or directory."),
        ("--theta folder.npy", "'folder.npy' cannot be read: Is a directory."),
        ("--theta t.dat", "an array is read from .npy"),
        ("--theta junk.npy", "it is damaged, or holds Python objects."),
        ("--theta object.npy", "it is damaged, or holds Python objects."),
        ("--theta junk.npz", "it is damaged, or holds Python objects."),
        ("--theta two.npz", "holds 2 arrays (a, b); save one alone."),
        ("--theta junk.csv", "holds no array of numbers: could not convert string"),
        ("--theta empty.csv", "it is empty."),
        ("--theta broken.json", "'broken.json' is not JSON"),
        ("--theta deep.json", "'deep.json' is not JSON"),
        ("--theta ragged.json", "holds no array of numbers"),
        ("--theta words.json", "not real numbers"),
        ("--theta latin.json", "is not text in UTF-8"),
        ("--theta complex.npy", "holds complex128, not real numbers"),
        ("--theta nan.npy", "non-finite"),
        ("--theta t.npy --set k=9", "k = 9 entries cannot be chosen from a theta with 3 entries"),
        ("--theta t.npy --set n=4", "theta has shape (2, 3), but the solver takes rows of shape (4,)"),
        ("--theta t.npy --set n=x", "n must be int | None; got 'x'"),
        ("--theta t.npy --set m=4", "unknown parameter 'm'"),
        ("--theta t.npy --out none/z.npy", "'none/z.npy' cannot be written: No such file or directory."),
        ("--theta t.npy --out z.npz", "an array is written as .npy, .csv or .txt; take another name."),
        ("--theta t.npy --instances one.json", "has 1 instances for 2 rows of theta"),
        ("--theta t.npy --instances two.json", "rows cannot have different instances"),
        ("--theta - --instances -", "stdin holds either --theta or --instances"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(run, files, words, message):
    write_bad_files(files)
    k = () if "k=9" in words else ("--set", "k=1")
    code, out, err = run("solve", "k_subset", *k, *words.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("Error: ")
    assert message in err


def write_bad_files(folder):
    (folder / "folder.npy").mkdir()
    for name in ("junk.npy", "junk.npz", "junk.csv", "t.dat"):
        (folder / name).write_text("junk")
    (folder / "empty.csv").write_text("# nothing\n\n")
    (folder / "broken.json").write_text("[1, 2")
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "ragged.json").write_text("[[1, 2], [3]]")
    (folder / "words.json").write_text('["a"]')
    (folder / "latin.json").write_bytes(b"[1] \xff")
    (folder / "one.json").write_text("[0]")
    (folder / "two.json").write_text("[0, 1]")
    np.save("object.npy", np.array([{}], dtype=object))
    np.savez("two.npz", a=[1.0], b=[2.0])
    np.save("complex.npy", np.array([[1j, 2.0, 3.0]]))
    np.save("nan.npy", np.array([[np.nan, 2.0, 3.0]]))
    assert not zipfile.is_zipfile("junk.npz")


def test_what_cannot_be_decoded_says_what_to_leave_out(run, files):
    class Plain(imle.Solver):
        sense = "max"

        def solve(self, theta):
            return theta

    with use_registry(PluginRegistry(entry_points=(), env={})) as registry:
        registry.register(Plain, "plain")
        code, _, err = run("solve", "plain", "--theta", "t.npy", "--decode")
    assert code == 2
    assert "has no `decode`" in err
    assert "Leave out --decode." in err


def test_a_solver_that_fails_is_exit_code_1(run, files):
    class Broken(imle.Solver):
        sense = "max"

        def solve(self, theta):
            raise imle.errors.InfeasibleError("nothing fits", row=1)

    with use_registry(PluginRegistry(entry_points=(), env={})) as registry:
        registry.register(Broken, "broken")
        code, out, err = run("solve", "broken", "--theta", "t.npy")
    assert (code, out, err) == (1, "", "Error: local.broken: row 1: nothing fits\n")
