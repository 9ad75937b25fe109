"""What Packshot sets out to reach, as ratios, and what was measured of it."""

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.saved import Row, Saved

_PACKSHOT, _TRITON, _REMBG = "packshot", "triton", "rembg"
_U2NETP: Final = "u2netp"
# At least so many times what it is compared with.
_OF_TRITON, _OF_REMBG, _OF_REMBG_BY_DEFAULT, _OF_OTHERS, _OF_OTHERS_LARGE = 0.85, 2, 10, 1, 1.3
_LARGE_MEGAPIXELS: Final = 4


def targets(saved: Saved) -> list[Row]:
    """Compare each target with the record of peers.

    Returns:
        A row for each comparison that was measured: what, at least, measured, reached.
    """
    rows = [row for _, row in saved.rows("peers")]
    return [
        {
            "what": f"{what}, {row['photo_megapixels']:g} MP, {row['output']}, "
            f"concurrency {row['concurrency']}",
            "at_least": least,
            "measured": 1 / ratio,
            "reached": "yes" if 1 / ratio >= least else "no",
        }
        for row in rows
        for what, least, ratio in _asked_of(row)
        if ratio
    ]


def _asked_of(row: Row) -> Iterator[tuple[str, float, Any]]:
    """Give what is asked of Packshot against one peer's row: words, least ratio, peer's ratio."""
    peer, model, same = row["peer"], row["model"], row.get("ratio_to_packshot")
    large = row["photo_megapixels"] >= _LARGE_MEGAPIXELS
    if peer == _PACKSHOT:
        return
    if peer == _TRITON:
        if not large and model != _U2NETP and row["output"] == "jpeg":
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
