"""What a caller sends to be decoded for one render: the photo, and maybe a picture behind it."""

from typing import Self

from gateway.decoding.decoder import Decoder, OpenedPhoto
from gateway.pipeline.arrays import Photo
from gateway.pipeline.backgrounds.file import BackgroundFile
from gateway.pipeline.limits import PhotoLimits
from gateway.pipeline.look import Background

_NONE_PX = (0, 0)


class Inputs:
    """A render's pictures, opened; their files go with `close`, or at the end of a `with` block.

    Args:
        decoder: Decodes them.
        photo_file: The photo's file.
        background: What stands behind the product; a file is decoded too.
        limits: What a picture may be.

    Raises:
        InvalidPhotoError: One is no picture of an accepted format, or a broken one.
        PhotoLimitError: One is over or under a limit.
        DecodingUnavailableError: Nothing decodes at present.
    """

    def __init__(
        self,
        decoder: Decoder,
        photo_file: bytes,
        background: Background | BackgroundFile,
        limits: PhotoLimits,
    ) -> None:
        self._background = background
        self._photo = decoder.open(photo_file, limits)
        self._behind: OpenedPhoto | None = None
        try:
            if isinstance(background, BackgroundFile):
                self._behind = background.opened(decoder, limits)
        except BaseException:
            self._photo.close()
            raise

    @property
    def photo_px(self) -> tuple[int, int]:
        """The photo's width and height by its header, before it is turned upright."""
        return self._photo.width_px, self._photo.height_px

    @property
    def background_px(self) -> tuple[int, int]:
        """The background picture's width and height by its header; (0, 0) for none."""
        return (self._behind.width_px, self._behind.height_px) if self._behind else _NONE_PX

    def decode(self, *, keep_metadata: bool) -> tuple[Photo, Background]:
        """Decode the photo, and the background if it is a file; errors are those of opening."""
        photo = self._photo.decode(keep_metadata=keep_metadata)
        if not isinstance(self._background, BackgroundFile):
            return photo, self._background
        if self._behind is None:
            raise RuntimeError("the background was not opened")
        return photo, self._background.decoded(self._behind)

    def close(self) -> None:
        """Let go of the files."""
        self._photo.close()
        if self._behind:
            self._behind.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
