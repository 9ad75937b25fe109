"""The arrays that travel between the steps of the pipeline."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import cv2
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
class OwnColors:
    """The product's own colours along its edge, without the old background's part in them.

    Attributes:
        rgb: (H, W, 3) uint8, sRGB; without meaning where `at` is 0.
        at: (H, W) uint8: 255 where there are any, else 0.
    """

    rgb: Pixels
    at: Pixels


@dataclass(frozen=True, slots=True)
class Cut:
    """A product, cut out of its photo.

    Attributes:
        rgb: (H, W, 3) uint8, sRGB: the photo.
        alpha: (H, W) uint8, the product's opacity, 255 opaque.
        confidence: How sure the model is of it, 0 to 1.
        own: The colours that take the photo's place along the product's edge; None: none do.
    """

    rgb: Pixels
    alpha: Pixels
    confidence: float
    own: OwnColors | None = None

    @property
    def foreground(self) -> Pixels:
        """(H, W, 3) uint8: the photo with the product's own colours in it; a copy if it has any."""
        return self.colors_within(Box(0, 0, self.rgb.shape[1], self.rgb.shape[0]))

    def colors_within(self, box: "Box") -> Pixels:
        """Return the part of `foreground` that is within a box."""
        part = self.rgb[box.slices]
        if self.own is None:
            return part
        part = part.copy()
        cv2.copyTo(self.own.rgb[box.slices], self.own.at[box.slices], part)
        return part


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
