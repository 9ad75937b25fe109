"""The targets of Packshot, as ratios, and what was measured."""

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.report.batches import summary
from benchmarks.results_folder import Row, Saved

# At least so much of raw ONNX Runtime's images/s, by Triton at the same setting.
_OF_ONNXRUNTIME = 0.95
_PACKSHOT, _TRITON, _REMBG = "packshot", "triton", "rembg"
# At least so many times what it is compared with.
_OF_TRITON, _OF_REMBG, _OF_REMBG_BY_DEFAULT, _OF_OTHERS, _OF_OTHERS_LARGE = 0.85, 2, 10, 1, 1.3
_LARGE_MEGAPIXELS: Final = 4
# Of a GPU: what batches gain on the default network, its share of the roofline layer by layer, and
# whole packshots as a multiple of all cores'.
_GAIN, _OF_ROOFLINE, _OF_CORES = 8, 0.3, 3


def targets(saved: Saved) -> list[Row]:
    """Compare each target with the records of limits, peers and GPUs.

    Returns:
        A row for each comparison that was measured: what, at least, measured, reached.
    """
    embedded = [
        _target(
            f"embedded Triton's images/s of raw onnxruntime's, {row['model']}",
            _OF_ONNXRUNTIME,
            row["share_of_onnxruntime"],
        )
        for _, row in saved.rows("limits")
        if row["kind"] == "triton"
    ]
    return (
        embedded
        + [
            _target(
                f"{what}, {row['photo_megapixels']:g} MP, {row['output']}, "
                f"concurrency {row['concurrency']}",
                least,
                1 / ratio,
            )
            for _, row in saved.rows("peers")
            for what, least, ratio in _asked_of(row)
            if ratio
        ]
        + list(_of_gpus(saved))
    )


def _of_gpus(saved: Saved) -> Iterator[Row]:
    """Compare what is asked of a GPU with the best that one reached."""
    for record in saved.of("why-gpu"):
        rows = [
            row
            for row in summary(record)
            if (row["device"], row["network"]) == ("gpu", "matte") and row["share_by_layers"]
        ]
        halves = [row for row in rows if row["precision"] == "fp16"]
        if gains := [row["gain"] for row in rows if row["gain"]]:
            what = "images/s of matte at the knee, of one photo's at a time"
            yield _target(what, _GAIN, max(gains))
        if halves:
            for key, name in (("share_by_layers", "layer by layer"), ("share", "least bytes")):
                what = f"share of the roofline, matte in fp16, {name}"
                yield _target(what, _OF_ROOFLINE, max(row[key] for row in halves))
    best: dict[float, float] = {}
    for record, row in saved.rows("device-pipeline"):
        if record.machine.get("gpu") and (times := row.get("times_all_cores")):
            best[row["photo_megapixels"]] = max(times, best.get(row["photo_megapixels"], times))
    for size, times in best.items():
        yield _target(f"whole packshots on the GPU, of all cores', {size:g} MP", _OF_CORES, times)


def _target(what: str, least: float, measured: float) -> Row:
    return {
        "what": what,
        "at_least": least,
        "measured": measured,
        "reached": "yes" if measured >= least else "no",
    }


def _asked_of(row: Row) -> Iterator[tuple[str, float, Any]]:
    """Return what is asked of Packshot against one peer's row: words, least ratio, peer's ratio."""
    peer, model, same = row["peer"], row["model"], row.get("ratio_to_packshot")
    large = row["photo_megapixels"] >= _LARGE_MEGAPIXELS
    if peer == _PACKSHOT:
        return
    if peer == _TRITON:
        if not large and row["output"] == "jpeg":
            yield f"images/s of Triton's own, {model}", _OF_TRITON, same
    elif peer == _REMBG:
        default = row.get("ratio_to_packshot_default")
        yield "images/s of rembg's, same U²-NetP", _OF_REMBG, same
        yield "images/s of rembg's, with the default model", _OF_REMBG_BY_DEFAULT, default
    else:
        least = _OF_OTHERS_LARGE if large else _OF_OTHERS
        yield f"images/s of {peer}'s, {model}", least, same
        yield f"promptness (p95) against {peer}, {model}", _OF_OTHERS, _inverse_p95(row)


def _inverse_p95(row: Row) -> float | None:
    ratio = row.get("p95_ratio_to_packshot")
    return 1 / ratio if ratio else None
