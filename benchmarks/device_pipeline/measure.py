"""Whole packshots on a device against the same on all cores: speed, stages, difference."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.device_pipeline.cpu_path import CpuPath, CpuPool, make_files
from benchmarks.device_pipeline.pipeline import STAGES, DevicePipeline
from benchmarks.device_pipeline.refine import shrink
from benchmarks.why_gpu.devices import Device
from benchmarks.why_gpu.plan import Plan
from imaging.types import Pixels

_THREADS = (1, 3)  # while one waits for a codec, another's batch is computed
_VISIBLE = 8  # of 255
_STAGE_ROUNDS = 3

Row = dict[str, Any]


def pipeline_rows(
    device: Device, plan: Plan, repository: Path, samples: Path, weights: Path
) -> Iterator[Row]:
    """Measure both ways at every size, in the same run.

    Args:
        device: The device that does everything.
        plan: How thoroughly.
        repository: Triton's model repository, of which the CPU takes `matte-int8`.
        samples: A folder of photos.
        weights: Of the default network.

    Yields:
        `path` is `device` or `cpu` for throughput, `stage` for a stage's time, `difference` for how
        far the device's pictures lie from those that the gateway's steps make of `matte`.
    """
    model = repository / "matte-int8/1/model.onnx"
    cores_per_s: dict[float, float] = {}
    # The cores first: without them the rest has nothing to be compared with.
    with CpuPool(model) as pool:
        for megapixels in plan.megapixels:
            rate = pool.images_per_s(make_files(samples, megapixels, plan.files), plan.pipeline_s)
            cores_per_s[megapixels] = rate
            yield {
                "path": "cpu",
                "device": "cpu",
                "photo_megapixels": megapixels,
                "precision": "int8",
                "codec": CpuPath(model).codecs,
                "threads": pool.processes,
                "images_per_s": rate,
            }
    precision = "fp16" if device.kind == "gpu" else "fp32"
    threads = _THREADS if device.kind == "gpu" else _THREADS[:1]
    reference = CpuPath(repository / "matte/1/model.onnx")
    for megapixels in plan.megapixels:
        batch = max(1, round(plan.files / megapixels**0.5))
        files = make_files(samples, megapixels, batch)
        pipelines = [DevicePipeline(device, precision, batch, weights) for _ in range(max(threads))]
        told = {"device": device.kind, "photo_megapixels": megapixels, "batch": batch}
        told |= {"precision": precision, "codec": pipelines[0].codec.name}
        for count in threads:
            if device.kind == "gpu":
                torch.cuda.reset_peak_memory_stats(device.device)
            rate = _rate(pipelines[:count], device, files, plan.pipeline_s)
            row = {"path": "device", **told, "threads": count, "images_per_s": rate}
            row["times_all_cores"] = rate / cores_per_s[megapixels]
            if device.kind == "gpu":
                row["peak_memory_bytes"] = int(torch.cuda.max_memory_allocated(device.device))
            yield row
        yield from _stages(pipelines[0], device, files, told)
        yield from _differences(pipelines[0], reference, files, told)
        del pipelines
        if device.kind == "gpu":
            torch.cuda.empty_cache()


def _rate(
    pipelines: Sequence[DevicePipeline], device: Device, files: Sequence[bytes], least_s: float
) -> float:
    """Render the files over and over, a thread and a stream for each pipeline."""

    def work(pipeline: DevicePipeline, until_s: float) -> int:
        stream = (
            torch.cuda.stream(torch.cuda.Stream())  # type: ignore[no-untyped-call]
            if device.kind == "gpu"
            else nullcontext()
        )
        done = 0
        with stream:
            while done == 0 or time.perf_counter() < until_s:
                done += len(pipeline.render(files))
        return done

    with ThreadPoolExecutor(len(pipelines)) as pool:
        list(pool.map(lambda one: work(one, 0), pipelines))  # warm, each with its own memory
        start_s = time.perf_counter()
        done = sum(pool.map(lambda one: work(one, start_s + least_s), pipelines))
        return done / (time.perf_counter() - start_s)


def _stages(
    pipeline: DevicePipeline, device: Device, files: Sequence[bytes], told: Row
) -> Iterator[Row]:
    taken_s: dict[str, list[float]] = {stage: [] for stage in STAGES}
    pipeline.render(files)
    for _ in range(_STAGE_ROUNDS):
        device.wait()
        at_s = time.perf_counter()

        def ended(stage: str) -> None:
            nonlocal at_s
            device.wait()
            now_s = time.perf_counter()
            taken_s[stage].append(now_s - at_s)
            at_s = now_s

        pipeline.render(files, ended)
    for stage, times_s in taken_s.items():
        ms = 1000 * median(times_s) / len(files)
        yield {"path": "stage", **told, "stage": stage, "ms_per_image": ms}


def _differences(
    pipeline: DevicePipeline, reference: CpuPath, files: Sequence[bytes], told: Row
) -> Iterator[Row]:
    """Compare the decoders, the steps alone on the same pixels and mattes, and the whole way."""
    once = {file: reference.decode(file) for file in files}  # some are there several times
    cuts = {file: reference.matte(photo) for file, photo in once.items()}
    made = {file: reference.compose(photo, *cuts[file]) for file, photo in once.items()}
    photos, wanted = [once[one] for one in files], [made[one] for one in files]
    seen, mattes = zip(*(cuts[one] for one in files), strict=True)
    with torch.inference_mode():
        rgb = pipeline.codec.decode(files)
        place = rgb.device
        own_seen = shrink(rgb, pipeline.side)
        own_mattes = pipeline.mattes(own_seen)
        whole = pipeline.compose(rgb, own_seen, own_mattes)
        pixels = _batched([photo.rgb for photo in photos]).to(place)
        given = torch.from_numpy(np.stack(mattes)).float().to(place)
        alone = pipeline.compose(pixels, _batched(seen).float().to(place), given)
        matte_mae = (own_mattes - given).abs().mean().item()
    target = _batched(wanted).to(place)
    yield {"path": "difference", **told, "of": "decoded pixels", **_figures(rgb, pixels)}
    yield {"path": "difference", **told, "of": "steps alone", **_figures(alone, target)}
    yield {
        "path": "difference",
        **told,
        "of": "whole way",
        **_figures(whole, target),
        "matte_mean_difference": matte_mae,
    }


def _batched(pictures: Sequence[Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def _figures(own: Tensor, wanted: Tensor) -> Row:
    """Return differences in steps of 255, and the share of values that differ visibly."""
    apart = (own.short() - wanted.short()).abs()
    return {
        "mean_difference": apart.float().mean().item(),
        "max_difference": int(apart.max().item()),
        "visible_share": (apart > _VISIBLE).float().mean().item(),
    }
