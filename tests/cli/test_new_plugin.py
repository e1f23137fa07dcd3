"""``imle new-plugin``: the copy of the template carries the new names only, and works as it is."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from imle_core.cli import _template
from imle_core.registry import PluginRegistry, use_registry

TEMPLATE = _template.template()
GUIDE = (Path(__file__).parents[2] / "docs" / "writing_a_solver.md").read_text()


@pytest.fixture
def made(run, tmp_path):
    """Make a plugin called my_solver; return its folder."""
    code, _, err = run("new-plugin", "my_solver", "--into", tmp_path)
    assert (code, err) == (0, "")
    return tmp_path / "imle-my-solver"


def look_installed(folder):
    """Write the metadata that pip would, so that the folder on the path is an installed distribution."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    ((group, entry_points),) = project["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {value}" for name, value in entry_points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


def python(folder, *words):
    """Run Python where the folder comes first on the path and nothing that pytest adds to it is there."""
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "120"}
    return subprocess.run([sys.executable, "-B", *words], cwd=folder, env=env, capture_output=True, text=True)


def test_no_name_of_the_template_is_left(made):
    files = [path for path in made.rglob("*") if path.is_file()]
    assert len(files) == len(list(_template.files(TEMPLATE))) > 5
    for path in files:
        assert "highlight" not in path.relative_to(made).as_posix().lower()
        assert "highlight" not in path.read_text().lower(), path


def test_every_name_is_filled_in(made):
    project = tomllib.loads((made / "pyproject.toml").read_text())
    assert project["project"]["name"] == "imle-my-solver"
    assert project["project"]["entry-points"]["imle.plugins"] == {"my_solver": "imle_my_solver.plugin"}
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["imle_my_solver"]
    assert "class MySolver(imle.Solver):" in (made / "imle_my_solver" / "_solver.py").read_text()
    assert '@parametrize_with_checks("my_solver.*")' in (made / "tests" / "test_conformance.py").read_text()
    assert 'imle.SolverLayer("my_solver.my_solver"' in (made / "README.md").read_text()


def test_back_under_its_own_name_the_copy_is_the_template(tmp_path):
    there = _template.copy(_template.Names("another_name"), tmp_path)
    for path in _template.files(there):
        text = path.read_text()
        for new, own in (("imle-another-name", "imle-highlights"), ("AnotherName", "Highlights")):
            text = text.replace(new, own)
        name = path.relative_to(there).as_posix().replace("another_name", "highlights")
        assert text.replace("another_name", "highlights") == (TEMPLATE / name).read_text()


def test_it_is_found_checked_and_passes_its_own_tests(made):
    look_installed(made)
    listed = python(made, "-m", "imle_core.cli", "solvers", "--json")
    assert "my_solver.my_solver" in [solver["name"] for solver in json.loads(listed.stdout)], listed.stderr
    checked = python(made, "-m", "imle_core.cli", "check", "my_solver.*", "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = python(made, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert tested.returncode == 0, tested.stdout
    assert " passed" in tested.stdout


def test_the_listings_of_the_guide_pasted_over_the_template_are_a_plugin_that_passes(run, tmp_path):
    assert run("new-plugin", "closure", "--into", tmp_path)[0] == 0
    folder = tmp_path / "imle-closure"
    for file in ("_solver.py", "_examples.py", "plugin.py"):
        (listing,) = re.findall(rf"\b[Aa]ll of `{file}`.*?```python\n(.*?)```", GUIDE, re.DOTALL)
        (folder / "imle_closure" / file).write_text(listing)
    look_installed(folder)
    checked = python(folder, "-m", "imle_core.cli", "check", "closure.*", "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    examined = python(folder, "-m", "imle_core.cli", "doctor", "--json")
    assert json.loads(examined.stdout)["healthy"], examined.stdout
    words = ("--set", "jobs=3", "--set", "needs=[[0, 1], [1, 3]]", "--theta", "-")
    refused = python(folder, "-m", "imle_core.cli", "solve", "closure", *words)
    assert refused.stderr == "Error: closure.closure: needs (1, 3) names a job that is not among 0 to 2.\n"


def test_what_the_template_says_to_install_is_there(made):
    project = tomllib.loads((made / "pyproject.toml").read_text())["project"]
    assert any(text.startswith("imle-core>=") for text in project["dependencies"])
    assert any(text.startswith("build") for text in project["optional-dependencies"]["dev"])
    assert "http" not in (made / "README.md").read_text() + (made / "pyproject.toml").read_text()


def test_the_answers_of_the_template_are_optimal(tmp_path):
    folder = _template.copy(_template.Names("my_solver"), tmp_path)
    code = """
import doctest
import numpy as np
from imle_my_solver import _solver
assert doctest.testmod(_solver).attempted > 3 and not doctest.testmod(_solver).failed
rng = np.random.default_rng(0)
for length, count, width in [(7, 2, 2), (6, 3, 2), (5, 2, 1), (9, 2, 3), (4, 1, 4), (10, 3, 2)]:
    solver = _solver.MySolver(length=length, count=count, width=width)
    support = solver.enumerate_support()
    scores = rng.normal(size=(200, length))
    z = solver.solve(scores)
    assert np.allclose((z * scores).sum(1), (scores @ support.T).max(1))
    assert all((solver.encode(solver.decode(state)) == state).all() for state in support)
"""
    done = python(folder, "-c", code)
    assert done.returncode == 0, done.stderr


def test_it_says_what_was_made_and_what_to_type_next(run, tmp_path):
    code, out, _ = run("new-plugin", "my_solver", "--into", tmp_path / "new folder")
    assert code == 0
    assert out.split("Next\n")[1].splitlines() == [
        f"  cd '{tmp_path}/new folder/imle-my-solver'",
        "  pip install -e '.[test]'",
        "  imle check 'my_solver.*'",
    ]
    assert "imle_my_solver/_solver.py     the solver: here begins your work" in out


def test_as_json(run, tmp_path):
    answer = json.loads(run("new-plugin", "imle_knapsack", "--into", tmp_path, "--json")[1])
    assert answer["distribution"] == "imle-knapsack"
    assert answer["solver"] == "knapsack.knapsack"
    assert answer["class"] == "Knapsack"
    assert "imle_knapsack/plugin.py" in answer["files"]
    assert Path(answer["folder"]) == tmp_path / "imle-knapsack"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("MySolver", "Try 'my_solver'."),
        ("my-solver", "Try 'my_solver'."),
        ("9lives", "cannot be the name of a plugin"),
        ("class", "cannot be the name of a plugin"),
        ("my__solver", "Try 'my_solver'."),
        ("solver_", "Try 'solver'."),
        ("étoile", "cannot be the name of a plugin"),
        ("../up", "Try 'up'."),
        ("imle_", "cannot be the name of a plugin"),
        ("", "cannot be the name of a plugin"),
        ("json", "'json' is a module of Python's own; take another name, such as 'json_solver'."),
        ("numpy", "'numpy' is a package that everybody has; take another name, such as 'numpy_solver'."),
        ("torch", "the name 'torch' belongs to imle-core"),
        ("local", "the name 'local' belongs to solvers registered at run time"),
        ("core", "a package 'imle_core' is already installed"),
        ("taken", "the name 'taken' belongs to taken_plugin"),
        ("other", "imle-other 1.0 is already installed"),
    ],
)
def test_a_name_that_is_invalid_or_taken_is_refused(run, tmp_path, distribution, name, message):
    distribution("imle-other", "1.0")
    taken = EntryPoint(name="taken", value="taken_plugin", group="imle.plugins")
    entry_points = [taken] if name == "taken" else None
    with use_registry(PluginRegistry(entry_points=entry_points, env={})):
        code, out, err = run("new-plugin", name, "--into", tmp_path / "into")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not (tmp_path / "into").exists()


def test_nothing_is_overwritten(run, made):
    (made / "README.md").write_text("mine")
    code, _, err = run("new-plugin", "my_solver", "--into", made.parent)
    assert code == 2
    assert "is already there" in err
    assert (made / "README.md").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_a_mistake(run, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run("new-plugin", "my_solver", "--into", tmp_path / "file")
    assert code == 2
    assert "Error: " in err


def test_caches_are_not_copied(tmp_path, monkeypatch):
    source = _template.copy(_template.Names("highlights"), tmp_path / "source")
    package = source / "imle_highlights"
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "plugin.pyc").touch()
    (source / ".pytest_cache").mkdir()
    (source / ".pytest_cache" / "x").touch()
    monkeypatch.setattr(_template, "_SHIPPED", source)
    names = {path.name for path in _template.copy(_template.Names("mine"), tmp_path).rglob("*")}
    assert not {"__pycache__", "plugin.pyc", ".pytest_cache", "x"} & names
