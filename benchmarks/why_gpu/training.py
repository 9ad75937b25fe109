"""One training step of the default network beside one forward pass."""

from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch.optim import AdamW

from benchmarks.why_gpu.devices import Device, arithmetic
from benchmarks.why_gpu.networks import prepare
from benchmarks.why_gpu.plan import Plan
from export.networks.lite import LiteMatte
from export.training.config import TrainingConfig
from export.training.losses import matte_loss

Row = dict[str, Any]


def training_row(device: Device, plan: Plan) -> Row:
    """Measure both in fp32 on the same photos, in turns.

    A step is what training does: forward with the coarse outputs, loss, backward, AdamW.
    """
    prepared = prepare("matte", device, "fp32")
    photos = prepared.photos(plan.batch)
    learning = prepare("matte", device, "fp32").network.train()
    if not isinstance(learning, LiteMatte):
        raise TypeError(f"the default network is {type(learning).__name__}")
    optimiser = AdamW(learning.parameters())
    alpha = (photos[:, :1] > 0).float()

    def answer() -> None:
        with torch.inference_mode():
            prepared.network(photos)

    def learn() -> None:
        optimiser.zero_grad(set_to_none=True)
        matte_loss(learning.levels(photos), alpha, TrainingConfig().side_weight).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    forward_s, step_s = [], []
    with arithmetic("fp32"):
        for _ in range(plan.rounds):
            forward_s.append(device.seconds(answer, plan.turn_s))
            step_s.append(device.seconds(learn, plan.turn_s))
        peaks = {
            "forward_peak_bytes": _peak_bytes(device, answer),
            "step_peak_bytes": _peak_bytes(device, learn),
        }
    return {
        "statement": "training",
        "device": device.kind,
        "engine": "torch",
        "network": "matte",
        "precision": "fp32",
        "batch": plan.batch,
        "forward_ms": 1000 * median(forward_s),
        "step_ms": 1000 * median(step_s),
        "times_forward": median(one / two for one, two in zip(step_s, forward_s, strict=True)),
        **{key: value for key, value in peaks.items() if value is not None},
    }


def _peak_bytes(device: Device, work: Callable[[], None]) -> int | None:
    """Return the most memory that torch held on a GPU; the CPU's allocator does not count."""
    if device.kind != "gpu":
        return None
    torch.cuda.reset_peak_memory_stats(device.device)
    work()
    device.wait()
    return int(torch.cuda.max_memory_allocated(device.device))
