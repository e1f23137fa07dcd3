"""``imle new-plugin NAME``: a plugin to start from, that works."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from ._completion import quiet_registry
from ._files import CommandLineError
from ._output import AsJson, print_code, print_heading, print_json, print_table
from ._template import Names, copy, files, is_name


def new_plugin(
    name: Annotated[
        str, typer.Argument(help="Of the solver and its namespace: my_solver becomes my_solver.my_solver.")
    ],
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder to make the new one in.")] = Path("."),
    as_json: AsJson = False,
) -> None:
    """Start a plugin: an installable package with a solver.

    With its description, examples and tests. It works as it is. Put your solver in place of the one in _solver.py.
    """
    names = _names(name)
    try:
        folder = copy(names, into)
    except FileExistsError as error:
        raise CommandLineError(
            f"{str(error.filename)!r} is already there; take another name, or another folder by --into."
        ) from error
    except OSError as error:
        raise CommandLineError(f"{str(error.filename)!r} cannot be written: {error.strerror}.") from error
    made = [path.relative_to(folder).as_posix() for path in files(folder)]
    steps = [f"cd {shlex.quote(str(folder))}", "pip install -e '.[test]'", f"imle check '{names.solver}.*'"]
    if as_json:
        print_json(
            {
                "folder": str(folder),
                "distribution": names.distribution,
                "package": names.package,
                "solver": f"{names.solver}.{names.solver}",
                "class": names.class_name,
                "files": made,
                "next": steps,
            }
        )
        return
    print_table(
        ("file", "what it is"),
        [(file, _purpose(file)) for file in made],
        empty="",
        heading=str(folder),
        note=f"solver {names.solver}.{names.solver}",
    )
    print_heading("Next")
    print_code(steps)


_FAMILIAR = {"imle", "numpy", "torch", "pip"}
"""Names that would mislead, beside those of the standard library."""

_PURPOSES = {
    "_solver.py": "the solver: here begins your work",
    "plugin.py": "its description and parameters",
    "_examples.py": "small solvers, for the checks and for `imle bench`",
    "test_conformance.py": "the conformance kit, for pytest",
    "pyproject.toml": "distribution, dependencies, entry point",
    "README.md": "for its users",
}


def _purpose(file: str) -> str:
    return _PURPOSES.get(file.rpartition("/")[2], "")


def _names(name: str) -> Names:
    """Return the names that follow from one, if they are valid and free.

    Raises:
        CommandLineError: they are not.
    """
    from imle_core.registry import default_registry
    from imle_core.registry._plugins import LOCAL

    bare = name.removeprefix("imle_")
    if not is_name(bare):
        suggestion = _snake_case(name)
        hint = f" Try {suggestion!r}." if is_name(suggestion) else ""
        raise CommandLineError(
            f"{name!r} cannot be the name of a plugin: take lower-case letters, digits and single underscores, and no "
            f"word of Python, as in my_solver.{hint}"
        )
    names = Names(bare)
    with quiet_registry():
        holders = {
            plugin.name: plugin.distribution or plugin.target for plugin in default_registry().plugins()
        }
    holders[LOCAL] = "solvers registered at run time"
    if bare in holders:
        raise CommandLineError(f"the name {bare!r} belongs to {holders[bare]}; take another one.")
    if bare in sys.stdlib_module_names or bare in _FAMILIAR:
        owner = "a package that everybody has" if bare in _FAMILIAR else "a module of Python's own"
        raise CommandLineError(f"{bare!r} is {owner}; take another name, such as '{bare}_solver'.")
    if names.package == "imle_core" or importlib.util.find_spec(names.package) is not None:
        raise CommandLineError(f"a package {names.package!r} is already installed; take another name.")
    try:
        version = importlib.metadata.version(names.distribution)
    except importlib.metadata.PackageNotFoundError:
        return names
    raise CommandLineError(f"{names.distribution} {version} is already installed; take another name.")


def _snake_case(name: str) -> str:
    """Return the name that was probably meant: MySolver or my-solver as my_solver."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[\W_]+", "_", words, flags=re.ASCII).strip("_").lower().removeprefix("imle_")
