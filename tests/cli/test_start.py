"""What a command imports before it answers, each in a fresh process; and what becomes of a reader that leaves."""

import os
import signal
import subprocess
import sys
import time

import pytest

HEAVY = {"torch", "numpy", "networkx", "numba", "scipy", "matplotlib"}
CODE = """
import sys
from imle_core.cli import main
try:
    main({words!r})
except SystemExit as exit:
    assert not exit.code
found = {names!r} & set(sys.modules)
assert not found, found
"""


def start(words, names):
    code = CODE.format(words=words, names=names)
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("solvers",),
        ("plugins", "--json"),
        ("estimators",),
        ("show", "networkx.shortest_path"),
        ("show", "imle"),
        ("doctor", "--help"),
        ("check", "--help"),
        ("new-plugin", "--help"),
    ],
)
def test_no_heavy_library_is_imported(words):
    start(words, HEAVY)


@pytest.mark.parametrize("words", [("solvers",), ("estimators", "--json"), ("show", "imle"), ("plugins",)])
def test_words_and_flags_are_not_converted_by_pydantic(words):
    start(words, {"pydantic"})


def test_nothing_heavy_is_imported_to_make_a_plugin(tmp_path):
    start(("new-plugin", "my_solver", "--into", str(tmp_path)), HEAVY)


def test_completing_a_name_imports_nothing_heavy(shell_words):
    done = shell_words("imle show torch.k", index=2)
    assert "torch.k_subset" in done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("imle show short", {"shortest_path"}),
        ("imle show im", {"imle"}),
        ("imle solve torch.", {"torch.k_subset"}),
        ("imle bench networkx.", {"networkx.shortest_path"}),
        ("imle check torch.", {"torch.k_subset"}),
        ("imle show nothing", set()),
    ],
)
def test_the_shell_completes_names(shell_words, line, offered):
    assert set(shell_words(line, index=2).stdout.split()) >= offered


@pytest.mark.parametrize(
    ("line", "index", "offered"),
    [
        ("imle solve torch.k_subset --set ", 4, {"k=", "n="}),
        ("imle bench k_subset --set k", 4, {"k="}),
        ("imle solve nothing --set ", 4, set()),
    ],
)
def test_the_shell_completes_parameters(shell_words, line, index, offered):
    assert set(shell_words(line, index=index).stdout.split()) == offered


@pytest.fixture
def shell_words():
    """Complete a line as bash does."""
    code = f"""
import sys
from imle_core.cli import main
try:
    main([])
finally:
    assert not {HEAVY!r} & set(sys.modules)
"""

    def complete(line, *, index):
        env = {**os.environ, "_IMLE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(index)}
        return subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )

    return complete


@pytest.mark.parametrize("words", [("estimators",), ("solvers", "--json"), ("--help",)])
def test_a_reader_that_has_enough_is_no_error(words):
    process = subprocess.Popen(
        [sys.executable, "-m", "imle_core.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


def test_a_closed_stdout_is_no_error():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.stdout = None; from imle_core.cli import main; main(['--version'])",
        ],
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_ctrl_c_ends_with_130_and_without_a_traceback():
    code = """
from imle_core.cli import main
import time
from imle_core.registry import default_registry
print("ready", flush=True)
default_registry().specs = lambda: time.sleep(60)
main(["solvers"])
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")
