"""The page: charts with their sentences, the tables behind them, where it was measured."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO

from benchmarks.record import Record
from benchmarks.report.shares import service_shares
from benchmarks.report.style import Chart
from benchmarks.report.targets import targets
from benchmarks.results_folder import Row, Saved, machine_name
from benchmarks.table import as_text

_PREAMBLE = (
    "Made from saved records alone. Absolute figures are the named machine's; ratios "
    "within one run carry over."
)
# Titles of tables, each with what there is to know of it.
_TARGETS = (
    "Targets, and what was reached",
    (
        "Each as a multiple of what it is compared with, median of the rounds of one run. Where a "
        "target is missed, the stages below show where the time goes."
    ),
)
_SHARES = (
    "How much of the limit the service reaches",
    (
        "The limit is every core busy with decoding, passes and encoding, and nothing else; what "
        "is missing to it is transport, edges, composing, scheduling and waiting."
    ),
)
_CSS = """
body{font:16px/1.55 system-ui,sans-serif;
color:#1f2933;max-width:62rem;margin:0 auto;
padding:2rem 1.2rem}
h1{font-size:1.9rem;margin:0 0 .3rem}h2{font-size:1.25rem;margin:3rem 0 .3rem}
.quiet{color:#616e7c;font-size:.9rem}figure{margin:1rem 0}img{max-width:100%;height:auto}
table{border-collapse:collapse;font-size:.8rem;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}th,td{padding:.25rem .6rem;border-bottom:1px solid #e4e7eb;text-align:right;
white-space:nowrap}th{color:#616e7c;font-weight:600}td:first-child,th:first-child{text-align:left}
details{margin:.6rem 0}summary{cursor:pointer;color:#0b6e99}.missing{border-left:4px solid #d55e00;
padding:.3rem .9rem;background:#fff7f0}
"""


def png_of(chart: Chart) -> bytes:
    """Draw a chart as a PNG file."""
    buffer = BytesIO()
    chart.figure.savefig(buffer, format="png", metadata={"Title": chart.title})
    return buffer.getvalue()


def page_of(
    saved: Saved, charts: Sequence[Chart], pictures: Mapping[str, bytes], missing: Sequence[str]
) -> str:
    """Write the page.

    Returns:
        HTML that needs nothing else.
    """
    body = [
        "<h1>Packshot, measured</h1>",
        f"<p class='quiet'>{_PREAMBLE}</p>",
        _missing(missing),
        _with_words(*_TARGETS, targets(saved)),
        *(_section(chart, pictures[chart.name]) for chart in charts),
        _with_words(*_SHARES, service_shares(saved)),
        "<h2>What was measured, and where</h2>",
        *(_record(name, record) for name, record in saved.records.items()),
    ]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'><title>Packshot, measured</title>"
        f"<style>{_CSS}</style></head><body>{''.join(body)}</body></html>\n"
    )


def _missing(missing: Sequence[str]) -> str:
    if not missing:
        return ""
    items = "".join(f"<li>{escape(one)}</li>" for one in missing)
    return f"<div class='missing'><p>Missing from this report:</p><ul>{items}</ul></div>"


def _section(chart: Chart, png: bytes) -> str:
    data = b64encode(png).decode("ascii")
    return (
        f"<h2>{escape(chart.title)}</h2><p>{escape(chart.sentence)}</p>"
        f"<figure><img alt='{escape(chart.title, quote=True)}' src='data:image/png;base64,{data}'>"
        f"<figcaption class='quiet'>{escape(chart.machine)}</figcaption></figure>"
    )


def _record(name: str, record: Record) -> str:
    versions = ", ".join(f"{key} {value}" for key, value in record.versions.items())
    state = " with changes" if record.dirty else ""
    told = (
        f"{machine_name(record)}. {record.machine['os']}. {versions}. Commit "
        f"{record.commit[:12] or 'unknown'}{state}, {record.started}, {record.wall_s:.0f} s"
        + (f", seed {record.seed}." if record.seed is not None else ".")
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in record.notes)
    return (
        f"<h3>{escape(name)}</h3><p class='quiet'>{escape(told)}</p><ul class='quiet'>{notes}</ul>"
        f"<details><summary>{len(record.rows)} rows</summary>{_table(record.rows)}</details>"
    )


def _with_words(title: str, text: str, rows: Sequence[Row]) -> str:
    """Return a table under its title and a sentence; nothing where there are no rows."""
    return f"<h2>{title}</h2><p>{text}</p>{_table(rows)}" if rows else ""


def _table(rows: Sequence[Row]) -> str:
    names = list(dict.fromkeys(key for row in rows for key in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(as_text(row.get(name)))}</td>" for name in names) + "</tr>"
        for row in rows
    )
    return f"<div class='wide'><table><tr>{head}</tr>{lines}</table></div>"
