"""How far the default network's mattes move when torch computes them in another precision."""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.why_gpu.devices import Device, arithmetic, devices
from benchmarks.why_gpu.networks import prepare
from export.measures import agreement, mean_agreement
from export.photos import read_pixels

_SIDE = 320

Row = dict[str, Any]


def torch_rows(batch_rows: Sequence[Row], batch: int, photos: Path, weights: Path) -> Iterator[Row]:
    """Take the speeds of the default network from its passes, and measure what its mattes lose.

    Args:
        batch_rows: Of the network in every precision, as `pass_rows` gives them.
        batch: The batch size to compare at.
        photos: A folder of photos that mattes are compared on.
        weights: The network's trained weights.
    """
    chosen = [row for row in batch_rows if row["batch"] == batch]
    full = {
        (row["device"], row["engine"]): row["images_per_s"]
        for row in chosen
        if row["precision"] == "fp32"
    }
    for row in chosen:
        if (row["device"], row["engine"]) not in full:
            continue  # its time was used up before full precision's turn
        yield {
            "statement": "precision",
            **{key: row[key] for key in ("device", "engine", "network", "precision", "batch")},
            "images_per_s": row["images_per_s"],
            "times_fp32": row["images_per_s"] / full[row["device"], row["engine"]],
            **differences(row["device"], row["precision"], photos, weights),
        }


def differences(kind: str, precision: str, photos: Path, weights: Path) -> dict[str, float]:
    """Compare a precision's mattes with full precision's on the same device.

    Returns:
        `iou_with_fp32` and `mean_difference`, in 1/255.
    """
    device = next(one for one in devices() if one.kind == kind)
    full = _mattes(device, "fp32", photos, weights)
    own = _mattes(device, precision, photos, weights)
    pairs = [agreement(one, other) for one, other in zip(own, full, strict=True)]
    mean = mean_agreement(pairs)
    return {"iou_with_fp32": mean.iou, "mean_difference": 255 * mean.mae}


@cache
def _mattes(
    device: Device, precision: str, photos: Path, weights: Path
) -> tuple[NDArray[np.float32], ...]:
    prepared = prepare("matte", device, precision, weights)
    rgb = torch.from_numpy(np.stack(read_pixels(photos, _SIDE)))  # (N, S, S, 3)
    taken = (rgb.permute(0, 3, 1, 2).float() / 127.5 - 1).to(device.device, prepared.dtype)
    with arithmetic(precision), torch.inference_mode():
        logits = [prepared.network(one[None])[0, 0] for one in taken]
    return tuple(torch.sigmoid(one.float()).cpu().numpy() for one in logits)
