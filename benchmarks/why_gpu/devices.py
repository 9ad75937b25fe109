"""Where torch computes: the CPU or a GPU, and in which precisions."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Device:
    """One of torch's devices."""

    kind: str  # `cpu` or `gpu`, as the rows have it
    device: torch.device  # torch's own

    @property
    def precisions(self) -> tuple[str, ...]:
        """What it computes in, by its worth; fp16 on a CPU is emulated and not worth a row."""
        return ("fp16", "fp32", "bf16", "tf32") if self.kind == "gpu" else ("fp32", "bf16")

    def wait(self) -> None:
        """Wait for whatever was begun."""
        if self.kind == "gpu":
            torch.cuda.synchronize(self.device)

    def seconds(self, work: Callable[[], object], least_s: float) -> float:
        """Run for at least so long, after one run that warms up, and give the time of one run."""
        work()
        self.wait()
        runs, batch, start_s = 0, 1, time.perf_counter()
        while (taken_s := time.perf_counter() - start_s) < least_s or runs == 0:
            for _ in range(batch):
                work()
            self.wait()
            runs += batch
            # Waiting after every run would leave a GPU idle between them.
            batch = min(2 * batch, 64)
        return taken_s / runs


def devices() -> list[Device]:
    """List what torch can compute on: the first GPU where there is one, then the CPU."""
    found = [Device("cpu", torch.device("cpu"))]
    if torch.cuda.is_available():
        found.insert(0, Device("gpu", torch.device("cuda")))
    return found


def captured(work: Callable[[], object]) -> Callable[[], None]:
    """Record a GPU's work as a CUDA graph; to replay it takes one launch."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        kept = work()

    def replay(_kept: object = kept) -> None:
        graph.replay()

    return replay


DTYPES = {
    "fp32": torch.float32,
    "tf32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}


@contextmanager
def arithmetic(precision: str) -> Iterator[None]:
    """Let products of floats be computed in 19 bits for the time of a block, or not."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
