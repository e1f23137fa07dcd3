"""The page on the command line describes the commands that there are, with options that they have."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from imle_core.cli._app import app

PAGE = (Path(__file__).parents[2] / "docs" / "command_line.md").read_text()
GUIDE = (Path(__file__).parents[2] / "docs" / "writing_a_solver.md").read_text()
COMMANDS = typer.main.get_command(app).commands
PAGES = (PAGE + GUIDE).replace("\\\n", " ")  # a line that goes on in the next
TYPED = re.findall(r"(?:^\$ |\| |`)(imle [a-z][^\n`|]*)", PAGES, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_section_with_an_example(name):
    section = re.search(rf"^## imle {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, f"docs/command_line.md has no section on imle {name}"
    assert f"imle {name}" in "".join(re.findall(r"```console\n(.*?)```", section[1], re.DOTALL))


@pytest.mark.parametrize("line", sorted(set(TYPED)))
def test_what_is_typed_on_the_page_is_there_to_be_typed(line):
    words = shlex.split(line)[1:]
    command = COMMANDS[words[0]]
    if hasattr(command, "commands") and len(words) > 1:
        command = command.commands[words[1]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"demo"}))
def test_every_command_takes_json_and_explains_every_option(name):
    assert "--json" in {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert all(parameter.help for parameter in COMMANDS[name].params)
    assert COMMANDS[name].help
