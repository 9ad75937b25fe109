"""The tables of Triton on a GPU: each yields rows as it has them, the most important first."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from PIL import Image

from benchmarks.gpu_serving.gauges import processes_on_gpu
from benchmarks.gpu_serving.triton import Triton
from benchmarks.gpu_serving.variants import Variant
from serving.errors import ServingError

Row = dict[str, Any]
Table = Callable[[Triton, float], Iterator[Row]]

_SIDE = 320
_MODELS = ("matte-fp16", "matte")
_SIZES = "1,2,4,8,16"
_PINNED = {"gpu_tensor_transfer": "pinned", "gpu_batch_sizes": _SIZES}
_BOUND = {"gpu_tensor_transfer": "bound", "gpu_batch_sizes": _SIZES}
FIRST = Variant("first")


def read_photos(folder: Path) -> np.ndarray[Any, Any]:
    """Read a folder's sample photos as the network takes them: N x 320 x 320 x 3, 8 bits."""
    photos = []
    for path in sorted(folder.glob("*.jpg")):
        with Image.open(path) as photo:
            photos.append(np.asarray(photo.convert("RGB").resize((_SIDE, _SIDE))))
    return np.stack(photos)


def proof(triton: Triton, _end_s: float) -> Iterator[Row]:
    """Load each model on the device, compare its answers with the CPU's, and show where it runs."""
    photos = read_photos(Path("samples"))
    for model in _MODELS:
        file = triton.models / model / "1/model.onnx"
        reference = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        (expected,) = reference.run(["matte"], {"photo": photos})
        own = {"session.disable_cpu_ep_fallback": "1"}
        variants = [
            Variant(f"{model}-whole", model, parameters=own),
            Variant(f"{model}-pinned", model, parameters=_PINNED),
        ]
        # Numbers of 19 bits would not be the CPU's.
        exact = {"use_tf32": "0"}
        if model == "matte":
            variants.append(Variant("matte-exact", model, parameters=own, cuda=exact))
        else:
            variants.append(Variant("fp16-bound", model, parameters=_BOUND))
        for variant in variants:
            try:
                with triton.serving(variant) as columns:
                    answered = triton.infer(variant.name, photos)
                    apart = np.abs(answered.astype(int) - expected.astype(int))
                    held = processes_on_gpu()
                    yield {
                        **columns,
                        "photos": len(photos),
                        "largest_difference": int(apart.max()),
                        "mean_difference": float(apart.mean()),
                        "share_within_2": float((apart <= 2).mean()),  # noqa: PLR2004  the aim
                        "loaded_by": described(triton, variant.name),
                        "processes_on_gpu": "; ".join(
                            f"{one['process']} {one['pid']}: {one['gpu_memory_bytes']}"
                            for one in held
                        ),
                    }
            except ServingError as exc:
                yield {**variant.columns(), "error": str(exc)}


def described(triton: Triton, variant: str) -> str:
    """Find what the backend logged of a variant's session: its provider and options."""
    lines = triton.server.log.splitlines()
    found = [line for line in lines if f"{variant}_0" in line and "ExecutionProvider" in line]
    return found[-1].rpartition(": ")[2][-600:] if found else ""


def curves(triton: Triton, end_s: float) -> Iterator[Row]:
    """Images/s and latency over concurrency: batching on and off, instances, precision."""
    variants = (
        (Variant("fp16-on-1"), (1, 4, 16, 64)),
        (Variant("fp16-off-1", batching=False), (1, 4, 16)),
        (Variant("fp16-on-2", instances=2), (1, 16, 64)),
        (Variant("fp16-on-64", max_batch_size=64), (64, 128)),
        (Variant("fp32-on-1", "matte"), (1, 16, 64)),
        (Variant("fp32-off-1", "matte", batching=False), (1, 16)),
        (Variant("fp16-on-4", instances=4), (64,)),
    )
    return _points(triton, end_s, variants)


def traps(triton: Triton, end_s: float) -> Iterator[Row]:
    """Options of the CUDA provider and ways of tensors, one changed at a time."""
    at, alone = (32,), (1, 32)
    padded, graph = {"gpu_batch_sizes": _SIZES}, {"enable_cuda_graph": "1"}
    same = {"arena_extend_strategy": "kSameAsRequested", "gpu_mem_limit": str(2**32)}
    variants = (
        (Variant("exhaustive"), alone),
        (Variant("pinned-padded", parameters=_PINNED), alone),
        (Variant("graph-pinned", parameters=_PINNED, cuda=graph), alone),
        (Variant("heuristic", cuda={"cudnn_conv_algo_search": "HEURISTIC"}), at),
        (Variant("padded", parameters=padded), at),
        (Variant("nhwc", cuda={"prefer_nhwc": "1"}), at),
        (Variant("bound-padded", parameters=_BOUND), at),
        (Variant("fp32-tf32", "matte"), at),
        (Variant("fp32-no-tf32", "matte", cuda={"use_tf32": "0"}), at),
        (Variant("default", cuda={"cudnn_conv_algo_search": "DEFAULT"}), at),
        (Variant("small-workspace", cuda={"cudnn_conv_use_max_workspace": "0"}), at),
        (Variant("arena-same", cuda=same), at),
        (Variant("graph-nhwc-pinned", parameters=_PINNED, cuda=graph | {"prefer_nhwc": "1"}), at),
    )
    return _points(triton, end_s, variants)


def shared_memory(triton: Triton, end_s: float) -> Iterator[Row]:
    """How photos and mattes travel: in messages, by the system's or the GPU's shared memory."""
    device = _PINNED | {"FORCE_CPU_ONLY_INPUT_TENSORS": "no"}
    plain, pinned = Variant("shm-host"), Variant("shm-pinned", parameters=_PINNED)
    ways = (
        (plain, "none"),
        (plain, "system"),
        (pinned, "none"),
        (pinned, "system"),
        (plain, "cuda"),
        (Variant("shm-device", parameters=device), "cuda"),
    )
    for variant, memory in ways:
        yield from _points(triton, end_s, ((variant, (32,)),), memory)


def queue_delay(triton: Triton, end_s: float) -> Iterator[Row]:
    """How long Triton waits for a batch to fill."""
    variants = tuple(
        (Variant(f"delay-{delay}", queue_delay_us=delay), (4, 16)) for delay in (0, 500, 2000, 5000)
    )
    return _points(triton, end_s, variants)


def searches(triton: Triton, end_s: float) -> Iterator[Row]:
    """First pass and later ones of every batch size, by way of choosing convolutions' algorithms.

    By ONNX Runtime alone, in this process: what a caller would wait for on a cold batch size.
    """
    provider = "CUDAExecutionProvider" if triton.kind == "gpu" else "CPUExecutionProvider"
    if triton.kind == "gpu":
        onnxruntime.preload_dlls()
    file = triton.models / "matte-fp16/1/model.onnx"
    for search in ("EXHAUSTIVE", "HEURISTIC", "DEFAULT"):
        options = {"cudnn_conv_algo_search": search} if triton.kind == "gpu" else {}
        session = onnxruntime.InferenceSession(str(file), providers=[(provider, options)])
        first_ms, later_ms = [], []
        for batch in (2, 3) if triton.quick else range(1, 17):
            photos = np.zeros((batch, _SIDE, _SIDE, 3), np.uint8)
            times_s = []
            for _ in range(4):
                start_s = time.perf_counter()
                session.run(["matte"], {"photo": photos})
                times_s.append(time.perf_counter() - start_s)
            first_ms.append(1e3 * times_s[0])
            later_ms.append(1e3 * min(times_s[1:]))
            if time.monotonic() > end_s:
                break
        yield {
            "model": "matte-fp16",
            "provider": session.get_providers()[0],
            "cudnn_conv_algo_search": search,
            "batch_sizes": len(first_ms),
            "first_ms_sum": sum(first_ms),
            "first_ms_worst": max(first_ms),
            "later_ms_sum": sum(later_ms),
            "later_ms_largest_batch": later_ms[-1],
            "first_ms": " ".join(f"{each:.1f}" for each in first_ms),
            "later_ms": " ".join(f"{each:.2f}" for each in later_ms),
        }
        if time.monotonic() > end_s:
            return


def _points(
    triton: Triton,
    end_s: float,
    variants: Sequence[tuple[Variant, Sequence[int]]],
    memory: str = "system",
) -> Iterator[Row]:
    for variant, concurrencies in variants:
        if time.monotonic() > end_s:
            yield {**variant.columns(), "error": "left out: the table's time was over"}
            continue
        try:
            with triton.serving(variant) as columns:
                for concurrency in concurrencies:
                    yield columns | _point(triton, variant.name, concurrency, memory)
                    if time.monotonic() > end_s:
                        break
        except ServingError as exc:
            yield {**variant.columns(), "error": str(exc)[-600:]}


def _point(triton: Triton, name: str, concurrency: int, memory: str) -> Row:
    try:
        return triton.ask(name, concurrency, memory)
    except ServingError as exc:
        return {"concurrency": concurrency, "memory": memory, "error": str(exc)[-600:]}


# Shares of the time, in the order of importance; what a table leaves is the next ones'.
TABLES: tuple[tuple[str, Table, float], ...] = (
    ("proof", proof, 0.1),
    ("curves", curves, 0.24),
    ("traps", traps, 0.22),
    ("shared-memory", shared_memory, 0.09),
    ("searches", searches, 0.06),
    ("queue-delay", queue_delay, 0.07),
)
