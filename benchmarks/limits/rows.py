"""The rows that `limits` writes: each a median over the rounds, with its spread."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.limits.graph import GraphCost
from benchmarks.limits.model import Model
from benchmarks.limits.peaks import Probe
from benchmarks.limits.roofline import Peaks, attainable_per_s
from benchmarks.rounds import over_rounds

# The key of a copy's rate among a round's rates; the others are precisions and models.
BYTES = "bytes"

Row = dict[str, Any]


def peak_row(probe: Probe, rates_per_s: Sequence[float]) -> Row:
    """Tell a peak of the machine, a product's or the copy's."""
    spread = over_rounds(rates_per_s)
    copies = probe.precision == BYTES
    return {
        "kind": "peak",
        "device": "cpu",
        "precision": probe.precision,
        "engine": probe.engine,
        "buffer_bytes" if copies else "side": probe.side,
        "bytes_per_s" if copies else "operations_per_s": spread.middle,
        "spread_share": spread.share,
    }


def network_row(model: Model, cost: GraphCost, taken: Sequence[Mapping[str, float]]) -> Row:
    """Tell a network's pace by raw ONNX Runtime, and its share of what the peaks allow."""
    batch = model.setting.batch
    peaks = [
        Peaks({key: rate for key, rate in rates.items() if key != BYTES}, rates[BYTES])
        for rates in taken
    ]
    limits = [attainable_per_s(cost.operations, cost.least_bytes(batch), one) for one in peaks]
    rates = [one[model.key] for one in taken]
    share = over_rounds([rate / limit for rate, limit in zip(rates, limits, strict=True)])
    arithmetic_alone = attainable_per_s(cost.operations, 0, peaks[0])
    memory_alone = peaks[0].bytes_per_s / cost.least_bytes(batch)
    return {
        "kind": "network",
        "device": "cpu",
        "engine": "onnxruntime",
        "model": model.name,
        **asdict(model.setting),
        "images_per_s": over_rounds(rates).middle,
        "limit_images_per_s": over_rounds(limits).middle,
        "share_of_limit": share.middle,
        "spread_share": share.share,
        "bound_by": "arithmetic" if arithmetic_alone < memory_alone else "memory",
        "operations_per_image": cost.total_operations,
        **{f"operations_{key}_per_image": count for key, count in cost.operations.items()},
        "weight_bytes": cost.weight_bytes,
        "least_bytes_per_image": cost.least_bytes(batch),
        "intensity_operations_per_byte": cost.intensity(batch),
    }


def triton_row(model: Model, taken: Sequence[Mapping[str, float]]) -> Row:
    """Tell a network's pace in embedded Triton, and its share of raw ONNX Runtime's."""
    share = over_rounds([one[model.triton_key] / one[model.key] for one in taken])
    return {
        "kind": "triton",
        "device": "cpu",
        "model": model.name,
        **asdict(model.setting),
        "images_per_s": over_rounds([one[model.triton_key] for one in taken]).middle,
        "share_of_onnxruntime": share.middle,
        "spread_share": share.share,
    }


def service_rows(networks: Sequence[Row], codecs: Sequence[Row], cores: int) -> list[Row]:
    """Bound the whole service: all cores busy with nothing but codecs and passes."""
    decoding = (row for row in codecs if row["step"] == "decode")
    decode_ms = {row["photo_megapixels"]: row["cpu_ms"] for row in decoding}
    rows = []
    for network in networks:
        for encode in (row for row in codecs if row["step"] == "encode"):
            codec_ms = decode_ms[encode["photo_megapixels"]] + encode["cpu_ms"]
            network_ms = 1000 * cores / network["images_per_s"]
            rows.append(
                {
                    "kind": "service",
                    "model": network["model"],
                    "photo_megapixels": encode["photo_megapixels"],
                    "output": encode["file_format"],
                    "codec_cpu_ms": codec_ms,
                    "network_cpu_ms": network_ms,
                    "limit_images_per_s": 1000 * cores / (codec_ms + network_ms),
                }
            )
    return rows
