"""U²-Net and its small sister U²-NetP: a U of Us for finding what a photo is about.

After "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection" (Qin et al.,
arXiv 2005.09007): figure 2 for the residual U-blocks, figure 5 and table 1 for the whole. Names and
shapes of all weights are those of the published ``u2net.pth`` and ``u2netp.pth``, which therefore
load as they are. Where those files give sigmoids, these networks give logits.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 6  # each at half the resolution of the one before
DEPTHS = (7, 6, 5, 4, 4, 4)  # of the residual U-blocks, by level
FIRST_DILATED = 5  # from this level on, where a U of poolings would run out of pixels


@dataclass(frozen=True)
class Widths:
    """Channels of every residual U-block, inside and at its end, finest level first."""

    down: tuple[tuple[int, int], ...]  # levels 1 to 6
    up: tuple[tuple[int, int], ...]  # levels 1 to 5


FULL = Widths(
    down=((32, 64), (32, 128), (64, 256), (128, 512), (256, 512), (256, 512)),
    up=((16, 64), (32, 64), (64, 128), (128, 256), (256, 512)),
)
SMALL = Widths(down=((16, 64),) * 6, up=((16, 64),) * 5)


def resize_like(x: Tensor, like: Tensor) -> Tensor:
    """Bring ``x`` to the height and width of ``like``, bilinearly."""
    return functional.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class ConvNormRelu(nn.Module):
    """A 3x3 convolution, dilated, with batch norm and ReLU; keeps height and width."""

    def __init__(self, into: int, out: int, dilation: int = 1) -> None:
        """(N, into, h, w) to (N, out, h, w)."""
        super().__init__()
        self.conv_s1 = nn.Conv2d(into, out, 3, padding=dilation, dilation=dilation)
        self.bn_s1 = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        """Filter ``x``."""
        return functional.relu(self.bn_s1(self.conv_s1(x)), inplace=True)


class ResidualU(nn.Module):
    """A small U-Net around which its first convolution's answer is added back: RSU-L, RSU-4F.

    Level k on the way down is ``rebnconv{k}``, on the way up ``rebnconv{k}d``. A plain block
    halves the resolution from level to level but the last two; a dilated one keeps it and doubles
    the dilation instead.
    """

    def __init__(
        self, depth: int, into: int, middle: int, out: int, *, dilated: bool = False
    ) -> None:
        """(N, into, h, w) to (N, out, h, w) by way of ``middle`` channels."""
        super().__init__()
        self.depth = depth
        self.dilated = dilated
        dilations = [2**level if dilated else 1 for level in range(depth)]
        dilations[-1] = dilations[-1] if dilated else 2
        self.rebnconvin = ConvNormRelu(into, out)
        for level, dilation in enumerate(dilations, start=1):
            layer = ConvNormRelu(out if level == 1 else middle, middle, dilation)
            self.add_module(f"rebnconv{level}", layer)
        for level in range(depth - 1, 0, -1):
            width = out if level == 1 else middle
            layer = ConvNormRelu(2 * middle, width, dilations[level - 1])
            self.add_module(f"rebnconv{level}d", layer)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` at all of the block's resolutions."""
        entered: Tensor = self.rebnconvin(x)
        down = [self.get_submodule("rebnconv1")(entered)]
        for level in range(2, self.depth + 1):
            halved = level < self.depth and not self.dilated
            down.append(self.get_submodule(f"rebnconv{level}")(_halve(down[-1], when=halved)))
        joined = down.pop()
        for level in range(self.depth - 1, 0, -1):
            skip = down.pop()
            pair = torch.cat((_enlarge(joined, skip), skip), dim=1)
            joined = self.get_submodule(f"rebnconv{level}d")(pair)
        refined: Tensor = joined + entered
        return refined


class NestedU(nn.Module):
    """Six residual U-blocks down and five up, with a side output at every level."""

    def __init__(self, into: int, widths: Widths) -> None:
        """Take (N, into, h, w)."""
        super().__init__()
        for level, (middle, out) in enumerate(widths.down, start=1):
            self.add_module(f"stage{level}", _block(level, into, middle, out))
            into = out
        for level in range(LEVELS - 1, 0, -1):
            middle, out = widths.up[level - 1]
            joined = into + widths.down[level - 1][1]
            self.add_module(f"stage{level}d", _block(level, joined, middle, out))
            into = out
        ends = (*(out for _, out in widths.up), widths.down[-1][1])
        for level, out in enumerate(ends, start=1):
            self.add_module(f"side{level}", nn.Conv2d(out, 1, 3, padding=1))

    def side_logits(self, x: Tensor) -> list[Tensor]:
        """Give one map a level, (N, 1, h, w) to (N, 1, h/32, w/32), finest first."""
        down = [self.get_submodule("stage1")(x)]
        for level in range(2, LEVELS + 1):
            down.append(self.get_submodule(f"stage{level}")(_halve(down[-1])))
        ends = [down.pop()]
        for level in range(LEVELS - 1, 0, -1):
            skip = down.pop()
            pair = torch.cat((_enlarge(ends[-1], skip), skip), dim=1)
            ends.append(self.get_submodule(f"stage{level}d")(pair))
        finest_first = enumerate(reversed(ends), start=1)
        return [self.get_submodule(f"side{level}")(end) for level, end in finest_first]


class U2Net(NestedU):
    """Photo in, saliency logits out."""

    def __init__(self, widths: Widths = FULL) -> None:
        """Build with random weights: 44.0 million as U²-Net, 1.13 million as U²-NetP."""
        super().__init__(3, widths)
        self.outconv = nn.Conv2d(LEVELS, 1, 1)

    def forward(self, photo: Tensor) -> Tensor:
        """Give logits.

        Args:
            photo: (N, 3, H, W) float32, normalised with ImageNet's mean and deviation; trained at
                320x320.

        Returns:
            (N, 1, H, W) float32 logits of the fused map; their sigmoid is the matte.
        """
        return self.levels(photo)[0]

    def levels(self, photo: Tensor) -> list[Tensor]:
        """Give the fused logits and, for training, those of the six sides, all at full size."""
        sides = self.side_logits(photo)
        sides = [sides[0], *(resize_like(side, sides[0]) for side in sides[1:])]
        fused = self.outconv(torch.cat(sides, dim=1))
        return [fused, *sides] if self.training else [fused]


def u2netp() -> U2Net:
    """Build the small sister with random weights."""
    return U2Net(SMALL)


def _block(level: int, into: int, middle: int, out: int) -> ResidualU:
    dilated = level >= FIRST_DILATED
    return ResidualU(DEPTHS[level - 1], into, middle, out, dilated=dilated)


def _halve(x: Tensor, *, when: bool = True) -> Tensor:
    return functional.max_pool2d(x, 2, stride=2, ceil_mode=True) if when else x


def _enlarge(x: Tensor, like: Tensor) -> Tensor:
    return x if x.shape[-2:] == like.shape[-2:] else resize_like(x, like)
