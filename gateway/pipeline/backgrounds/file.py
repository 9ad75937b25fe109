"""A background picture on its way in: a file, under the photo's own limits."""

from dataclasses import dataclass
from typing import Final

from gateway.decoding.decoder import Decoder
from gateway.errors import InvalidRequestError
from gateway.pipeline.arrays import Color
from gateway.pipeline.limits import PhotoLimits
from gateway.pipeline.look import BackgroundPicture, Fit, Point

_FIELD: Final = "background.picture.picture"


@dataclass(frozen=True, slots=True)
class BackgroundFile:
    """A picture of the caller's, not decoded yet; otherwise as `BackgroundPicture`."""

    file: bytes
    fit: Fit
    position: Point
    color: Color

    def decoded(self, decoder: Decoder, limits: PhotoLimits) -> BackgroundPicture:
        """Decode it.

        Raises:
            InvalidPhotoError: The bytes are no picture of an accepted format, or a broken one.
            PhotoLimitError: The picture is over or under a limit.
        """
        try:
            photo = decoder.decode(self.file, limits)
        except InvalidRequestError as exc:
            message = f"the background picture, read as a photo, is refused: {exc}"
            raise type(exc)(message, field=_FIELD, figures=exc.figures) from exc
        return BackgroundPicture(photo, self.fit, self.position, self.color)
