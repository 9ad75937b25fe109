"""The tables of Triton on a GPU; each yields its most important rows first."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from benchmarks.budget import Row
from benchmarks.gpu_serving.gauges import processes_on_gpu
from benchmarks.gpu_serving.triton import Triton
from benchmarks.gpu_serving.variants import Variant
from export.photos import read_pixels
from serving.errors import ServingError

_SIDE = 320
_MODELS = ("matte-fp16", "matte")
_SIZES = "1,2,4,8,16"
_PINNED = {"gpu_tensor_transfer": "pinned", "gpu_batch_sizes": _SIZES}
_BOUND = {"gpu_tensor_transfer": "bound", "gpu_batch_sizes": _SIZES}
FIRST = Variant("first")


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


def curves(triton: Triton) -> Iterator[Row]:
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
    return _points(triton, variants)


def traps(triton: Triton) -> Iterator[Row]:
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
    return _points(triton, variants)


def shared_memory(triton: Triton) -> Iterator[Row]:
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
        yield from _points(triton, ((variant, (32,)),), memory)


def queue_delay(triton: Triton) -> Iterator[Row]:
    """How long Triton waits for a batch to fill."""
    variants = tuple(
        (Variant(f"delay-{delay}", queue_delay_us=delay), (4, 16)) for delay in (0, 500, 2000, 5000)
    )
    return _points(triton, variants)


def _points(
    triton: Triton, variants: Sequence[tuple[Variant, Sequence[int]]], memory: str = "system"
) -> Iterator[Row]:
    for variant, concurrencies in variants:
        try:
            with triton.serving(variant) as columns:
                for concurrency in concurrencies:
                    yield columns | _point(triton, variant.name, concurrency, memory)
        except ServingError as exc:
            yield {**variant.columns(), "error": str(exc)[-600:]}


def _point(triton: Triton, name: str, concurrency: int, memory: str) -> Row:
    try:
        return triton.ask(name, concurrency, memory)
    except ServingError as exc:
        return {"concurrency": concurrency, "memory": memory, "error": str(exc)[-600:]}
