"""How much of what codecs and network allow the whole service reaches."""

from collections.abc import Iterator
from typing import Any

from benchmarks.record import Record
from benchmarks.results_folder import Row, Saved, machine_name

_OURS = "packshot"


def service_shares(saved: Saved) -> list[dict[str, Any]]:
    """Set the service's throughput beside its limit, where both were measured on one machine.

    Returns:
        A row for each model, photo size and output that both `peers` and `limits` have, at the
        concurrency that does best.
    """
    limits = dict(_limits(saved))
    best: dict[tuple[Any, ...], dict[str, Any]] = {}
    for record, row in saved.rows("peers"):
        key = _key(record, row)
        rate = row.get("images_per_s")
        if row["peer"] != _OURS or not rate or key not in limits:
            continue
        if key not in best or rate > best[key]["images_per_s"]:
            limit = limits[key]
            best[key] = {
                "model": row["model"],
                "photo_megapixels": row["photo_megapixels"],
                "output": row["output"],
                "images_per_s": rate,
                "codec_cpu_ms": limit["codec_cpu_ms"],
                "network_cpu_ms": limit["network_cpu_ms"],
                "limit_images_per_s": limit["limit_images_per_s"],
                "share_of_limit": rate / limit["limit_images_per_s"],
            }
    return list(best.values())


def _limits(saved: Saved) -> Iterator[tuple[tuple[Any, ...], Row]]:
    for record, row in saved.rows("limits"):
        if row["kind"] == "service":
            yield _key(record, row), row


def _key(record: Record, row: Row) -> tuple[Any, ...]:
    return machine_name(record), row["model"], row["photo_megapixels"], row["output"]
