"""The arrays that travel between the steps of the pipeline."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo, upright.

    Attributes:
        rgb: (H, W, 3) uint8, sRGB.
        alpha: (H, W) uint8, 255 opaque; None where the file had no transparency.
        metadata: An EXIF block to keep; empty for none.
        notes: What in the file could not be followed, such as a broken colour profile.
    """

    rgb: Pixels
    alpha: Pixels | None = None
    metadata: bytes = b""
    notes: tuple[str, ...] = ()

    @property
    def width_px(self) -> int:
        """Width in pixels."""
        return int(self.rgb.shape[1])

    @property
    def height_px(self) -> int:
        """Height in pixels."""
        return int(self.rgb.shape[0])


@dataclass(frozen=True, slots=True)
class Cut:
    """A product, cut out of its photo.

    Attributes:
        foreground: (H, W, 3) uint8, sRGB: the photo, and along the product's edge the product's
            own colours without the old background's part in them.
        alpha: (H, W) uint8, the product's opacity, 255 opaque.
        confidence: How sure the model is of it, 0 to 1.
    """

    foreground: Pixels
    alpha: Pixels
    confidence: float


class Box(NamedTuple):
    """A box of whole pixels: left and top inclusive, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        """The box as an index of an array of (H, W, …)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


class Sides(NamedTuple):
    """Sides of a picture."""

    left: bool
    top: bool
    right: bool
    bottom: bool


class Color(NamedTuple):
    """An sRGB colour, each channel 0 to 255."""

    red: int
    green: int
    blue: int


WHITE = Color(255, 255, 255)
