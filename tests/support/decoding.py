"""Decoding in one go."""

from imaging.decode.decoder import Decoder
from imaging.decode.limits import PhotoLimits
from imaging.types import Photo


def decode_at_once(
    decoder: Decoder, file: bytes, limits: PhotoLimits, *, keep_metadata: bool = False
) -> Photo:
    """Open a photo and decode it; result and errors are those of the two steps."""
    with decoder.open(file, limits) as opened:
        return opened.decode(keep_metadata=keep_metadata)
