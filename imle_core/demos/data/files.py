"""Where the files of a data set are, and how they are fetched."""

from __future__ import annotations

import argparse
import hashlib
import os
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from imle_core.demos.warcraft.archive import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DataError", "Remote", "arguments", "fetch", "find"]

_CHUNK = 1 << 16


class Remote(NamedTuple):
    """Files at public addresses.

    Args:
        base: Address in front of each path.
        sums: The SHA-256 sum of each file, by its path.
        terms: Licence and origin, told before anything is fetched.
    """

    base: str
    sums: Mapping[str, str]
    terms: str


def find(name: str, data: Path | None) -> Path | None:
    """Return the folder of a data set.

    Args:
        name: Name of the folder.
        data: Folder of data sets, or of this one alone. None: that of the environment variable ``IMLE_DATA``, if set.

    Returns:
        The folder, or None if none was given and there is none.

    Raises:
        DataError: the folder that was given does not exist.
    """
    if data is not None and not data.is_dir():
        raise DataError(f"there is no folder {data}; leave out --data to run on generated data.")
    if data is not None:
        return data / name if (data / name).is_dir() else data
    root = os.environ.get("IMLE_DATA")
    inside = Path(root) / name if root else None
    return inside if inside is not None and inside.is_dir() else None


def fetch(remote: Remote, folder: Path) -> None:
    """Download the files that are not yet there, and verify each.

    Raises:
        DataError: a file cannot be fetched, or is not the one that is expected; an earlier one is then kept.
    """
    for name, expected in remote.sums.items():
        path = folder / name
        if path.exists():
            if (found := _sum_of(path)) != expected:
                raise DataError(f"{path} is there with SHA-256 {found}, not {expected}: move it away first.")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        try:
            with urllib.request.urlopen(remote.base + name, timeout=60) as source, part.open("wb") as target:
                while chunk := source.read(_CHUNK):
                    target.write(chunk)
            if (found := _sum_of(part)) != expected:
                raise DataError(
                    f"{remote.base}{name} has SHA-256 {found}, but {expected} was expected: it was cut short, or has "
                    "changed since."
                )
            part.replace(path)
        except OSError as error:
            raise DataError(f"{remote.base}{name} cannot be fetched: {error}") from error
        finally:
            part.unlink(missing_ok=True)


def arguments(
    description: str, name: str, remote: Remote | None = None, argv: Sequence[str] | None = None
) -> argparse.Namespace:
    """Read the command line that the examples have in common.

    Args:
        description: What ``--help`` shows.
        name: Name of the data set's folder.
        remote: Where ``--download`` finds it.
        argv: Words of the command line; None takes those of the process.

    Returns:
        ``folder`` (Path, or None for generated data), ``full`` (bool) and ``out`` (Path or None).
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    place = f"folder of data sets, with {name} in it, or that folder itself; by default $IMLE_DATA"
    parser.add_argument("--data", type=Path, metavar="FOLDER", help=place)
    if remote is not None:
        terms = f"fetch the data set into --data first: {remote.terms}"
        parser.add_argument("--download", action="store_true", help=terms)
    parser.add_argument(
        "--full", action="store_true", help="all data, and longer training: the documented numbers"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write the figure there")
    options = parser.parse_args(argv)
    try:
        if remote is not None and options.download:
            if options.data is None:
                parser.error("--download needs --data FOLDER")
            fetch(remote, options.data / name)
        options.folder = find(name, options.data)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
    except (DataError, OSError) as error:
        parser.error(str(error))
    return options


def _sum_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
