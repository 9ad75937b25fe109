"""JPEG files to batches on a device, and back."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

QUALITY = 90  # the service's own, as is full colour resolution


class NvJpeg:
    """NVIDIA's, on the GPU, by way of torchvision."""

    name = "nvJPEG"

    def __init__(self, device: torch.device) -> None:
        from torchvision import io  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415

        self._io, self._device = io, device

    def decode(self, files: Sequence[bytes]) -> Tensor:
        """Decode files of one size: (N, 3, H, W) uint8 on the device."""
        raw = [torch.from_numpy(np.frombuffer(one, np.uint8).copy()) for one in files]
        mode = self._io.ImageReadMode.RGB
        return torch.stack(self._io.decode_jpeg(raw, mode=mode, device=self._device))

    def encode(self, pictures: Tensor) -> list[bytes]:
        """Encode (N, 3, H, W) uint8 on the device, in full colour resolution."""
        made = self._io.encode_jpeg(list(pictures.contiguous().unbind()), quality=QUALITY)
        return [one.cpu().numpy().tobytes() for one in made]


class Pillow:
    """The processor's: where there is no GPU, the steps between can be tried."""

    name = "Pillow"

    def decode(self, files: Sequence[bytes]) -> Tensor:
        """Decode as `NvJpeg.decode`."""
        read = [np.asarray(Image.open(BytesIO(one)).convert("RGB")) for one in files]
        return torch.from_numpy(np.stack(read)).permute(0, 3, 1, 2).contiguous()

    def encode(self, pictures: Tensor) -> list[bytes]:
        """Encode as `NvJpeg.encode`."""
        return [encode(one) for one in pictures.permute(0, 2, 3, 1).numpy()]


def encode(pixels: "np.typing.NDArray[np.uint8]") -> bytes:
    """Encode one picture with Pillow, as the service does but for profile and resolution."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return buffer.getvalue()


Codec = NvJpeg | Pillow


def codec_for(device: torch.device) -> Codec:
    """Return the codec of a device."""
    return NvJpeg(device) if device.type == "cuda" else Pillow()
