"""A background picture on its way in: a file, under the photo's own limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from imaging.compose.composition import BackgroundPicture, Fit, Point
from imaging.decode.decoder import Decoder, OpenedPhoto
from imaging.decode.limits import PhotoLimits
from imaging.errors import InvalidInputError
from imaging.types import Color

_FIELD: Final = "background"


@dataclass(frozen=True, slots=True)
class BackgroundFile:
    """A picture of the caller's, not decoded yet; otherwise as `BackgroundPicture`."""

    file: bytes
    fit: Fit
    position: Point
    color: Color

    def opened(self, decoder: Decoder, limits: PhotoLimits) -> OpenedPhoto:
        """Read its header.

        Raises:
            InvalidPhotoError: The bytes are no picture of an accepted format, or a broken one.
            PhotoLimitError: The picture is over or under a limit.
            DecodingUnavailableError: Nothing decodes at present.
        """
        with _told_as_background():
            return decoder.open(self.file, limits)

    def decoded(self, opened: OpenedPhoto) -> BackgroundPicture:
        """Decode what `opened` has returned; errors are those of `opened`."""
        with _told_as_background():
            photo = opened.decode()
        return BackgroundPicture(photo, self.fit, self.position, self.color)


@contextmanager
def _told_as_background() -> Iterator[None]:
    try:
        yield
    except InvalidInputError as exc:
        message = f"the background picture, read as a photo, is refused: {exc}"
        raise type(exc)(message, field=_FIELD, figures=exc.figures) from exc
