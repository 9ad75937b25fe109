"""The same photos and the same network behind other servers."""

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes

from benchmarks.report.style import ACCENT, QUIET, Chart, panels, plain
from benchmarks.results_folder import Row, Saved, machine_name

_OURS = "packshot"


def peer_charts(saved: Saved) -> Iterator[Chart]:
    """Draw images a second and the 95th percentile of every server, at its highest concurrency."""
    for number, record in enumerate(saved.of("peers"), start=1):
        rows = [row for row in record.rows if row.get("images_per_s")]
        cases = list(dict.fromkeys(map(_case, rows)))
        if not cases:
            continue
        figure, made = panels(2 * len(cases), height_in=2.9)
        for at, case in enumerate(cases):
            own = [row for row in rows if _case(row) == case]
            model, megapixels, output, concurrency = case
            title = f"{model}, {megapixels:g} MP, {output}, {concurrency} at once"
            _bars(made[2 * at], own, "images_per_s", f"{title}\nimages per second (more is better)")
            _bars(made[2 * at + 1], own, "p95_ms", "\n95th percentile, ms (less is better)")
        yield Chart(
            f"peers-{number}" if number > 1 else "peers",
            "Beside other servers",
            "The same photos, network and concurrency in one run, every server at its best. The "
            "factor is the server's throughput, or latency, as a multiple of Packshot's.",
            machine_name(record),
            figure,
        )


def _case(row: Row) -> tuple[str, float, str, int]:
    return row["model"], row["photo_megapixels"], row["output"], row["concurrency"]


def _bars(axes: Axes, rows: Sequence[Row], key: str, title: str) -> None:
    ordered = sorted((row for row in rows if row.get(key)), key=lambda row: str(row["peer"]))
    ordered.sort(key=lambda row: row[key], reverse=key == "images_per_s")
    values = [row[key] for row in ordered]
    ours = next((row[key] for row in ordered if row["peer"] == _OURS), None)
    shades = [ACCENT if row["peer"] == _OURS else QUIET for row in ordered]
    axes.barh(range(len(ordered)), values, color=shades, height=0.66)
    for at, (row, value) in enumerate(zip(ordered, values, strict=True)):
        factor = f"  ({value / ours:.2f} times)" if ours and row["peer"] != _OURS else ""
        axes.text(value, at, f" {plain(value)}{factor}", va="center", fontsize=8.5)
    axes.set_yticks(range(len(ordered)), labels=[str(row["peer"]) for row in ordered])
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.margins(x=0.3)
    axes.set_title(title)
