"""One page on a job, from its result table: self-contained HTML with small pictures."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import duckdb

from catalogue.errors import InputError
from catalogue.pictures import data_url
from catalogue.places import Place
from catalogue.results import LATEST, Results
from catalogue.rows import STAGES
from packshot._files import write_file

_SIDE_PX = 160
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.2rem .8rem;border-bottom:1px
solid #ddd;text-align:left}td.n{text-align:right;font-variant-numeric:tabular-nums}
figure{display:inline-block;margin:.4rem;width:170px;vertical-align:top;font-size:.8rem}
figure img{max-width:160px;display:block}figcaption{overflow-wrap:anywhere}
"""


@dataclass(frozen=True, slots=True)
class Prices:
    """What the cost is worked out from.

    Attributes:
        machine_hour: Price of an hour of all machines together; None: not told.
        credit: Price of a credit; None: not told.
    """

    machine_hour: float | None = None
    credit: float | None = None


def write_report(
    output: Place, to: Path, *, where: str = "", pictures: int = 24, prices: Prices | None = None
) -> int:
    """Write the page.

    Args:
        output: The output of a job.
        to: Where the page goes.
        where: SQL on the rows; empty: all.
        pictures: How many photos of low confidence are shown.
        prices: For the cost.

    Returns:
        How many photos it is on.

    Raises:
        InputError: There are no results, or `where` is no SQL.
        OSError: It cannot be written.
    """
    with duckdb.connect() as connection:
        connection.execute("SET enable_external_access = false")
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("rows", Results(output).reader())
        condition = f" WHERE ({where})" if where.strip() else ""
        try:
            connection.execute(f"CREATE TEMP TABLE found AS SELECT * FROM ({LATEST}){condition}")
        except duckdb.Error as exc:
            raise InputError(f"--where {where!r} cannot be followed: {exc}") from exc
        (count,) = _ask(connection, "SELECT count(*) FROM found")[0]
        if not count:
            raise InputError(f"{output.uri} has no results" + (f" where {where}" if where else ""))
        page = _page(connection, output, pictures, prices or Prices())
    write_file(to, page.encode(), replace=True)
    return int(count)


def _page(
    connection: duckdb.DuckDBPyConnection, output: Place, pictures: int, prices: Prices
) -> str:
    parts = [
        f"<h1>Catalogue</h1><p>{escape(output.uri)}</p>",
        _section("Photos", ("", ""), _totals(connection, prices)),
        _section(
            "Failures by reason",
            ("reason", "photos", "tried again by the next run", "such as"),
            _ask(
                connection,
                "SELECT reason, count(*), count(*) FILTER (may_pass), min(message) FROM found"
                " WHERE status = 'failed' GROUP BY 1 ORDER BY 2 DESC",
            ),
        ),
        _section(
            "Verdicts",
            ("preset", "photos", "comply", "do not"),
            _ask(
                connection,
                "SELECT preset, count(*), count(*) FILTER (complies),"
                " count(*) FILTER (NOT complies) FROM found"
                " WHERE preset IS NOT NULL GROUP BY 1 ORDER BY 1",
            ),
        ),
        _section(
            "Rules that are broken",
            ("rule", "required", "photos", "such as"),
            _ask(
                connection,
                'SELECT "check".rule, "check".required, count(*), min("check".explanation)'
                ' FROM (SELECT unnest(checks) AS "check" FROM found)'
                ' WHERE NOT "check".passed GROUP BY 1, 2 ORDER BY 3 DESC',
            ),
        ),
        _section(
            "Models",
            ("model", "version", "photos", "confidence, mean"),
            _ask(
                connection,
                "SELECT model, model_version, count(*), round(avg(confidence), 3) FROM found"
                " WHERE status = 'ok' GROUP BY 1, 2 ORDER BY 3 DESC",
            ),
        ),
        _section(
            "Sent again",
            ("reason", "times"),
            _ask(
                connection,
                "SELECT cause, count(*) FROM (SELECT unnest(sent_again_for) AS cause FROM found)"
                " GROUP BY 1 ORDER BY 2 DESC",
            ),
        ),
        _section("Seconds a photo", ("stage", "mean", "95th percentile"), _times(connection)),
        _low_confidence(connection, output, pictures),
    ]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Catalogue</title>'
        f"<style>{_STYLE}</style>{''.join(parts)}</html>\n"
    )


def _totals(connection: duckdb.DuckDBPyConnection, prices: Prices) -> list[tuple[Any, ...]]:
    count, ok, bytes_in, bytes_out, attempts, begin, end, busy_s = _ask(
        connection,
        "SELECT count(*), count(*) FILTER (status = 'ok'), coalesce(sum(input_bytes), 0),"
        " coalesce(sum(output_bytes), 0), sum(attempts), min(finished_at), max(finished_at),"
        " sum(stages_s.total - stages_s.queue) FROM found",
    )[0]
    seconds = (end - begin).total_seconds()
    lines: list[tuple[Any, ...]] = [
        ("photos", count),
        ("rendered", ok),
        ("failed", count - ok),
        ("sent, attempts", attempts),
        ("photos, MB", round(bytes_in / 1e6, 1)),
        ("packshots, MB", round(bytes_out / 1e6, 1)),
        ("first finished", f"{begin:%Y-%m-%d %H:%M:%S} UTC"),
        ("last finished", f"{end:%Y-%m-%d %H:%M:%S} UTC"),
        ("photos a second, pauses between runs included", _rate(count, seconds)),
        ("work inside the gateways, s", round(busy_s or 0, 1)),
        ("credits, one a packshot", ok),
    ]
    if prices.machine_hour is not None and ok:
        per_1000 = prices.machine_hour * seconds / 3600 / ok * 1000
        lines.append(("machines, for 1000 packshots", round(per_1000, 4)))
    if prices.credit is not None:
        lines.append(("price of the credits", round(prices.credit * ok, 2)))
    return lines


def _times(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    columns = {
        "read": "read_s",
        "gateway, waiting included": "service_s",
        "write": "write_s",
        **{f"gateway: {stage}": f"stages_s.{stage}" for stage in STAGES},
    }
    figures = ", ".join(
        f"round(avg({column}), 4), round(quantile_cont({column}, 0.95), 4)"
        for column in columns.values()
    )
    (found,) = _ask(connection, f"SELECT {figures} FROM found WHERE status = 'ok'")
    return [
        (name, found[2 * at], found[2 * at + 1])
        for at, name in enumerate(columns)
        if found[2 * at] is not None
    ]


def _low_confidence(connection: duckdb.DuckDBPyConnection, output: Place, pictures: int) -> str:
    rows = _ask(
        connection,
        "SELECT id, input, output, confidence FROM found WHERE status = 'ok'"
        f" ORDER BY confidence, id LIMIT {int(pictures)}",
    )
    figures = "".join(
        f"<figure>{_picture(Place(photo), '')}{_picture(output, packshot)}"
        f"<figcaption>{escape(name)}: {confidence:.0%}</figcaption></figure>"
        for name, photo, packshot, confidence in rows
    )
    return f"<h2>Lowest confidence</h2>{figures}" if figures else ""


def _picture(place: Place, name: str) -> str:
    try:
        return f'<img alt="" src="{data_url(place.read(name), _SIDE_PX)}">'
    except OSError as exc:
        return f"<p>{escape(str(exc))}</p>"


def _section(title: str, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    if not lines:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{lines}</table>"


def _cell(value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"<td{' class=n' if number else ''}>{escape(str(value))}</td>"


def _rate(count: int, seconds: float) -> float:
    return round(count / seconds, 2) if seconds else 0.0


def _ask(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()
