"""Records of a run in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._sink import Record


class Memory:
    """Keep the records of a run in memory, for a notebook or a test.

    Attributes:
        records: The records, in the order in which they came.

    Example:
        >>> memory = Memory()
        >>> memory.write({"time": 0.0, "step": 1, "loss": 0.5})
        >>> memory.write({"time": 1.0, "step": 2, "loss": 0.4})
        >>> memory.as_columns()["loss"]
        [0.5, 0.4]
    """

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def write(self, record: Record) -> None:
        """Keep a copy of the record."""
        self.records.append(dict(record))

    def close(self) -> None:
        """Do nothing: the records stay."""

    def as_columns(self, layer: str | None = None) -> dict[str, list[Any]]:
        """Return a list for each name, ready for ``pandas.DataFrame``; None where a record lacks it.

        Args:
            layer: Name of a layer, to take its records alone; by default all records.
        """
        records = [r for r in self.records if layer is None or r.get("layer") == layer]
        names = dict.fromkeys(name for record in records for name in record)
        return {name: [record.get(name) for record in records] for name in names}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)
