"""The networks that are measured, in torch, and what a pass of them costs at least."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.why_gpu.devices import DTYPES, Device
from export.graph import fold_norms
from export.networks.alexnet import SIDE as ALEXNET_SIDE
from export.networks.alexnet import AlexNet
from export.networks.isnet import ISNet
from export.networks.lite import LiteMatte
from export.networks.u2net import ConvNormRelu

# Each with the side of its photos.
_MAKERS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "matte": (LiteMatte, 320),
    "isnet": (ISNet, 1024),
    "alexnet": (AlexNet, ALEXNET_SIDE),
}
_RGB = 3


@dataclass(frozen=True, slots=True)
class PassCost:
    """What one photo takes."""

    operations: int  # in convolutions and products, as torch counts them
    weight_bytes: int  # of all weights, read once in a pass, whatever the batch
    port_bytes: int  # of the photo and the matte
    layer_bytes: int  # that layers read and write of activations, counted layer by layer


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network on its device, in its precision."""

    network: nn.Module  # it answers, it does not learn
    side: int  # of its photos, pixels
    device: Device  # where it is
    dtype: torch.dtype  # of weights and photos

    def photos(self, batch: int) -> Tensor:
        """Make so many random photos, (N, 3, S, S), laid out as GPUs like it."""
        generator = torch.Generator(self.device.device).manual_seed(0)
        shape = (batch, _RGB, self.side, self.side)
        made = torch.rand(shape, generator=generator, device=self.device.device) * 2 - 1
        return made.to(self.dtype).contiguous(memory_format=torch.channels_last)

    def cost(self) -> PassCost:
        """Count what one photo takes."""
        photo = self.photos(1)
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            self.network(photo)
        weights = list(self.network.parameters())
        with _Traffic(weights) as traffic, torch.inference_mode():
            answer = self.network(photo)
        return PassCost(
            int(counter.get_total_flops()),
            sum(map(_size_bytes, weights)),
            _size_bytes(photo) + _size_bytes(answer),
            traffic.moved_bytes,
        )


class _Traffic(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what operators read and write; views and what is computed in place move nothing."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.moved_bytes = 0
        self._weights = {id(one) for one in weights}

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        answer = func(*args, **(kwargs or {}))
        if not func.is_view and not func._schema.name.endswith("_"):  # noqa: SLF001  in place
            self.moved_bytes += sum(
                _size_bytes(one)
                for one in tree_leaves((args, kwargs, answer))
                if isinstance(one, Tensor) and id(one) not in self._weights
            )
        return answer


def prepare(
    name: str,
    device: Device,
    precision: str,
    weights: Path | None = None,
    *,
    folds: bool = True,
) -> Prepared:
    """Build a network for answering; its random weights depend on nothing.

    Args:
        name: One of the plan's networks.
        device: Where it goes.
        precision: Of weights and arithmetic.
        weights: A file of weights in their place.
        folds: Whether norms are merged into convolutions, as in what is served.
    """
    maker, side = _MAKERS[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = maker()
    if weights is not None:
        from export.weights_file import read_weights  # noqa: PLC0415  needs safetensors

        read_weights(network, weights)
    network.eval()
    if folds:
        network = _folded(network)
    network = network.to(device.device, DTYPES[precision])
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Prepared(network, side, device, DTYPES[precision])


def _folded(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, ConvNormRelu):
            module.conv_s1 = fuse_conv_bn_eval(module.conv_s1, module.bn_s1)
            module.bn_s1 = nn.Identity()  # type: ignore[assignment]
    return fold_norms(network)


def _size_bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
