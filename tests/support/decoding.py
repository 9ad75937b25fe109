"""Decoding in one go."""

from gateway.decoding.decoder import Decoder
from gateway.pipeline.arrays import Photo
from gateway.pipeline.limits import PhotoLimits


def decode_at_once(
    decoder: Decoder, file: bytes, limits: PhotoLimits, *, keep_metadata: bool = False
) -> Photo:
    """Open a photo and decode it; result and errors are those of the two steps."""
    with decoder.open(file, limits) as opened:
        return opened.decode(keep_metadata=keep_metadata)
