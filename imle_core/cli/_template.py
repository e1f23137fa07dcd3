"""The plugin template: where it is, and a copy of it under other names."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN_NAME = "highlights"
"""What the solver of the template is called; its files use the word for nothing else."""

_SHIPPED = Path(__file__).parent / "plugin_template"  # in a wheel
_SOURCE = Path(__file__).parents[2] / "examples" / "plugin_template"  # in a checkout
_CACHES = {"__pycache__", "dist", "build"}
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True)
class Names:
    """How a plugin, and all that belongs to it, is called.

    Attributes:
        solver: The solver and its namespace, in snake case.
    """

    solver: str

    @property
    def package(self) -> str:
        """The package to import: with a prefix, so that it shadows no library of the same name."""
        return f"imle_{self.solver}"

    @property
    def distribution(self) -> str:
        """The distribution to install, and its folder."""
        return self.package.replace("_", "-")

    @property
    def class_name(self) -> str:
        """The class of the solver."""
        return "".join(part.capitalize() for part in self.solver.split("_"))

    def replace(self, text: str) -> str:
        """Return a text of the template with these names in place of its own."""
        own = Names(OWN_NAME)
        text = text.replace(own.distribution, self.distribution)
        return text.replace(own.class_name, self.class_name).replace(OWN_NAME, self.solver)


def is_name(text: str) -> bool:
    """Return whether a plugin can be called so: lower case, digits and single underscores, no word of Python."""
    return bool(_NAME.fullmatch(text)) and not keyword.iskeyword(text)


def template() -> Path:
    """Return the folder of the template."""
    return _SHIPPED if _SHIPPED.is_dir() else _SOURCE


def copy(names: Names, into: Path) -> Path:
    """Copy the template into a folder, under other names; return the new folder.

    Args:
        names: The names of the copy.
        into: The folder that the new one is made in; it is made as well if it is not there.

    Raises:
        FileExistsError: there is something of that name already.
        OSError: a file or folder cannot be written.
    """
    folder = into / names.distribution
    into.mkdir(parents=True, exist_ok=True)
    folder.mkdir()
    for path in files(template()):
        target = folder / names.replace(path.relative_to(template()).as_posix())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(names.replace(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    return folder


def files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, sorted, without what Python and tools leave there."""
    for path in sorted(folder.iterdir()):
        if path.name in _CACHES or path.name.startswith(".") or path.suffix in (".pyc", ".egg-info"):
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path
