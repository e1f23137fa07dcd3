"""What takes the records of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    Record: TypeAlias = Mapping[str, Any]


class Sink(Protocol):
    """Whatever takes records: a file, a dashboard, a list. Any object with these two methods is one.

    A record is a flat mapping of names to plain values. Every record has ``"time"`` (seconds since 1970, UTC) and
    ``"step"``. One of a layer has its name as ``"layer"``, and the figures of :meth:`Report.as_dict`; one of the user's
    own values has no ``"layer"``, and the values by their names.

    Example:
        >>> class Printer:
        ...     def write(self, record):
        ...         print(record["step"], record.get("loss"))
        ...
        ...     def close(self):
        ...         pass
        >>> Printer().write({"time": 0.0, "step": 3, "loss": 0.5})
        3 0.5
    """

    def write(self, record: Record) -> None:
        """Take one record; what it raises reaches the training loop."""

    def close(self) -> None:
        """Leave everything written; called once, also after an exception."""
