"""Rows as a table for the terminal."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

_FEW = 100  # below it three figures want decimals


def as_text(value: Any) -> str:
    """Write a value with three or four significant digits."""
    if isinstance(value, float):
        if value != 0 and abs(value) < 1:
            return f"{value:.4g}"
        return f"{value:.2f}" if abs(value) < _FEW else f"{value:,.0f}"
    return "" if value is None else str(value)


def columns(rows: Sequence[Mapping[str, Any]], but: Container[str] = ()) -> list[str]:
    """List the columns of rows, in the order in which they come, but for some."""
    return [name for name in dict.fromkeys(key for row in rows for key in row) if name not in but]


def as_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> str:
    """Lay rows out in columns, all unless some are named; numbers to the right."""
    names = names or columns(rows)
    cells = [[as_text(row.get(name)) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
    numeric = [all(isinstance(row.get(name), int | float | None) for row in rows) for name in names]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in (names, *cells)
    )
