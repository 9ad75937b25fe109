"""The tables of Triton on a GPU; each yields its most important rows first."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.budget import Row
from benchmarks.configuration import Configuration
from benchmarks.gpu_serving.gauges import processes_on_gpu, watching
from benchmarks.perf_analyzer import Load, measure
from benchmarks.triton import Triton
from export.photos import read_pixels
from serving.errors import ServingError

_SIDE = 320
_MODELS = ("matte-fp16", "matte")
_SIZES = "1,2,4,8,16"
_PINNED = {"gpu_tensor_transfer": "pinned", "gpu_batch_sizes": _SIZES}
_BOUND = {"gpu_tensor_transfer": "bound", "gpu_batch_sizes": _SIZES}
_ANALYZER_TIMEOUT_S = 25.0


def variant(name: str, model: str = "matte-fp16", **changes: Any) -> Configuration:
    """Return a configuration of a model by a name of its own."""
    return Configuration(model, name, **changes)


FIRST = variant("first")


def read_photos(folder: Path) -> np.ndarray[Any, Any]:
    """Read a folder's sample photos as the network takes them: N x 320 x 320 x 3, 8 bits."""
    return np.stack(read_pixels(folder, _SIDE))


def proof(triton: Triton) -> Iterator[Row]:
    """Load each model on the device, compare its answers with the CPU's, and show where it runs."""
    photos = read_photos(Path("samples"))
    for model in _MODELS:
        file = triton.models / model / "1/model.onnx"
        reference = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        (expected,) = reference.run(["matte"], {"photo": photos})
        own = {"session.disable_cpu_ep_fallback": "1"}
        variants = [
            variant(f"{model}-whole", model, parameters=own),
            variant(f"{model}-pinned", model, parameters=_PINNED),
        ]
        # Numbers of 19 bits would not be the CPU's.
        exact = {"use_tf32": "0"}
        if model == "matte":
            variants.append(variant("matte-exact", model, parameters=own, cuda=exact))
        else:
            variants.append(variant("fp16-bound", model, parameters=_BOUND))
        for one in variants:
            try:
                with triton.serving(one) as columns:
                    answered = triton.infer(one.name, photos)
                    apart = np.abs(answered.astype(int) - expected.astype(int))
                    held = processes_on_gpu()
                    yield {
                        **columns,
                        "photos": len(photos),
                        "largest_difference": int(apart.max()),
                        "mean_difference": float(apart.mean()),
                        "share_within_2": float((apart <= 2).mean()),  # noqa: PLR2004  the aim
                        "loaded_by": described(triton, one.name),
                        "processes_on_gpu": "; ".join(
                            f"{each['process']} {each['pid']}: {each['gpu_memory_bytes']}"
                            for each in held
                        ),
                    }
            except ServingError as exc:
                yield {**one.columns(), "error": str(exc)}


def described(triton: Triton, name: str) -> str:
    """Find what the backend logged of a variant's session: its provider and options."""
    lines = triton.server.log.splitlines()
    found = [line for line in lines if f"{name}_0" in line and "ExecutionProvider" in line]
    return found[-1].rpartition(": ")[2][-600:] if found else ""


def curves(triton: Triton, *, quick: bool) -> Iterator[Row]:
    """Images/s and latency over concurrency: batching on and off, instances, precision."""
    variants = (
        (variant("fp16-on-1"), (1, 4, 16, 64)),
        (variant("fp16-off-1", batching=False), (1, 4, 16)),
        (variant("fp16-on-2", instances=2), (1, 16, 64)),
        (variant("fp16-on-64", max_batch_size=64), (64, 128)),
        (variant("fp32-on-1", "matte"), (1, 16, 64)),
        (variant("fp32-off-1", "matte", batching=False), (1, 16)),
        (variant("fp16-on-4", instances=4), (64,)),
    )
    return _points(triton, variants, quick=quick)


def traps(triton: Triton, *, quick: bool) -> Iterator[Row]:
    """Options of the CUDA provider and ways of tensors, one changed at a time."""
    at, alone = (32,), (1, 32)
    padded, graph = {"gpu_batch_sizes": _SIZES}, {"enable_cuda_graph": "1"}
    same = {"arena_extend_strategy": "kSameAsRequested", "gpu_mem_limit": str(2**32)}
    variants = (
        (variant("exhaustive"), alone),
        (variant("pinned-padded", parameters=_PINNED), alone),
        (variant("graph-pinned", parameters=_PINNED, cuda=graph), alone),
        (variant("heuristic", cuda={"cudnn_conv_algo_search": "HEURISTIC"}), at),
        (variant("padded", parameters=padded), at),
        (variant("nhwc", cuda={"prefer_nhwc": "1"}), at),
        (variant("bound-padded", parameters=_BOUND), at),
        (variant("fp32-tf32", "matte"), at),
        (variant("fp32-no-tf32", "matte", cuda={"use_tf32": "0"}), at),
        (variant("default", cuda={"cudnn_conv_algo_search": "DEFAULT"}), at),
        (variant("small-workspace", cuda={"cudnn_conv_use_max_workspace": "0"}), at),
        (variant("arena-same", cuda=same), at),
        (variant("graph-nhwc-pinned", parameters=_PINNED, cuda=graph | {"prefer_nhwc": "1"}), at),
    )
    return _points(triton, variants, quick=quick)


def shared_memory(triton: Triton, *, quick: bool) -> Iterator[Row]:
    """How photos and mattes travel: in messages, by the system's or the GPU's shared memory."""
    device = _PINNED | {"FORCE_CPU_ONLY_INPUT_TENSORS": "no"}
    plain, pinned = variant("shm-host"), variant("shm-pinned", parameters=_PINNED)
    ways = (
        (plain, "none"),
        (plain, "system"),
        (pinned, "none"),
        (pinned, "system"),
        (plain, "cuda"),
        (variant("shm-device", parameters=device), "cuda"),
    )
    for one, memory in ways:
        yield from _points(triton, ((one, (32,)),), memory, quick=quick)


def queue_delay(triton: Triton, *, quick: bool) -> Iterator[Row]:
    """How long Triton waits for a batch to fill."""
    variants = tuple(
        (variant(f"delay-{delay}", queue_delay_us=delay), (4, 16)) for delay in (0, 500, 2000, 5000)
    )
    return _points(triton, variants, quick=quick)


def _points(
    triton: Triton,
    variants: Sequence[tuple[Configuration, Sequence[int]]],
    memory: str = "system",
    *,
    quick: bool,
) -> Iterator[Row]:
    for one, concurrencies in variants:
        try:
            with triton.serving(one) as columns:
                for concurrency in concurrencies:
                    told = {**columns, "concurrency": concurrency, "memory": memory}
                    try:
                        yield told | _point(triton, one.name, concurrency, memory, quick=quick)
                    except ServingError as exc:
                        yield told | {"error": str(exc)[-600:]}
        except ServingError as exc:
            yield {**one.columns(), "error": str(exc)[-600:]}


def _point(triton: Triton, name: str, concurrency: int, memory: str, *, quick: bool) -> Row:
    """Measure a variant by perf_analyzer, whose photos travel as `memory` says."""
    load = Load(
        address=triton.address,
        model=name,
        concurrency=str(concurrency),
        requests=10 if quick else max(100, 25 * concurrency),
        stability_percent=999 if quick else 15,
        memory=memory,
        timeout_s=_ANALYZER_TIMEOUT_S,
    )
    before = triton.batches(name)
    with watching() as seen:
        (found,) = measure(load, Path(".triton"), os.environ)
    photos, passes = (new - old for new, old in zip(triton.batches(name), before, strict=True))
    return {
        **found,
        "mean_batch": photos / passes if passes else None,
        **asdict(seen),
    }
