"""A list of solvers that shows itself as a table."""

from __future__ import annotations

import html

from ._spec import SolverSpec


class SolverListing(tuple[SolverSpec, ...]):
    """A tuple of descriptions; printed, or at the end of a notebook's cell, it is a table."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return one line for each solver: its name, sense and summary."""
        rows = self._rows()
        widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
        lines = [f"{name:<{widths[0]}}  {sense:<{widths[1]}}  {summary}" for name, sense, summary in rows]
        return "\n".join(lines) if lines else "no solvers"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{column}</th>" for column in ("name", "sense", "summary"))
        body = "".join(
            f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in self._rows()
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(spec.name, spec.sense or "max/min", spec.summary) for spec in self]
