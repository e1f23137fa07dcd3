"""Files of records: none is overwritten, and one that a killed run left is continued at a whole line."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from imle_core.errors import RecordError

if TYPE_CHECKING:
    import os

logger = logging.getLogger(__name__)


def claim(path: str | os.PathLike[str], *, append: bool) -> Path:
    """Return the path of a file that may be written; its folder is made if it is not there.

    Raises:
        RecordError: the file holds something and is not to be continued, or its folder cannot be made.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise RecordError(f"{path} is a folder; give the path of a file.")
        size = path.stat().st_size if path.exists() else 0
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error}.") from error
    if size and not append:
        raise RecordError(
            f"{path} already holds a run ({size:,} bytes), which is not overwritten. Give another path, or "
            "append=True to go on with it."
        )
    return path


def first_line(path: Path) -> str:
    """Return the first line of a file, empty if there is none."""
    if not path.exists():
        return ""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return file.readline()


def cut_partial_line(path: Path) -> None:
    """Cut what follows the last line break: a process that was killed left the beginning of a line."""
    with path.open("rb+") as file:
        content_end = end = file.seek(0, 2)
        tail = b""
        while content_end and b"\n" not in tail:
            start = max(0, content_end - 8192)
            file.seek(start)
            tail = file.read(content_end - start)
            content_end = start + tail.rfind(b"\n") + 1  # the start, where there is none
        if content_end < end:
            logger.warning("%s: cut an unfinished last line of %d bytes", path, end - content_end)
            file.truncate(content_end)
