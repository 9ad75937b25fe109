"""The default matting network: a small U-shaped network with self-attention at its narrowest.

A photo's way: three quarters of the arithmetic happens at an eighth and a sixteenth of the
resolution, where a pixel sees much of the photo; the finest full-width convolution works at half
of it. Full resolution is reached by moving pixels (space to depth and back), which costs nothing.

After "U-Net" (Ronneberger et al., arXiv 1505.04597), residual blocks (He et al., arXiv
1512.03385), pre-norm self-attention (Vaswani et al., arXiv 1706.03762), sub-pixel output (Shi et
al., arXiv 1609.05158) and side outputs for deep supervision as in U²-Net (Qin et al., arXiv
2005.09007). All layers are plain convolutions and matrix products: on a CPU depthwise
convolutions do not pay, and ReLU keeps activations unsigned for later quantisation.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

DEEPEST_STRIDE = 16


@dataclass(frozen=True)
class MatteConfig:
    """Widths and depths of the network."""

    stem: int = 24  # channels at 1/2
    quarter: int = 48  # channels at 1/4
    eighth: int = 96  # channels at 1/8
    sixteenth: int = 160  # channels at 1/16
    quarter_blocks: int = 1  # residual blocks on the way down, at 1/4
    eighth_blocks: int = 2
    sixteenth_blocks: int = 2
    attention_blocks: int = 2  # at 1/16, after the residual ones
    attention_heads: int = 5


class ConvNorm(nn.Sequential):
    """Convolution and batch norm, which the exporter folds into one convolution."""

    def __init__(
        self, into: int, out: int, kernel: int = 3, stride: int = 1, *, silent: bool = False
    ) -> None:
        """Keep height and width but for the stride; ``silent`` starts with zeros as answer."""
        norm = nn.BatchNorm2d(out)
        if silent:
            nn.init.zeros_(norm.weight)
        padding = kernel // 2
        super().__init__(nn.Conv2d(into, out, kernel, stride, padding, bias=False), norm)


class Block(nn.Module):
    """Two 3x3 convolutions around which the input is added back."""

    def __init__(self, width: int) -> None:
        """Keep the shape (N, width, h, w)."""
        super().__init__()
        self.first = ConvNorm(width, width)
        self.second = ConvNorm(width, width, silent=True)  # each block starts as the identity

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x``."""
        inner = functional.relu(self.first(x), inplace=True)
        return functional.relu(x + self.second(inner), inplace=True)


class Attention(nn.Module):
    """Self-attention over all positions, then a two-layer perceptron, both residual."""

    def __init__(self, width: int, heads: int) -> None:
        """Keep the shape (N, width, h, w); ``heads`` must divide ``width``."""
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.join_heads = nn.Linear(width, width)
        self.norm_perceptron = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Let every position look at every other."""
        _, width, rows, columns = x.shape
        tokens: Tensor = x.flatten(2).transpose(1, 2)  # (N, T, C), T = rows * columns
        tokens = tokens + self.attend(self.norm_attention(tokens))
        inner = functional.relu(self.widen(self.norm_perceptron(tokens)))
        tokens = tokens + self.narrow(inner)
        return tokens.transpose(1, 2).reshape(-1, width, rows, columns)

    def attend(self, tokens: Tensor) -> Tensor:
        """Mix (N, T, C) tokens by their likeness, head by head."""
        _, count, width = tokens.shape
        split = self.queries_keys_values(tokens)  # (N, T, 3C)
        split = split.reshape(-1, count, 3, self.heads, width // self.heads)
        # Each is (N, heads, T, C/heads).
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.scaled_dot_product_attention(queries, keys, values)
        joined: Tensor = self.join_heads(mixed.transpose(1, 2).reshape(-1, count, width))
        return joined


class Down(nn.Sequential):
    """Halve the resolution, then refine."""

    def __init__(self, into: int, out: int, blocks: int) -> None:
        """(N, into, h, w) to (N, out, h/2, w/2)."""
        super().__init__(
            ConvNorm(into, out, stride=2),
            nn.ReLU(inplace=True),
            *[Block(out) for _ in range(blocks)],
        )


class Up(nn.Module):
    """Double the resolution, add what the way down knew there, refine."""

    def __init__(self, into: int, out: int) -> None:
        """(N, into, h, w) and a skip (N, out, 2h, 2w) to (N, out, 2h, 2w)."""
        super().__init__()
        self.narrow = ConvNorm(into, out, kernel=1)
        self.across = ConvNorm(out, out, kernel=1)
        self.block = Block(out)

    def forward(self, coarse: Tensor, skip: Tensor) -> Tensor:
        """Join both levels."""
        raised = functional.interpolate(
            self.narrow(coarse), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        refined: Tensor = self.block(functional.relu(raised + self.across(skip), inplace=True))
        return refined


class Matte(nn.Module):
    """Photo in, matte logits out."""

    def __init__(self, config: MatteConfig | None = None) -> None:
        """Build with random weights."""
        super().__init__()
        c = config or MatteConfig()
        self.stem = nn.Sequential(nn.PixelUnshuffle(2), ConvNorm(12, c.stem), nn.ReLU(inplace=True))
        self.down_quarter = Down(c.stem, c.quarter, c.quarter_blocks)
        self.down_eighth = Down(c.quarter, c.eighth, c.eighth_blocks)
        self.down_sixteenth = Down(c.eighth, c.sixteenth, c.sixteenth_blocks)
        self.attention = nn.Sequential(
            *[Attention(c.sixteenth, c.attention_heads) for _ in range(c.attention_blocks)]
        )
        self.up_eighth = Up(c.sixteenth, c.eighth)
        self.up_quarter = Up(c.eighth, c.quarter)
        self.up_half = Up(c.quarter, c.stem)
        self.head = nn.Sequential(nn.Conv2d(c.stem, 4, 3, padding=1), nn.PixelShuffle(2))
        # Only training looks at these; they tell each level what its share of the matte is.
        self.sides = nn.ModuleList(
            nn.Conv2d(width, 1, 1) for width in (c.sixteenth, c.eighth, c.quarter)
        )

    def forward(self, photo: Tensor) -> Tensor:
        """Give matte logits.

        Args:
            photo: (N, 3, H, W) float32, sRGB in [-1, 1]; H and W divisible by 16.

        Returns:
            (N, 1, H, W) float32 logits; their sigmoid is the matte.
        """
        return self.levels(photo)[0]

    def levels(self, photo: Tensor) -> list[Tensor]:
        """Give the logits at full size and, for training, at 1/16, 1/8 and 1/4 of it."""
        half = self.stem(photo)  # (N, 24, H/2, W/2)
        quarter = self.down_quarter(half)  # (N, 48, H/4, W/4)
        eighth = self.down_eighth(quarter)  # (N, 96, H/8, W/8)
        deep = self.attention(self.down_sixteenth(eighth))  # (N, 160, H/16, W/16)
        eighth = self.up_eighth(deep, eighth)  # (N, 96, H/8, W/8)
        quarter = self.up_quarter(eighth, quarter)  # (N, 48, H/4, W/4)
        logits = self.head(self.up_half(quarter, half))  # (N, 1, H, W)
        if not self.training:
            return [logits]
        coarse = zip(self.sides, (deep, eighth, quarter), strict=True)
        return [logits, *(side(level) for side, level in coarse)]


def count_parameters(network: nn.Module) -> int:
    """Count the weights of a network, those that only training uses included."""
    return sum(parameter.numel() for parameter in network.parameters())


def seeded(seed: int) -> Matte:
    """Build the network with random weights that depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Matte()
