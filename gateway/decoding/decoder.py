"""The seam behind which photos are decoded, and the plain way of doing it."""

from typing import Protocol

from gateway.pipeline.arrays import Photo
from gateway.pipeline.decode import decode_photo
from gateway.pipeline.limits import PhotoLimits


class Decoder(Protocol):
    """Decodes photos; called from worker threads, several at once."""

    def start(self) -> None:
        """Make ready; before the first photo."""

    def decode(self, file: bytes, limits: PhotoLimits, *, keep_metadata: bool = False) -> Photo:
        """Decode a photo; arguments, result and errors are those of `decode_photo`."""

    def pids(self) -> tuple[int, ...]:
        """Return the ids of the processes that decode; none where the calling thread does."""

    def close(self) -> None:
        """Let go of whatever decodes; nothing is decoded any more."""


class ThreadDecoder:
    """Decodes on the calling thread: a decoder that crashes takes the gateway along."""

    def start(self) -> None:
        """There is nothing to make ready."""

    def decode(self, file: bytes, limits: PhotoLimits, *, keep_metadata: bool = False) -> Photo:
        """Decode a photo as `decode_photo` does."""
        return decode_photo(file, limits, keep_metadata=keep_metadata)

    def pids(self) -> tuple[int, ...]:
        """There are none."""
        return ()

    def close(self) -> None:
        """There is nothing to let go of."""
