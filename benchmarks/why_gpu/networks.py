"""The networks that the statements are tried on, in torch."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.why_gpu.devices import DTYPES, Device
from export.networks.alexnet import SIDE as ALEXNET_SIDE
from export.networks.alexnet import AlexNet
from export.networks.lite import LiteMatte
from export.networks.u2net import U2Net, u2netp

_MAKERS: dict[str, Callable[[], nn.Module]] = {
    "matte": LiteMatte,
    "alexnet": AlexNet,
    "u2netp": u2netp,
    "u2net": U2Net,
}
_SIDE = 320  # that the matting networks were trained at
_RGB = 3


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network on its device, in its precision.

    Attributes:
        network: It answers, it does not learn.
        side: Of its photos, pixels.
        device: Where it is.
        dtype: Of weights and photos.
    """

    network: nn.Module
    side: int
    device: Device
    dtype: torch.dtype

    def photos(self, batch: int) -> Tensor:
        """Make so many random photos, (N, 3, S, S), laid out as GPUs like it."""
        generator = torch.Generator().manual_seed(0)
        shape = (batch, _RGB, self.side, self.side)
        made = torch.rand(shape, generator=generator) * 2 - 1
        made = made.to(self.device.device, self.dtype)
        return made.contiguous(memory_format=torch.channels_last)

    @property
    def weight_bytes(self) -> int:
        """Of all weights."""
        return sum(one.numel() * one.element_size() for one in self.network.parameters())

    def operations(self) -> int:
        """Count one photo's operations in convolutions and products, as torch counts them."""
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            self.network(self.photos(1))
        return int(counter.get_total_flops())


def prepare(name: str, device: Device, precision: str, weights: Path | None = None) -> Prepared:
    """Build a network for answering; its random weights depend on nothing.

    Args:
        name: One of the plan's networks.
        device: Where it goes.
        precision: Of weights and arithmetic.
        weights: A file of weights in their place.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = _MAKERS[name]()
    if weights is not None:
        from export.weights_file import read_weights  # noqa: PLC0415  needs safetensors

        read_weights(network, weights)
    dtype = DTYPES[precision]
    network = network.eval().to(device.device, dtype)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Prepared(network, ALEXNET_SIDE if name == "alexnet" else _SIDE, device, dtype)
