"""Records of benchmarks as a small machine could have given them; the figures are made up."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CPU_MACHINE = {
    "cpu": "Made-up Processor",
    "cores": 2,
    "memory_bytes": 24 * 2**30,
    "gpu": None,
    "os": "Linux 6",
}
GPU_MACHINE = CPU_MACHINE | {"cores": 16, "gpu": "NVIDIA H100 80GB HBM3"}

Row = dict[str, Any]


def save_record(
    folder: Path,
    name: str,
    benchmark: str,
    rows: Sequence[Mapping[str, Any]],
    machine: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Write a record as a benchmark would have left it."""
    record = {
        "benchmark": benchmark,
        "settings": {},
        "rows": rows,
        "seed": 0,
        "notes": notes,
        "machine": machine or CPU_MACHINE,
        "versions": {"python": "3.11.7", "onnxruntime": "1.22.0"},
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "dirty": False,
        "started": "2030-01-01T00:00:00+00:00",
        "wall_s": 60.0,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def save_all(folder: Path) -> None:
    """Write one record of every benchmark, and a GPU's two."""
    save_record(folder, "load.json", "load", load_rows())
    save_record(folder, "sweep.json", "sweep", sweep_rows(), notes=["interleaved, three rounds"])
    save_record(folder, "peers.json", "peers", peer_rows())
    save_record(folder, "limits.json", "limits", limit_rows())
    save_record(folder, "why-gpu.json", "why-gpu", why_rows("cpu", 1.0))
    save_record(folder, "why-gpu-lent.json", "why-gpu", why_rows("gpu", 40.0), GPU_MACHINE)
    save_record(folder, "device-pipeline.json", "device-pipeline", pipeline_rows(), GPU_MACHINE)
    save_record(folder, "limits-gpu.json", "limits", gpu_limit_rows(), GPU_MACHINE)


def load_rows() -> list[Row]:
    """An open loop up to saturation at 42 photos a second, and a closed one."""
    rows = []
    for rate in (5.0, 10.0, 20.0, 30.0, 40.0, 50.0):
        done = min(rate, 42.0)
        wait = 1 / (1 - min(rate, 41.5) / 42.0)
        rows.append(_load_row("poisson", rate, None, done, 40 + 14 * wait))
    for concurrency in (1, 2, 4, 8):
        done = min(42.0, 22.0 * concurrency**0.5)
        rows.append(_load_row("closed", None, concurrency, done, 1000 * concurrency / done))
    return rows


def _load_row(
    mode: str, rate: float | None, concurrency: int | None, done: float, p50: float
) -> Row:
    stages = {"decode": 9.0, "prepare": 2.0, "queue": p50 / 4, "infer": 14.0, "refine": 8.0}
    stages |= {"compose": 3.0, "encode": 6.0}
    asked = {"concurrency": concurrency} if rate is None else {"asked_per_s": rate}
    return {
        "mode": mode,
        **asked,
        "images_per_s": done,
        "p50_ms": p50,
        "p95_ms": 1.6 * p50,
        "p99_ms": 2.1 * p50,
        "statuses": "OK 1000",
        **{f"stage_{name}_ms": value for name, value in stages.items()},
    }


def sweep_rows() -> list[Row]:
    """Two models by two ways, at a few settings."""
    rows = []
    for model, base in (("matte-int8", 90.0), ("matte", 32.0)):
        for path, share in (("triton", 1.0), ("gateway", 0.5)):
            for batch in (1, 4, 16):
                for concurrency in (1, 2, 4, 8):
                    rate = share * base * min(1.0, 0.55 + 0.12 * concurrency) * (1 + 0.02 * batch)
                    p50 = 1000 * concurrency / rate
                    rows.append(
                        {
                            "model": model,
                            "precision": "int8" if model.endswith("int8") else "fp32",
                            "path": path,
                            "max_batch_size": batch,
                            "queue_delay_us": 0,
                            "instances": 1,
                            "concurrency": concurrency,
                            "images_per_s": rate,
                            "p50_ms": p50,
                            "p95_ms": p50 * (1.2 + 0.02 * batch),
                            "p99_ms": p50 * 1.5,
                            "on_pareto_front": batch == 16,
                        }
                    )
    return rows


def peer_rows() -> list[Row]:
    """Five servers on the same photos."""
    speeds = {"packshot": 1.0, "triton": 1.15, "rembg": 0.42, "litserve": 0.7, "bentoml": 0.66}
    return [
        {
            "peer": peer,
            "model": model,
            "photo_megapixels": megapixels,
            "output": "png",
            "concurrency": concurrency,
            "images_per_s": rate * speed,
            "p50_ms": 1000 * concurrency / rate / speed,
            "p95_ms": 1400 * concurrency / rate / speed,
            "p99_ms": 1700 * concurrency / rate / speed,
            "memory_bytes": int(4e8 / speed),
            "cpu_s_per_image": 2 / rate / speed,
            "ratio_to_packshot": speed,
        }
        for model, megapixels, rate in (("u2netp", 1.0, 2.1), ("matte-int8", 4.0, 18.0))
        for concurrency in (4, 8)
        for peer, speed in speeds.items()
    ]


def limit_rows() -> list[Row]:
    """Peaks, a network and the codecs of two cores."""
    peaks: list[Row] = [
        {"kind": "peak", "device": "cpu", "precision": name, "operations_per_s": rate}
        for name, rate in (("fp32", 3.5e11), ("int8", 4.1e12), ("bf16", 2.2e12))
    ]
    peaks.append({"kind": "peak", "device": "cpu", "precision": "bytes", "bytes_per_s": 2.7e10})
    networks: list[Row] = [
        {
            "kind": "network",
            "device": "cpu",
            "engine": "onnxruntime",
            "model": model,
            "batch": 4,
            "images_per_s": rate,
            "limit_images_per_s": limit,
            "share_of_limit": rate / limit,
            "spread_share": 0.02,
            "operations_per_image": 5_170_000_000,
            "least_bytes_per_image": moved,
            "intensity_operations_per_byte": 5.17e9 / moved,
        }
        for model, rate, limit, moved in (
            ("matte-int8", 119.0, 541.0, 2.6e6),
            ("matte", 47.0, 67.0, 9.0e6),
        )
    ]
    return [*peaks, *networks]


def gpu_limit_rows() -> list[Row]:
    """Peaks and a network of a GPU."""
    peaks: list[Row] = [
        {"kind": "peak", "device": "gpu", "precision": name, "operations_per_s": rate}
        for name, rate in (("fp32", 5e13), ("tf32", 4e14), ("bf16", 7e14))
    ]
    peaks.append({"kind": "peak", "device": "gpu", "precision": "bytes", "bytes_per_s": 2.8e12})
    network = {
        "kind": "network",
        "device": "gpu",
        "engine": "torch",
        "model": "matte",
        "precision": "bf16",
        "batch": 128,
        "images_per_s": 9000.0,
        "limit_images_per_s": 120_000.0,
        "share_of_limit": 0.075,
        "operations_per_image": 4_930_000_000,
        "least_bytes_per_image": 850_000.0,
        "intensity_operations_per_byte": 5800.0,
    }
    return [*peaks, network]


def pipeline_rows() -> list[Row]:
    """Whole packshots on a GPU that are four times all cores'."""
    rows: list[Row] = []
    for megapixels in (1.0, 4.0):
        told = {"photo_megapixels": megapixels, "device": "gpu", "precision": "fp16"}
        rows.append({**told, "path": "cpu", "device": "cpu", "images_per_s": 200 / megapixels})
        device = {"images_per_s": 800 / megapixels, "times_all_cores": 4.0}
        rows.append({**told, "path": "device", **device})
        for stage, ms in (("decode", 0.4), ("refine", 0.2), ("encode", 0.6)):
            rows.append({**told, "path": "stage", "stage": stage, "ms_per_image": ms * megapixels})
        apart = {"of": "whole way", "mean_difference": 0.1, "max_difference": 20}
        rows.append({**told, "path": "difference", **apart})
    return rows


def why_rows(device: str, factor: float) -> list[Row]:
    """The four statements on one device."""
    told = {"device": device, "engine": "torch"}
    rows: list[Row] = []
    for network, one, most in (
        ("matte", 35.0, 48.0),
        ("alexnet", 45.0, 300.0),
        ("u2net", 2.0, 2.3),
    ):
        for batch in (1, 2, 4, 8, 16):
            rate = factor * one * most * batch / (one * batch + most - one)
            rows.append(
                told
                | {
                    "statement": "batch",
                    "network": network,
                    "precision": "fp32",
                    "batch": batch,
                    "images_per_s": rate,
                    "ms_per_pass": 1000 * batch / rate,
                    "is_knee": batch == 8,
                    "share_of_limit": 0.02,
                    "share_of_limit_by_layers": 0.4,
                }
            )
    for side in (64, 256, 1024, 4096):
        rate = factor * 3.5e11 * side / (side + 300 * factor)
        product = {"statement": "size", "what": "matrix product", "precision": "fp32"}
        rows.append(told | product | {"side": side, "operations_per_s": rate})
    for precision, times, lost in (("fp32", 1.0, 0.0), ("bf16", 2.5, 0.065), ("int8", 2.9, 0.407)):
        rows.append(
            told
            | {
                "statement": "precision",
                "network": "matte",
                "precision": precision,
                "batch": 8,
                "images_per_s": factor * 40 * times,
                "times_fp32": times,
                "iou_with_fp32": 1 - lost / 50,
                "mean_difference": lost,
            }
        )
    training = {"statement": "training", "network": "matte", "precision": "fp32", "batch": 8}
    forward_ms = 210 / factor
    rows.append(
        told
        | training
        | {"forward_ms": forward_ms, "step_ms": 3.4 * forward_ms, "times_forward": 3.4}
    )
    return rows
