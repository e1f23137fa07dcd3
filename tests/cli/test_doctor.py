"""``imle doctor``: what it finds in installations that are broken in one way each."""

import builtins
import json
import os
import sys
from importlib.metadata import EntryPoint

import pytest

from imle_core.cli import _health
from imle_core.registry import PluginRegistry, SolverSpec, use_registry


@pytest.fixture
def examine(run):
    """Examine an installation with these solvers and broken plugins; return exit code and what was found."""

    def examine(*specs: SolverSpec, broken: str = ""):
        entry_points = [EntryPoint(name="broken", value=broken, group="imle.plugins")] if broken else []
        of_plugins = _health.Scene.specs.fget
        with (
            use_registry(PluginRegistry(entry_points=entry_points, env={})),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(_health.Scene, "specs", property(lambda scene: [*of_plugins(scene), *specs]))
            code, out, err = run("doctor", "--json")
        assert err == ""
        return code, json.loads(out)

    return examine


def spec(name="demo.top_k", **fields):
    return SolverSpec(name=name, factory="imle_core:FunctionSolver", summary="The k best.", **fields)


def found(answer, level="problem"):
    return [finding for finding in answer["findings"] if finding["level"] == level]


def test_a_sound_installation_is_healthy(run):
    code, out, err = run("doctor")
    assert (code, err) == (0, "")
    for text in (
        "Versions",
        "imle-core",
        "torch",
        "Clashes",
        "none that clash",
        "Licences",
        "Devices",
        "no problems",
    ):
        assert text in out


def test_libraries_of_solvers_have_their_version_and_licence(examine, distribution):
    distribution("solverlib", "2.1", "License-Expression: Apache-2.0")
    distribution("oldlib", "1.0", "Classifier: License :: OSI Approved :: MIT License")
    code, answer = examine(spec(requires=("solverlib>=2", "oldlib")))
    assert code == 0
    assert answer["sections"]["versions"]["solverlib"] == "2.1"
    assert answer["sections"]["licences"] == {"solverlib": "Apache-2.0", "oldlib": "MIT License"}


@pytest.mark.parametrize(
    ("installed", "effect"),
    [
        ({"ortools": "9.15.6755", "highspy": "1.15.0"}, "both bring their own libhighs"),
        ({"ortools": "9.15.6755", "highspy": "1.16.1"}, "both bring their own libhighs"),
        ({"pulp": "3.3.0", "highspy": "1.14.0", "ortools": "9.15.6755"}, "then crashes it"),
    ],
)
def test_libraries_that_cannot_be_in_one_process_are_a_problem(examine, distribution, installed, effect):
    for name, version in installed.items():
        distribution(name, version)
    code, answer = examine()
    (problem,) = found(answer)
    assert code == 1
    assert answer["healthy"] is False
    assert effect in problem["text"]
    assert all(f"{name} {version}" in problem["text"] for name, version in installed.items())
    assert problem["remedy"] == "pip install 'highspy>=1.12,<1.13'"


@pytest.mark.parametrize(
    "installed",
    [
        {"ortools": "9.15.6755", "highspy": "1.12.0", "pulp": "3.3.0"},
        {"ortools": "9.14.0", "highspy": "1.15.0"},
        {"ortools": "9.14.0", "pulp": "3.3.0", "highspy": "1.14.0"},
    ],
)
def test_libraries_that_get_along_are_no_problem(examine, distribution, installed):
    for name, version in installed.items():
        distribution(name, version)
    code, answer = examine()
    assert (code, found(answer)) == (0, [])


def test_a_conflict_that_solvers_declare_is_reported_once(examine, distribution):
    distribution("mylib", "1.0")
    distribution("otherlib", "3.0")
    declared = {"requires": ("mylib",), "conflicts": ("otherlib>=2",)}
    code, answer = examine(spec("a.one", **declared), spec("a.two", **declared))
    (problem,) = found(answer)
    assert code == 1
    assert "otherlib 3.0 clash: it cannot be in one process with a.one, a.two" in problem["text"]


def test_a_conflict_of_a_solver_whose_library_is_missing_is_none(examine, distribution):
    distribution("otherlib", "3.0")
    code, answer = examine(spec(requires=("mylib-that-is-missing",), conflicts=("otherlib>=2",)))
    assert code == 0
    assert "clash" not in json.dumps(answer["findings"])


def test_a_known_clash_that_a_solver_also_declares_is_reported_once(examine, distribution):
    distribution("ortools", "9.15.6755")
    distribution("highspy", "1.15.0")
    declared = spec("ortools.tsp", requires=("ortools>=9.12",), conflicts=("highspy>=1.15",))
    assert len(found(examine(declared)[1])) == 1


def test_a_plugin_that_fails_is_a_problem_with_all_causes_and_a_remedy(run, tmp_path, monkeypatch):
    (tmp_path / "broken_plugin.py").write_text(
        "try:\n    import no_such_library\nexcept ImportError as error:\n"
        "    raise RuntimeError('the library is needed') from error\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    entry_point = EntryPoint(name="broken", value="broken_plugin", group="imle.plugins")
    with use_registry(PluginRegistry(entry_points=[entry_point], env={})):
        code, out, err = run("doctor")
    assert (code, err) == (1, "")
    assert (
        "RuntimeError: the library is needed <- ModuleNotFoundError: No module named 'no_such_library'" in out
    )
    assert "pip install no_such_library" in out
    assert "1 problem" in out


def test_a_plugin_whose_own_module_is_gone_is_not_to_be_installed_by_that_name(examine):
    (problem,) = found(examine(broken="gone_plugin")[1])
    assert problem["remedy"].startswith("upgrade, reinstall or uninstall gone_plugin")
    assert "IMLE_DISABLED_PLUGINS=broken" in problem["remedy"]


PLUGIN = """
from imle_core import SolverSpec, hookimpl
@hookimpl
def imle_register_solvers():
    return [SolverSpec(name=name, factory=factory, summary="S.") for name, factory in {factories!r}.items()]
"""


@pytest.fixture
def author(run, tmp_path, monkeypatch):
    """Examine an installation with one plugin of a package, its files given as text; return what was found."""

    def author(files, *, name="mine", target="mine_package.plugin"):
        package = tmp_path / "mine_package"
        package.mkdir()
        for file, text in {"__init__.py": "", **files}.items():
            (package / file).write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        entry_points = [EntryPoint(name=name, value=target, group="imle.plugins")]
        with use_registry(PluginRegistry(entry_points=entry_points, env={})):
            code, out, err = run("doctor", "--json")
        answer = json.loads(out)
        assert code == int(not answer["healthy"])
        assert err in ("", "hello\n")  # what a plugin prints is not amid the JSON
        return found(answer)

    yield author
    for module in [each for each in sys.modules if each.partition(".")[0] == "mine_package"]:
        del sys.modules[module]


@pytest.mark.parametrize(
    ("solver", "factory", "text", "remedy"),
    [
        ("TopK = 1", "mine_package._solver:TopL", "has no attribute 'TopL'", "Did you mean 'TopK'?"),
        ("", "mine_package._solvr:TopK", "No module named", "Did you mean 'mine_package._solver'?"),
        (
            "import no_such_library",
            "mine_package._solver:T",
            "'no_such_library'",
            "pip install no_such_library",
        ),
        ("1 / 0", "mine_package._solver:T", "ZeroDivisionError", "python -c 'import mine_package._solver'"),
        ("raise SystemExit(3)", "mine_package._solver:T", "SystemExit: 3", "upgrade or reinstall"),
        ("print('hello')\nT = 1", "mine_package._solver:T", "neither a class nor a function", "upgrade or"),
    ],
)
def test_a_factory_that_cannot_be_imported_is_a_problem(author, solver, factory, text, remedy):
    plugin = PLUGIN.format(factories={"top_k": factory})
    (problem,) = author({"plugin.py": plugin, "_solver.py": solver})
    assert problem["text"].startswith(f"mine.top_k ({factory}) cannot be imported: ")
    assert text in problem["text"]
    assert remedy in problem["remedy"]


def test_one_cause_that_keeps_several_solvers_from_being_imported_is_told_once(author):
    factories = {"one": "mine_package._solver:One", "two": "mine_package._solver:Two"}
    (problem,) = author({"plugin.py": PLUGIN.format(factories=factories), "_solver.py": "1 / 0"})
    assert "mine.one (mine_package._solver:One), mine.two (mine_package._solver:Two)" in problem["text"]


@pytest.mark.parametrize(
    ("source", "text", "where"),
    [
        ("\n\nimport no_such_library", "No module named 'no_such_library'", "mine_package/plugin.py:3"),
        (
            "import imle_core as imle\n\nimle.SolverSpec(nam='a')",
            "SolverSpec has no field 'nam'. Did you mean 'name'?",
            ":3",
        ),
        (
            "from imle_core import SolverSpec, hookimpl\n@hookimpl\ndef imle_register_solvers():\n"
            "    return SolverSpec(name='a', factory='a:b', summary='A.')",
            "must return a list of SolverSpec; got SolverSpec; put it in a list",
            ":2",
        ),
        ("def imle_register_solvers():\n    return []", "not marked with @imle.hookimpl", ":1"),
    ],
    ids=["import", "field", "one description", "no mark"],
)
def test_what_is_wrong_in_the_module_of_a_plugin_is_told_with_its_line(author, source, text, where):
    (problem,) = author({"plugin.py": source})
    assert text in problem["text"]
    assert "<-" not in problem["text"]
    assert f"plugin 'mine', in mine_package/plugin.py{where[-2:]}: " in problem["text"]


def test_the_remedy_for_an_error_of_the_plugin_itself_names_the_traceback(author):
    (problem,) = author({"plugin.py": "1 / 0"})
    assert "IMLE_STRICT_PLUGINS=1 IMLE_LOAD_PLUGINS=mine imle solvers" in problem["remedy"]


def test_a_requirement_that_cannot_be_read_is_told_once(author):
    source = "import imle_core as imle\nimle.SolverSpec(name='a', factory='a:b', summary='A.', requires=('numpy=>2',))"
    (problem,) = author({"plugin.py": source})
    assert problem["text"].count("numpy=>2") == 1
    assert "<-" not in problem["text"]


@pytest.mark.parametrize("name", ["torch", "local"])
def test_who_takes_the_name_of_another_is_told_to_go_and_not_to_switch_that_one_off(run, distribution, name):
    distribution("taker", "1.0")
    taker = EntryPoint(name=name, value="taker.plugin", group="imle.plugins")
    shipped = EntryPoint(name="torch", value="imle_torch.plugin", group="imle.plugins")
    with use_registry(PluginRegistry(entry_points=[shipped, taker], env={})):
        (problem,) = found(json.loads(run("doctor", "--json")[1]))
    assert "belongs to" in problem["text"]
    assert problem["remedy"] == "uninstall taker.plugin; if it is yours, give its entry point another name"


@pytest.mark.parametrize("group", ["imle_plugins", "imle.plugin", "IMLE.plugins"])
def test_entry_points_in_a_group_that_is_misspelt_are_a_problem(run, distribution, tmp_path, group):
    distribution("mine", "1.0")
    (tmp_path / "site-packages" / "mine-1.0.dist-info" / "entry_points.txt").write_text(
        f"[{group}]\nmine = mine.plugin\n\n[console_scripts]\nmine = mine:main\n"
    )
    code, out, _ = run("doctor", "--json")
    (problem,) = found(json.loads(out))
    assert code == 1
    assert f"mine has entry points in the group {group!r}, which nothing reads" in problem["text"]
    assert "[project.entry-points.'imle.plugins']" in problem["remedy"]


def test_a_bare_name_of_two_plugins_is_a_note(examine):
    code, answer = examine(spec("one.top_k"), spec("two.top_k"))
    (note,) = found(answer, "note")
    assert code == 0
    assert (note["text"], note["remedy"]) == (
        "'top_k' alone is ambiguous, because 2 plugins offer it",
        "use a full name: one.top_k, two.top_k",
    )


def test_a_solver_that_would_clash_with_one_already_imported_is_not_tried(examine, distribution):
    distribution("onelib", "1.0")
    distribution("otherlib", "1.0")
    first = spec("a.one", requires=("onelib",), conflicts=("otherlib",))
    second = SolverSpec(name="b.two", factory="no_such:T", summary="S.", requires=("otherlib",))
    answer = examine(first, second)[1]
    assert answer["sections"]["solvers"]["b.two"] == "not tried: it cannot be in one process with a.one"
    assert not any("imported" in finding["text"] for finding in found(answer))


def test_strict_plugins_do_not_keep_the_doctor_from_its_work(run, monkeypatch):
    monkeypatch.setenv("IMLE_STRICT_PLUGINS", "1")
    code, out, _ = run("doctor")
    assert code == 0
    assert "IMLE_STRICT_PLUGINS" in out


def test_a_switch_that_names_no_plugin_is_a_problem(run, monkeypatch):
    monkeypatch.setenv("IMLE_DISABLED_PLUGINS", "netwrokx")
    code, out, _ = run("doctor")
    assert code == 1
    assert "IMLE_DISABLED_PLUGINS names 'netwrokx', which is not installed" in out


def test_more_threads_than_processors_are_a_note(run, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1000")
    answer = json.loads(run("doctor", "--json")[1])
    assert answer["healthy"] is True
    assert "OMP_NUM_THREADS=1000 is more than" in found(answer, "note")[0]["text"]
    assert answer["sections"]["environment"]["OMP_NUM_THREADS"] == "1000"


def test_a_missing_library_is_a_note_and_a_wrong_version_a_problem(run, distribution, tmp_path, monkeypatch):
    distribution("oldlib", "1.0")
    (tmp_path / "lib_plugin.py").write_text(
        "from imle_core import SolverSpec, hookimpl\n"
        "@hookimpl\n"
        "def imle_register_solvers():\n"
        "    for name, needs in (('one', 'no-such-lib>=2'), ('two', 'oldlib>=2')):\n"
        "        yield SolverSpec(name=name, factory='no_such:T', summary='S.', requires=(needs,))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    entry_point = EntryPoint(name="lib", value="lib_plugin", group="imle.plugins")
    with use_registry(PluginRegistry(entry_points=[entry_point], env={})):
        code, out, _ = run("doctor", "--json")
    answer = json.loads(out)
    assert code == 1
    assert [(f["text"], f["remedy"]) for f in found(answer, "note")] == [
        ("lib.one needs no-such-lib>=2; it is not installed", "pip install 'no-such-lib>=2'")
    ]
    assert [(f["text"], f["remedy"]) for f in found(answer)] == [
        ("lib.two needs oldlib>=2; 1.0 is installed", "pip install 'oldlib>=2'")
    ]


def test_a_commercial_solver_is_told_with_its_licence_file(examine, distribution, monkeypatch, tmp_path):
    distribution("gurobipy", "13.0.0")
    assert examine()[1]["sections"]["licences"]["gurobipy 13.0.0"] == "commercial; no licence variable is set"
    (tmp_path / "gurobi.lic").touch()
    monkeypatch.setenv("GRB_LICENSE_FILE", str(tmp_path / "gurobi.lic"))
    code, answer = examine()
    assert code == 0
    assert "GRB_LICENSE_FILE=" in answer["sections"]["licences"]["gurobipy 13.0.0"]
    monkeypatch.setenv("GRB_LICENSE_FILE", str(tmp_path / "gone.lic"))
    code, answer = examine()
    assert code == 1
    assert "which does not exist" in found(answer)[0]["text"]


def test_metadata_come_before_torch_is_imported(monkeypatch):
    sections = _health.examine(_health.Scene((), env={}))
    imported = []
    real = builtins.__import__
    monkeypatch.setattr(
        builtins, "__import__", lambda name, *rest: imported.append(name) or real(name, *rest)
    )
    titles = [next(sections).title for _ in _health.SECTIONS[:-2]]
    assert "torch" not in imported
    assert titles == ["Versions", "Plugins", "Clashes", "Environment", "Licences"]
    assert next(sections).title == "Devices"
    assert "torch" in imported
    assert next(sections).title == "Solvers"


def test_a_torch_that_cannot_be_imported_is_a_problem(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    code, out, _ = run("doctor")
    assert code == 1
    assert "torch cannot be imported: ModuleNotFoundError" in out


@pytest.mark.parametrize(
    ("cuda", "level"), [(None, "note"), ("13.0", "problem")], ids=["built without CUDA", "built with CUDA"]
)
def test_a_driver_without_a_gpu_that_torch_can_use_is_told(monkeypatch, tmp_path, cuda, level):
    import torch

    version = tmp_path / "version"
    version.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06\nGCC version: 12\n")
    monkeypatch.setattr(_health, "_DRIVER", version)
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    section = _health.devices(_health.Scene((), env=os.environ))
    assert dict(section.facts)["driver"] == "NVIDIA UNIX x86_64 Kernel Module 580.65.06"
    assert [finding.level for finding in section.findings] == [level]


def test_the_core_says_which_of_its_own_requirements_are_not_met(examine, distribution):
    distribution("torch", "1.0")
    code, answer = examine()
    assert code == 1
    assert any("imle-core needs torch>=" in problem["text"] for problem in found(answer))
