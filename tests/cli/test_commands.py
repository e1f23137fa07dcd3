"""The command ``imle``, as a user types it."""

import dataclasses
import json
from dataclasses import dataclass
from importlib.metadata import EntryPoint, version

import pytest

import imle_core as imle
from imle_core.cli import main
from imle_core.registry import PluginRegistry, SolverSpec, parameter, use_registry


@dataclass(frozen=True, kw_only=True)
class Parameters:
    k: int = parameter(help="How many entries to choose.", ge=1)
    tau: float | None = parameter(None, help="Temperature.")


TOP_K = SolverSpec(
    name="demo.top_k",
    factory="no_such_module:TopK",
    summary="The k best of n [entries].",
    parameters=Parameters,
    aliases=("best",),
    sense="max",
    output="binary",
    references=("Knuth, 1997",),
)
COVER = SolverSpec(
    name="demo.cover",
    factory="no_such_module:Cover",
    summary="The cheapest cover.",
    requires=("no-such-lib>=2",),
    extra="demo",
)


@pytest.fixture(autouse=True)
def registry():
    broken = EntryPoint(name="broken", value="no_such_module", group="imle.plugins")
    with use_registry(PluginRegistry(entry_points=[broken], env={})) as registry:
        registry.register(TOP_K)
        registry.register(COVER)
        yield registry


def test_version(run):
    assert run("--version") == (0, f"imle-core {version('imle-core')}\n", "")


def test_solvers_lists_name_sense_summary_and_what_to_install(run):
    code, out, _ = run("solvers")
    lines = [line.split("  ") for line in out.splitlines() if "demo." in line]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert code == 0
    assert cells == [
        ["demo.cover", "max/min", "The cheapest cover.", "to install"],
        ["demo.top_k", "max", "The k best of n [entries].", "ready"],
    ]
    assert "\n  pip install 'imle-core[demo]'\n" in out


def test_solvers_as_json(run):
    code, out, _ = run("solvers", "--json")
    assert code == 0
    assert json.loads(out)[1] == {
        "name": "demo.top_k",
        "aliases": ["best"],
        "sense": "max",
        "summary": "The k best of n [entries].",
        "install": None,
    }


def test_a_broken_plugin_is_reported_beside_the_solvers(run, caplog):
    assert run("solvers")[0] == 0
    assert "No module named 'no_such_module'" in caplog.text


def test_plugins_shows_a_broken_one_with_its_cause_once_and_exits_with_1(run, caplog):
    code, out, _ = run("plugins")
    assert code == 1
    assert "failed" in out
    assert "ModuleNotFoundError: No module named 'no_such_module'" in out
    assert not caplog.records


def test_plugins_as_json(run):
    code, out, _ = run("plugins", "--json")
    assert code == 1
    assert json.loads(out) == [
        {
            "name": "broken",
            "module": "no_such_module",
            "distribution": "",
            "shipped": False,
            "status": "failed",
            "error": "ModuleNotFoundError: No module named 'no_such_module'",
            "where": None,
            "solvers": [],
        }
    ]


def test_without_plugins_or_solvers_a_sentence_says_so(run):
    with use_registry(PluginRegistry(entry_points=(), env={})):
        assert run("plugins")[1] == "No plugins are installed.\n"
        assert run("solvers")[1] == "No solvers are installed.\n"


@pytest.mark.parametrize("name", ["demo.top_k", "top_k", "best"])
def test_show_describes_parameters_and_traits_without_importing_the_solver(run, name):
    code, out, _ = run("show", name)
    assert code == 0
    for text in (
        "demo.top_k",
        "[entries]",
        "binary",
        "Knuth, 1997",
        "required",
        ">= 1",
        "How many entries",
        "ready",
    ):
        assert text in out


def test_show_as_json(run):
    described = json.loads(run("show", "best", "--json")[1])
    assert described["name"] == "demo.top_k"
    assert described["parameters"] == [
        {"name": "k", "type": "int", "required": True, "ge": 1, "help": "How many entries to choose."},
        {"name": "tau", "type": "float | None", "required": False, "default": None, "help": "Temperature."},
    ]


def test_show_works_for_a_solver_whose_library_is_missing(run):
    code, out, _ = run("show", "cover")
    assert code == 0
    assert "no-such-lib>=2" in out
    assert "\n  pip install 'imle-core[demo]'\n" in out
    assert "They are not known before its libraries are installed." in out


def test_show_reads_the_signature_of_a_factory_without_a_schema(run, registry):
    registry.register(lambda k=3: imle.FunctionSolver(len, sense="max"), "three")
    assert "k" in run("show", "three")[1]
    assert json.loads(run("show", "three", "--json")[1])["parameters"][0]["default"] == 3


def test_show_gives_lines_to_paste_that_fit_the_parameters(run):
    out = run("show", "top_k")[1]
    assert '  layer = imle.SolverLayer("demo.top_k", k=3)\n  z = layer(scores)\n' in out


def test_show_folds_at_words_where_the_terminal_is_narrow(run, registry, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    registry.register(
        dataclasses.replace(TOP_K, summary="word " * 30, references=("long " * 30,)), "wide.top_k"
    )
    for words in (("show", "wide.top_k"), ("solvers",), ("estimators",), ("show", "imle"), ("plugins",)):
        out = run(*words)[1]
        assert max(map(len, out.splitlines())) <= 76, words  # lines to paste are not folded
        assert "wor\n" not in out


def test_show_without_parameters_says_so(run, registry):
    registry.register(lambda: None, "plain")
    assert "It takes no parameters." in run("show", "plain")[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("demo.top_kk", "no solver named 'demo.top_kk'. Did you mean 'demo.top_k'?"),
        ("demo", "no solver named 'demo'. It is a plugin; give one of its solvers: demo.cover, demo.top_k."),
        ("demo.*", "It is a plugin; give one of its solvers: demo.cover, demo.top_k."),
        ("imel", "Did you mean 'imle'? Estimators: imle,"),
        ("broken.x", "plugin 'broken' failed to load: ModuleNotFoundError"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(run, name, message):
    code, out, err = run("show", name)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert message in err
    assert err.count("\n") == 1


def test_an_error_that_is_not_ours_is_not_hidden(registry, monkeypatch):
    monkeypatch.setattr(registry, "find", lambda name: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["show", "x"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("solvrs", "No such command 'solvrs'. Did you mean 'solvers'"),
        ("solve", "Missing argument"),
        ("solve top_k", "Missing option '--theta'. `imle solve --help` explains"),
        ("solve top_k --bogus", "No such option: --bogus"),
        ("bench top_k --seconds -1", "Invalid value for '--seconds'"),
        ("demo warcraft --bogus", "`imle demo warcraft --help` explains"),
    ],
)
def test_a_mistake_in_the_words_is_one_line_on_stderr_and_exit_code_2(run, words, message):
    code, out, err = run(*words.split())
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("Error: ")
    assert message in err


def test_without_a_word_the_help_is_shown(run):
    _, out, err = run()
    assert "Look around" in out + err


@pytest.mark.parametrize("name", ["solve", "bench", "check", "doctor", "new-plugin"])
def test_help_shows_no_types_of_python(run, name):
    out = run(name, "--help")[1]
    assert "--json" in out
    for jargon in ("<bool>", "<str>", "list["):
        assert jargon not in out


def test_names_of_solvers_are_never_broken(run, registry, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    name = "some_long_namespace.a_solver_with_a_very_long_name"
    registry.register(dataclasses.replace(TOP_K, summary="word " * 30), name)
    assert name in run("solvers")[1]


def test_in_a_pipe_a_row_is_a_line(run, registry, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    summary = "word " * 60 + "end."
    registry.register(dataclasses.replace(TOP_K, summary=summary), "wide.top_k")
    (line,) = [line for line in run("solvers")[1].splitlines() if "wide.top_k" in line]
    assert summary in line
    assert line.rstrip().endswith("ready")


def test_show_finds_an_estimator_in_any_case(run):
    assert "gradient estimator" in run("show", "IMLE")[1]
    assert "gradient estimator" in run("show", "SparseMAP")[1]


def test_strict_plugins_show_the_traceback(run, tmp_path, monkeypatch):
    (tmp_path / "failing_plugin.py").write_text("def inner():\n    1 / 0\ninner()")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("IMLE_STRICT_PLUGINS", "1")
    entry_point = EntryPoint(name="failing", value="failing_plugin", group="imle.plugins")
    with use_registry(PluginRegistry(entry_points=[entry_point])):
        code, _, err = run("solvers")
    assert code == 2
    assert 'failing_plugin.py", line 2, in inner' in err
    assert err.splitlines()[-1].startswith("Error: plugin 'failing' failed to load: ZeroDivisionError")
