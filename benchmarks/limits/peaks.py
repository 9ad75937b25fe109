"""The peaks of the machine: large matrix products for arithmetic, a large copy for memory.

Each product is tried by every engine that is at hand and at several sizes; the best one counts, as
a peak is what can be reached at all.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from operator import matmul
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from benchmarks.limits.network import open_session


@dataclass(frozen=True, slots=True)
class Probe:
    """A piece of work that shows a peak."""

    precision: str  # of the arithmetic; `bytes` for a copy
    engine: str  # what computes it
    side: int  # of the square matrices; of a copy the bytes of its source
    amount: int  # operations, or bytes read and written, of one run
    work: Callable[[], object]  # runs once

    def rate_per_s(self, least_s: float) -> float:
        """Run for at least so long, after one run that warms the caches.

        Args:
            least_s: Of the measurement; once, if a run takes longer.

        Returns:
            Operations or bytes a second, on average: what disturbs the machine is in it, as it is
            in the passes that a peak is compared with.
        """
        self.work()
        runs, start_s = 0, time.perf_counter()
        while runs == 0 or time.perf_counter() - start_s < least_s:
            self.work()
            runs += 1
        return runs * self.amount / (time.perf_counter() - start_s)


def product_probes(side: int, threads: int) -> Iterator[Probe]:
    """Make the products of two square matrices, on a number of threads; torch's where it is."""
    rng = np.random.default_rng(0)
    floats = rng.random((side, side), np.float32)
    unsigned = rng.integers(0, 256, (side, side), np.uint8)
    signed = rng.integers(-127, 128, (side, side), np.int8)
    operations = 2 * side**3
    yield Probe("fp32", "numpy", side, operations, lambda: floats @ floats)
    run = _onnx_product("MatMul", floats, floats, np.float32, threads)
    yield Probe("fp32", "onnxruntime", side, operations, run)
    run = _onnx_product("MatMulInteger", unsigned, signed, np.int32, threads)
    yield Probe("int8", "onnxruntime", side, operations, run)
    if find_spec("torch"):
        yield from _torch_products(floats, operations)


def copy_probe(size_bytes: int, threads: int) -> Probe:
    """Make a copy of so many bytes, each thread its own part; reading and writing both count."""
    source = np.ones(size_bytes, np.uint8)
    target = np.zeros(size_bytes, np.uint8)
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))
    pool = ThreadPoolExecutor(threads)

    def copy() -> None:
        list(pool.map(lambda part: np.copyto(part[1], part[0]), parts))

    return Probe("bytes", "numpy", size_bytes, 2 * size_bytes, copy)


def best_probes(probes: Iterator[Probe], least_s: float) -> dict[str, Probe]:
    """Keep the fastest of each precision, each tried for at least so long."""
    best: dict[str, tuple[float, Probe]] = {}
    for probe in probes:
        rate = probe.rate_per_s(least_s)
        if probe.precision not in best or rate > best[probe.precision][0]:
            best[probe.precision] = rate, probe
    return {precision: probe for precision, (_, probe) in best.items()}


def _torch_products(floats: NDArray[np.float32], operations: int) -> Iterator[Probe]:
    import torch  # noqa: PLC0415  optional

    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        matrix = torch.from_numpy(floats).to(dtype)
        yield Probe(precision, "torch", len(floats), operations, partial(matmul, matrix, matrix))


def _onnx_product(
    operator: str,
    left: NDArray[Any],
    right: NDArray[Any],
    gives: type[np.generic],
    threads: int,
) -> Callable[[], object]:
    """Build a graph of one product; the right factor is a constant, as weights are."""
    to_kind = helper.np_dtype_to_tensor_dtype
    graph = helper.make_graph(
        [helper.make_node(operator, ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", to_kind(left.dtype), left.shape)],
        [helper.make_tensor_value_info("product", to_kind(np.dtype(gives)), left.shape)],
        [numpy_helper.from_array(right, "right")],
    )
    opsets = [helper.make_opsetid("", 18)]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    session = open_session(model.SerializeToString(), threads)
    return lambda: session.run(None, {"left": left})
