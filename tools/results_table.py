"""Writes the committed results' tables into their documents, or checks that they are the records'.

python -m tools.results_table [--check]
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from benchmarks.record import Record, read_record
from benchmarks.report.style import plain
from benchmarks.results_folder import Row, machine_name
from tools.documents import filled, run

_README: Final = Path("README.md")
_BENCHMARKS: Final = Path("docs/benchmarks.md")
_RESULTS: Final = Path("benchmarks/results")
_RECORD: Final = _RESULTS / "two-cores/peers.json"
# Networks in torch by batch size: of a GPU where one was measured, else the rehearsal on a CPU.
_REHEARSAL: Final = _RESULTS / "rehearsal"

_DEFAULT: Final = "matte-int8"
_CONCURRENCY: Final = 4
_WHOLE: Final = 100  # from here on decimals say nothing
# Megapixels of the photos, what comes out, and what the table calls it.
_ROWS: Final = (
    (1, "jpeg", "1 megapixel, JPEG on white"),
    (4, "jpeg", "4 megapixels, JPEG on white"),
    (1, "png", "1 megapixel, transparent PNG"),
)
# Name in the record, in the table, and what it runs.
_PEERS: Final = (
    ("packshot", "Packshot", _DEFAULT),
    ("litserve", "LitServe", _DEFAULT),
    ("bentoml", "BentoML", _DEFAULT),
    ("rembg", "rembg, U²-NetP", "u2netp"),
)


def as_markdown(record: Record) -> str:
    """Give throughput and 95th percentile of everyone who was compared, and the machine."""
    lines = [
        f"| {_CONCURRENCY} callers | " + " | ".join(name for _, name, _ in _PEERS) + " |",
        "|---" * (len(_PEERS) + 1) + "|",
        *(
            f"| {title} | " + " | ".join(_cells(record, megapixels, output)) + " |"
            for megapixels, output, title in _ROWS
        ),
        "",
        f"*{_told(record)}*",
    ]
    return "\n".join(lines)


def _told(record: Record) -> str:
    gpu = "" if record.machine["gpu"] else ", no GPU"
    return (
        f"{machine_name(record)}{gpu}, commit {record.commit[:10]}; images a second, and the "
        "95th percentile of the time that a caller waits; one run."
    )


def with_table(document: str) -> str:
    """Return the README's text with both tables as the records have them."""
    document = filled(document, "results", as_markdown(read_record(_RECORD)))
    return filled(document, "gpu", gpu_markdown(gpu_folder(), short=True))


def with_gpu_table(document: str) -> str:
    """Return the text of the benchmarks' document with its table as the records have it."""
    return filled(document, "gpu", gpu_markdown(gpu_folder(), short=False))


def gpu_folder() -> Path:
    """Give the last folder of results, by name, that holds a GPU's; without one the rehearsal."""
    found = sorted(path.parent for path in _RESULTS.glob("*/gpu-limits.json"))
    return found[-1] if found else _REHEARSAL


def gpu_markdown(folder: Path, *, short: bool) -> str:
    """Give what a folder says of networks by batch size and of whole packshots on one device.

    Args:
        folder: Of the records.
        short: Whether the fastest way of each network on each device is enough.
    """
    record = read_record(folder / "why-gpu.json")
    rows = sorted(_at_knees(record), key=lambda row: (row["network"], row["device"]))
    if short:
        rows = [
            max(same, key=lambda row: float(row["images_per_s"]))
            for _, group in groupby(rows, key=lambda row: (row["network"], row["device"]))
            for same in [list(group)]
        ]
    lines = [
        "| network | by | one photo | best measured, batch | gain | of both rooflines | memory |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {row['network']} | {row['device'].upper()}, {row['engine']}, {row['precision']} | "
            f"{_rate(row['images_per_s_one'])} | {_rate(row['images_per_s'])}, {row['knee']} in "
            f"{plain(row['ms'])} ms | {_times(row['gain'])} | {_share(row['share'])}, "
            f"{_share(row['share_by_layers'])} | {_gib(row['memory_bytes'])} |"
            for row in rows
        ),
    ]
    whole = folder / "device-pipeline.json"
    if whole.exists():
        lines += ["", *_packshots(read_record(whole))]
    gpu = "" if record.machine["gpu"] else ", no GPU: the rehearsal of what a GPU is to be told"
    return "\n".join([*lines, "", f"*{machine_name(record)}{gpu}, commit {record.commit[:10]}.*"])


def _at_knees(record: Record) -> list[Row]:
    """Return each network in each precision at its knee: what a table in a document tells.

    Args:
        record: Of `why-gpu`.

    Returns:
        Rows of network, device, engine, precision, images_per_s_one, images_per_s, knee, ms, gain,
        share, share_by_layers and memory_bytes; the last four may be None.
    """
    names = ("network", "device", "engine", "precision")
    series: dict[tuple[str, ...], list[Row]] = {}
    for row in record.rows:
        if row["statement"] == "batch":
            series.setdefault(tuple(row[name] for name in names), []).append(row)
    made: list[Row] = []
    for key, rows in series.items():
        at_knee = next(row for row in rows if row["is_knee"])
        one = next((row["images_per_s"] for row in rows if row["batch"] == 1), None)
        made.append(
            dict(zip(names, key, strict=True))
            | {
                "images_per_s_one": one,
                "images_per_s": at_knee["images_per_s"],
                "knee": at_knee["batch"],
                "ms": at_knee["ms_per_pass"],
                "gain": at_knee["images_per_s"] / one if one else None,
                "share": at_knee.get("share_of_limit"),
                "share_by_layers": at_knee.get("share_of_limit_by_layers"),
                "memory_bytes": at_knee.get("peak_memory_bytes"),
            }
        )
    return made


def _packshots(record: Record) -> Iterator[str]:
    yield "| whole packshots | on one device | all cores | times | mean and largest difference |"
    yield "|---|---|---|---|---|"
    for cpu in (row for row in record.rows if row["path"] == "cpu"):
        size = cpu["photo_megapixels"]
        same = [row for row in record.rows if row["photo_megapixels"] == size]
        device = [row["images_per_s"] for row in same if row["path"] == "device"]
        apart = [row for row in same if row.get("of") == "whole way"]
        yield (
            f"| {size:g} megapixels | "
            + " | ".join(
                (
                    _rate(max(device, default=None)),
                    _rate(cpu["images_per_s"]),
                    _times(max(device) / cpu["images_per_s"] if device else None),
                    *(f"{each['mean_difference']:.2g}, {each['max_difference']}" for each in apart),
                )
            )
            + " |"
        )


def _rate(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}/s" if value >= _WHOLE else f"{value:.3g}/s"


def _times(value: float | None) -> str:
    return "" if value is None else f"{value:.2g} times"


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.0%}"


def _gib(value: float | None) -> str:
    return "" if value is None else f"{value / 2**30:.2g} GiB"


def _cells(record: Record, megapixels: float, output: str) -> Iterator[str]:
    for peer, _, model in _PEERS:
        found = [
            row
            for row in record.rows
            if (row["peer"], row["model"], row["concurrency"]) == (peer, model, _CONCURRENCY)
            and (row["photo_megapixels"], row["output"]) == (megapixels, output)
        ]
        yield f"{found[0]['images_per_s']:.1f}/s, {found[0]['p95_ms']:.0f} ms" if found else ""


if __name__ == "__main__":
    sys.exit(
        run("tools.results_table", _README, with_table)
        or run("tools.results_table", _BENCHMARKS, with_gpu_table)
    )
