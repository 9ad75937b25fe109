"""Tables of rows that are measured one after the other within a budget of time.

Each table has a share of the time; what one leaves, the next ones get. A table that fails, or whose
time is over, is named in the notes with the reason; its rows stay, and the other tables run.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SAVE_EVERY_S = 5.0

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """One table."""

    share: float  # of the time, relative to the other tables' shares
    rows: Callable[[], Iterator[Row]]  # measures the table


def fill(
    tables: Mapping[str, Table],
    budget_s: float,
    rows: list[Row],
    notes: list[str],
    save: Callable[[], None],
) -> list[str]:
    """Measure tables, the most important first.

    Args:
        tables: By name.
        budget_s: The time for all of them, s.
        rows: Every row is appended here.
        notes: Failures and tables that are left out are appended here.
        save: Writes rows and notes; it runs every five seconds and after each table.

    Returns:
        The names of the tables without a measurement; rows with an `error` do not count.
    """
    end_s = time.monotonic() + budget_s
    shares = sum(table.share for table in tables.values())
    empty = []
    for name, table in tables.items():
        left_s = end_s - time.monotonic()
        first = len(rows)
        if left_s <= 0:
            notes.append(f"{name}: left out, the time was used up")
        else:
            _fill_one(name, table, left_s * table.share / shares, rows, notes, save)
        shares -= table.share
        if all("error" in row for row in rows[first:]):
            empty.append(name)
    save()
    return empty


def _fill_one(
    name: str,
    table: Table,
    time_s: float,
    rows: list[Row],
    notes: list[str],
    save: Callable[[], None],
) -> None:
    start_s = saved_s = time.monotonic()
    count = 0
    try:
        for row in table.rows():
            rows.append(row)
            count += 1
            now_s = time.monotonic()
            if now_s - saved_s > _SAVE_EVERY_S:
                save()
                saved_s = time.monotonic()
            if now_s - start_s > time_s:
                notes.append(f"{name}: ended after {count} rows, {time_s:.0f} s were over")
                break
    except Exception as exc:  # noqa: BLE001  whatever a driver or a compiler raises: the rest runs
        notes.append(f"{name}: ended after {count} rows, {type(exc).__name__}: {exc}"[:1500])
    print(f"{name}: {count} rows in {time.monotonic() - start_s:.1f} s", flush=True)
    save()
