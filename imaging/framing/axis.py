"""One axis of a frame: what it has to hold, and where along it the product goes."""

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import NamedTuple

from imaging.errors import InvalidOptionError

MIN_SIDE_PX = 16

# Less than half a pixel too much is gone once it is rounded.
_ROUNDED_AWAY_PX = 0.499
# What floating point may add to a whole number.
_NOISE_PX = 1e-6


@dataclass(frozen=True, slots=True)
class Length:
    """A length beside the product: the sum of both parts.

    Attributes:
        share: Of the product's own side along the same axis, 0 or more.
        px: Pixels of the frame, 0 or more.
    """

    share: float = 0.0
    px: int = 0


class Interval(NamedTuple):
    """Whole pixels in a row, the stop exclusive."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many pixels."""
        return self.stop - self.start


class Placed(NamedTuple):
    """A placement along one axis.

    Attributes:
        source: What is taken of the photo.
        target: Where it lands in the frame.
        product: Where the product is in the frame.
    """

    source: Interval
    target: Interval
    product: Interval


@dataclass(frozen=True, slots=True)
class Axis:
    """Photo, product and what is wished for along one axis.

    A magnification is the factor from the photo's pixels to the frame's.

    Attributes:
        name: "width" or "height".
        photo_px: The photo's side.
        product: The product in the photo.
        visible: All of it that is not fully transparent; contains the product.
        framed_px: Side of what the frame is built around, product or photo, in the photo's pixels.
        before: The least space left of the product, or above it; none where it is cut off.
        after: The same right of it, or below it.
        fill: Largest share of the frame's side for what is framed, above 0 to 1.
        position: Where in free space the product goes, 0 to 1; None: where the photo has it.
    """

    name: str
    photo_px: int
    product: Interval
    visible: Interval
    framed_px: int
    before: Length = Length()
    after: Length = Length()
    fill: float = 1.0
    position: float | None = None

    @property
    def spans(self) -> bool:
        """Whether the product is cut off at both ends, and so should reach from end to end."""
        return self.product.start <= 0 and self.product.stop >= self.photo_px

    def around_photo(self) -> "Axis":
        """Return the same axis for a frame that shows the whole photo."""
        return replace(self, framed_px=self.photo_px, before=Length(), after=Length(), fill=1.0)

    def side_px(self, magnification: float) -> int:
        """Return the least side of a frame that holds what is framed, margins and fill kept."""
        whole_px = self.spanned_px(magnification)
        margins_px = sum(self._margins_px(magnification))
        return max(
            whole_px + ceil(margins_px - _NOISE_PX),
            ceil(whole_px / self.fill - _NOISE_PX),
            MIN_SIDE_PX,
        )

    def spanned_px(self, magnification: float) -> int:
        """Return the side of a frame that what is framed takes from end to end."""
        return max(round(magnification * self.framed_px), 1)

    def free_side_px(self, magnification: float) -> int:
        """Return the side of a frame that nothing else decides."""
        spanned_px = self.spanned_px(magnification)
        if self.spans and spanned_px >= MIN_SIDE_PX:
            return spanned_px
        return self.side_px(magnification)

    def largest(self, side_px: int) -> float:
        """Return the largest magnification that a side leaves to what is framed.

        Raises:
            InvalidOptionError: The margins leave less than a pixel.
        """
        share, px = self.before.share + self.after.share, self.before.px + self.after.px
        room_px = (side_px - px) / (1 + share)
        if room_px < 1:
            needed_px = ceil(px + 1 + share)
            raise InvalidOptionError(
                f"margins of {px} px and {share:.0%} of the product need a {self.name} of "
                f"{needed_px} px at least; the frame's is {side_px} px",
                field="margin",
                figures={"limit_px": side_px, "value_px": needed_px},
            )
        return min(room_px, self.fill * side_px) / self.framed_px

    def fits(self, magnification: float, side_px: int) -> bool:
        """Return whether a side holds what is framed, margins and fill kept."""
        framed_px = magnification * self.framed_px
        least_px = max(framed_px + sum(self._margins_px(magnification)), framed_px / self.fill)
        return least_px < side_px + _ROUNDED_AWAY_PX

    def holds_product(self, magnification: float, side_px: int) -> bool:
        """Return whether a side holds the product and its margins, whatever else is framed."""
        product_px = magnification * self.product.length
        return product_px + sum(self._margins_px(magnification)) < side_px + _ROUNDED_AWAY_PX

    def product_px(self, magnification: float, side_px: int) -> int:
        """Return the product's side in a frame of a side, in whole pixels, at least one."""
        return min(max(round(magnification * self.product.length), 1), side_px)

    def placed(self, magnification: float, side_px: int) -> Placed:
        """Place the product, and beside it as much of what is visible as the frame holds."""
        product_px = self.product_px(magnification, side_px)
        start = self._start_px(magnification, side_px, side_px - product_px)
        stop = start + product_px
        before = min(
            self.product.start - self.visible.start, floor(start / magnification + _NOISE_PX)
        )
        after = min(
            self.visible.stop - self.product.stop,
            floor((side_px - stop) / magnification + _NOISE_PX),
        )
        return Placed(
            source=Interval(self.product.start - before, self.product.stop + after),
            target=Interval(
                start - round(before * magnification), stop + round(after * magnification)
            ),
            product=Interval(start, stop),
        )

    def _start_px(self, magnification: float, side_px: int, free_px: int) -> int:
        cut_before, cut_after = self.product.start <= 0, self.product.stop >= self.photo_px
        if cut_before != cut_after:
            return 0 if cut_before else free_px
        if self.position is None:
            photo_start = (side_px - magnification * self.photo_px) / 2
            start = photo_start + magnification * self.product.start
        else:
            before_px, after_px = self._margins_px(magnification)
            start = before_px + self.position * max(free_px - before_px - after_px, 0)
        return min(max(round(start), 0), free_px)

    def _margins_px(self, magnification: float) -> tuple[float, float]:
        product_px = magnification * self.product.length
        return (
            self.before.share * product_px + self.before.px,
            self.after.share * product_px + self.after.px,
        )
