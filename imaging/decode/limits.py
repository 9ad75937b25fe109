"""What a photo may be, checked by what its file claims before any pixel is decoded."""

from dataclasses import dataclass
from typing import Final

from imaging.errors import PhotoLimitError

FIELD: Final = "photo"
# Encoders cut a picture's data into parts of 8 KiB or more: 800 MB of them.
MAX_CHUNKS: Final = 100_000
# The largest of presses have some 3 MB; Little CMS makes far more of what it reads.
MAX_PROFILE_BYTES: Final = 8 * 2**20


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """What a photo may be.

    Attributes:
        max_bytes: Largest file, bytes.
        max_pixels: Largest width times height, pixels.
        min_side_px: Shortest side, pixels.
    """

    max_bytes: int = 32 * 2**20
    max_pixels: int = 64_000_000
    min_side_px: int = 16

    def check_bytes(self, size_bytes: int) -> None:
        """Raise `PhotoLimitError` if a file is too large."""
        if size_bytes > self.max_bytes:
            raise PhotoLimitError(
                f"the photo has {size_bytes} bytes; the limit is {self.max_bytes}",
                field=FIELD,
                figures={"limit_bytes": self.max_bytes, "value_bytes": size_bytes},
            )

    def check_pixels(self, width_px: int, height_px: int) -> None:
        """Raise `PhotoLimitError` if a photo has too many pixels."""
        pixels = width_px * height_px
        if pixels > self.max_pixels:
            raise PhotoLimitError(
                f"the photo has {width_px}x{height_px} = {pixels} pixels; "
                f"the limit is {self.max_pixels}",
                field=FIELD,
                figures={"limit_pixels": self.max_pixels, "value_pixels": pixels},
            )

    def check_size(self, width_px: int, height_px: int) -> None:
        """Raise `PhotoLimitError` if a photo has too many pixels, or a side too few."""
        self.check_pixels(width_px, height_px)
        if min(width_px, height_px) < self.min_side_px:
            raise PhotoLimitError(
                f"the photo has {width_px}x{height_px} pixels; "
                f"each side must have at least {self.min_side_px}",
                field=FIELD,
                figures={"limit_px": self.min_side_px, "value_px": min(width_px, height_px)},
            )


def check_count(what: str, value: int, limit: int) -> None:
    """Raise `PhotoLimitError` if a file claims more of something than any honest one has."""
    if value > limit:
        raise PhotoLimitError(
            f"the photo's file claims {value} {what}; the limit is {limit}",
            field=FIELD,
            figures={"limit": limit, "value": value},
        )
