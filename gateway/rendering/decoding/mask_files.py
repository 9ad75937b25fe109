"""The masks of a request on their way in: PNG files, decoded where photos are."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from imaging.decode.decoder import Decoder, OpenedPhoto
from imaging.decode.limits import PhotoLimits
from imaging.errors import InvalidInputError
from imaging.matting.marks import Masks
from imaging.types import Photo, Pixels

# Where a mask begins to mark.
MARKED_AT: Final = 128
_OPAQUE: Final = 255


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A mask that is not decoded yet.

    Attributes:
        file: The PNG file.
        field: The request's field that it came in.
    """

    file: bytes
    field: str

    def opened(self, decoder: Decoder, limits: PhotoLimits) -> OpenedPhoto:
        """Read its header.

        Args:
            decoder: Decodes it.
            limits: Those of photos; a mask may have as little as one pixel.

        Raises:
            InvalidPhotoError: The bytes are no picture, or a broken one.
            PhotoLimitError: It is over a limit.
            DecodingUnavailableError: Nothing decodes at present.
        """
        with self._told_as_mask():
            return decoder.open(self.file, replace(limits, min_side_px=1))

    def decoded(self, opened: OpenedPhoto) -> Pixels:
        """Decode what `opened` has returned; errors are those of `opened`.

        Returns:
            (h, w) uint8: 255 where it marks, else 0.
        """
        with self._told_as_mask():
            return marked_in(opened.decode())

    @contextmanager
    def _told_as_mask(self) -> Iterator[None]:
        try:
            yield
        except InvalidInputError as exc:
            message = f"{self.field}, read as a photo, is refused: {exc}"
            raise type(exc)(message, field=self.field, figures=exc.figures) from exc


@dataclass(frozen=True, slots=True)
class MaskFiles:
    """The masks of a request; None where there is none."""

    keep: MaskFile | None = None
    erase: MaskFile | None = None

    @property
    def files(self) -> tuple[MaskFile, ...]:
        """Those that there are."""
        return tuple(each for each in (self.keep, self.erase) if each)


class OpenedMasks:
    """The masks of a request, opened; `close` lets go of their files.

    Args:
        decoder: Decodes them.
        masks: The files; errors are those of `MaskFile.opened`.
        limits: What a picture may be.
    """

    def __init__(self, decoder: Decoder, masks: MaskFiles, limits: PhotoLimits) -> None:
        self._masks = masks
        self._opened: dict[str, OpenedPhoto] = {}
        try:
            for mask in masks.files:
                self._opened[mask.field] = mask.opened(decoder, limits)
        except BaseException:
            self.close()
            raise

    @property
    def pixels(self) -> int:
        """The pixels of all of them by their headers."""
        return sum(each.width_px * each.height_px for each in self._opened.values())

    def decode(self) -> Masks:
        """Decode them, one after the other."""
        return Masks(self._decoded(self._masks.keep), self._decoded(self._masks.erase))

    def close(self) -> None:
        """Let go of the files."""
        for each in self._opened.values():
            each.close()

    def _decoded(self, mask: MaskFile | None) -> Pixels | None:
        return mask.decoded(self._opened[mask.field]) if mask else None


def marked_in(picture: Photo) -> Pixels:
    """Return what a mask marks: by its alpha, or by its grey where it is opaque all over.

    Args:
        picture: The decoded mask.

    Returns:
        (h, w) uint8: 255 where it marks, else 0.
    """
    alpha = picture.alpha
    if alpha is not None and int(alpha.min()) < _OPAQUE:
        values = alpha
    else:
        values = np.asarray(cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    return np.asarray(cv2.inRange(values, MARKED_AT, 255), np.uint8)
