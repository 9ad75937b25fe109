"""What a caller sends to be decoded for one render: the photo, and maybe a picture and masks."""

from typing import Final, Self

from gateway.rendering.decoding.mask_files import MaskFiles, OpenedMasks
from imaging.compose.backgrounds.file import BackgroundFile
from imaging.compose.composition import Background
from imaging.decode.decoder import Decoder, OpenedPhoto
from imaging.decode.limits import PhotoLimits
from imaging.matting.marks import Masks
from imaging.matting.prepare import to_model_input
from imaging.types import Photo, Pixels

_NONE_PX = (0, 0)
# A preview has at least so many times the pixels of a model's input, each way.
_PREVIEW: Final = 2


class Inputs:
    """A render's pictures, opened; their files go with `close`, or at the end of a `with` block.

    Args:
        decoder: Decodes them.
        photo_file: The photo's file.
        background: What stands behind the product; a file is decoded too.
        masks: The masks that correct the cut.
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
        masks: MaskFiles,
        limits: PhotoLimits,
    ) -> None:
        self._background = background
        self._photo = decoder.open(photo_file, limits)
        self._behind: OpenedPhoto | None = None
        try:
            if isinstance(background, BackgroundFile):
                self._behind = background.opened(decoder, limits)
            self._masks = OpenedMasks(decoder, masks, limits)
        except BaseException:
            self._photo.close()
            if self._behind:
                self._behind.close()
            raise

    @property
    def photo_px(self) -> tuple[int, int]:
        """The photo's width and height by its header, before it is turned upright."""
        return self._photo.width_px, self._photo.height_px

    @property
    def background_px(self) -> tuple[int, int]:
        """The background picture's width and height by its header; (0, 0) for none."""
        return (self._behind.width_px, self._behind.height_px) if self._behind else _NONE_PX

    @property
    def masks_px(self) -> int:
        """The pixels of all masks by their headers."""
        return self._masks.pixels

    def is_previewed(self, width_px: int, height_px: int) -> bool:
        """Tell whether `model_input` is worth asking for."""
        return self._photo.is_previewed(_PREVIEW * width_px, _PREVIEW * height_px)

    def model_input(self, width_px: int, height_px: int) -> Pixels | None:
        """Make a model's input before the photo is decoded, from a preview.

        Args:
            width_px: The model's input width.
            height_px: The model's input height.

        Returns:
            As `to_model_input`; None where only the decoded photo will do.

        Raises:
            ReasonedError: As of opening.
        """
        preview = self._photo.preview(_PREVIEW * width_px, _PREVIEW * height_px)
        return None if preview is None else to_model_input(preview, width_px, height_px)

    def decode(self, *, keep_metadata: bool) -> tuple[Photo, Background, Masks]:
        """Decode the photo, the masks, and a background that is a file; errors as of opening."""
        photo = self._photo.decode(keep_metadata=keep_metadata)
        masks = self._masks.decode()
        if not isinstance(self._background, BackgroundFile):
            return photo, self._background, masks
        if self._behind is None:
            raise RuntimeError("the background was not opened")
        return photo, self._background.decoded(self._behind), masks

    def close(self) -> None:
        """Let go of the files."""
        self._photo.close()
        if self._behind:
            self._behind.close()
        self._masks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
