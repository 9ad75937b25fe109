"""The seam behind which photos are decoded, and the plain way of doing it.

Decoding has two steps, so that room for a photo's pixels is taken before one of them is decoded: a
photo is opened, which reads its header, and then decoded. Both are another process' work where
there is one: nothing but a file's length and its first bytes is looked at in the gateway.
"""

import math
from typing import Final, Protocol, Self

from imaging.decode.formats import PhotoFormat
from imaging.decode.limits import FIELD, PhotoLimits
from imaging.decode.photo import check_file, decode_photo, decode_preview, read_size
from imaging.errors import PhotoLimitError
from imaging.types import Photo

# A preview leads to a shorter wait and costs processor time: the file is read a second time. In
# smaller photos, and where it is hardly smaller than the photo, that is too much of the whole.
PREVIEW_FROM_PX: Final = 6_000_000
_PREVIEW_OF: Final = 2


class OpenedPhoto(Protocol):
    """A photo whose header has been read and whose pixels have not been decoded.

    Attributes:
        width_px: Its width by the header, before it is turned upright.
        height_px: Its height by the header.
    """

    width_px: int
    height_px: int

    def is_previewed(self, width_px: int, height_px: int) -> bool:
        """Tell whether a preview is worth its cost, by the file's first bytes and its size."""

    def preview(self, width_px: int, height_px: int) -> Photo | None:
        """Decode it to at least a size; result and errors are those of `decode_preview`."""

    def decode(self, *, keep_metadata: bool = False) -> Photo:
        """Decode it; result and errors are those of `decode_photo`, and of `Decoder.open`."""

    def close(self) -> None:
        """Let go of its file."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_exc: object) -> None: ...


class Decoder(Protocol):
    """Decodes photos; called from worker threads, several at once."""

    def start(self) -> None:
        """Make ready; before the first photo."""

    def open(self, file: bytes, limits: PhotoLimits) -> OpenedPhoto:
        """Read a photo's header.

        Raises:
            InvalidPhotoError: As `decode_photo`.
            PhotoLimitError: As `decode_photo`.
            DecodingUnavailableError: Nothing decodes at present.
        """

    def hindrance(self) -> str:
        """Say why nothing can be decoded at present; empty if something can."""

    def pids(self) -> tuple[int, ...]:
        """Return the ids of the processes that decode; none where the calling thread does."""

    def abandon(self) -> None:
        """End what is being decoded at once, without waiting; nothing is decoded any more."""

    def close(self) -> None:
        """Let go of whatever decodes; nothing is decoded any more."""


def check_as_opened(opened: OpenedPhoto, photo: Photo) -> None:
    """Check that a photo has no more pixels than room was taken for.

    Raises:
        PhotoLimitError: It has: its header claimed less.
    """
    claimed = opened.width_px * opened.height_px
    pixels = photo.width_px * photo.height_px
    if pixels > claimed:
        raise PhotoLimitError(
            f"the photo has {pixels} pixels; its header claims {claimed}",
            field=FIELD,
            figures={"limit_pixels": claimed, "value_pixels": pixels},
        )


def is_previewed(
    photo_format: PhotoFormat, photo_px: tuple[int, int], least_px: tuple[int, int]
) -> bool:
    """Tell whether a preview is worth what it costs.

    Args:
        photo_format: The file's format.
        photo_px: Its width and height, before it is turned upright.
        least_px: The least width and height of the preview, upright.
    """
    return (
        photo_format is PhotoFormat.JPEG
        and math.prod(photo_px) >= PREVIEW_FROM_PX
        and min(photo_px) >= _PREVIEW_OF * max(least_px)
    )


class ThreadDecoder:
    """Decodes on the calling thread: a decoder that crashes takes the gateway along."""

    def start(self) -> None:
        """There is nothing to make ready."""

    def open(self, file: bytes, limits: PhotoLimits) -> OpenedPhoto:
        """Read a photo's header."""
        return _HeldPhoto(file, limits)

    def hindrance(self) -> str:
        """There is none."""
        return ""

    def pids(self) -> tuple[int, ...]:
        """There are none."""
        return ()

    def abandon(self) -> None:
        """A thread cannot be stopped."""

    def close(self) -> None:
        """There is nothing to let go of."""


class _HeldPhoto:
    """A photo for the calling thread to decode."""

    def __init__(self, file: bytes, limits: PhotoLimits) -> None:
        self._file, self._limits = file, limits
        self.width_px, self.height_px = read_size(file, limits)
        self._format = check_file(file, limits)

    def is_previewed(self, width_px: int, height_px: int) -> bool:
        return is_previewed(self._format, (self.width_px, self.height_px), (width_px, height_px))

    def preview(self, width_px: int, height_px: int) -> Photo | None:
        return decode_preview(self._file, self._limits, width_px, height_px)

    def decode(self, *, keep_metadata: bool = False) -> Photo:
        photo = decode_photo(self._file, self._limits, keep_metadata=keep_metadata)
        check_as_opened(self, photo)
        return photo

    def close(self) -> None:
        self._file = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
