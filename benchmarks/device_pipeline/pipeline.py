"""Files in, files out: decode, cut, refine, compose and encode a batch on one device."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.device_pipeline import refine
from benchmarks.device_pipeline.clean import clean_mattes
from benchmarks.device_pipeline.codecs import Codec, codec_for
from benchmarks.why_gpu.devices import Device, captured
from benchmarks.why_gpu.networks import prepare

STAGES = ("decode", "prepare", "network", "clean", "refine", "unmix", "compose", "encode")


def _pass_on(_stage: str) -> None:
    pass


class DevicePipeline:
    """The service's steps for batches of photos of one size.

    What it leaves out: formats other than JPEG, orientation, colour profiles, transparency of the
    photo, the refusal of photos without a product, frames, and backgrounds other than white.
    """

    def __init__(self, device: Device, precision: str, batch: int, weights: Path) -> None:
        self.codec: Codec = codec_for(device.device)
        self._prepared = prepare("matte", device, precision, weights)
        self.side = self._prepared.side
        self._seen = self._prepared.photos(batch)
        self._answer = torch.empty(0)
        self._network: Callable[[], object] = self._pass
        if device.kind == "gpu":
            with torch.inference_mode():
                self._pass()
                self._network = captured(self._pass)

    def _pass(self) -> None:
        self._answer = torch.sigmoid(self._prepared.network(self._seen).float())[:, 0]

    def render(
        self, files: Sequence[bytes], ended: Callable[[str], None] = _pass_on
    ) -> list[bytes]:
        """Make packshots of JPEG files of one size."""
        with torch.inference_mode():
            rgb = self.codec.decode(files)
            ended("decode")
            seen = refine.shrink(rgb, self.side)
            ended("prepare")
            mattes = self.mattes(seen)
            ended("network")
            packshots = self.compose(rgb, seen, mattes, ended)
            made = self.codec.encode(packshots)
            ended("encode")
        return made

    def mattes(self, seen: Tensor) -> Tensor:
        """Cut a batch: (N, 3, S, S) float32 of 0 to 255 to (N, S, S) float32, whole numbers."""
        self._seen.copy_(seen / 127.5 - 1)
        self._network()
        return torch.round(self._answer * 255)

    def compose(
        self,
        rgb: Tensor,
        seen: Tensor,
        mattes: Tensor,
        ended: Callable[[str], None] = _pass_on,
    ) -> Tensor:
        """Bring mattes to full size and set the products on white: (N, 3, H, W) uint8."""
        cleaned = clean_mattes(mattes)
        ended("clean")
        alpha = refine.upsample_guided(cleaned, seen, rgb)
        ended("refine")
        foreground = refine.unmix(rgb, alpha)
        ended("unmix")
        packshots = refine.on_white(foreground, alpha)
        ended("compose")
        return packshots
