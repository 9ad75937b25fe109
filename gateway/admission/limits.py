"""What the gateway may hold at once, and what that comes to in memory."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.admission.priority import Priority
from imaging.compose.scenes.textures import MOST_TEXTURE_BYTES

# What the process takes without a request: its libraries and the arrays that allocators keep.
_IDLE_BYTES: Final = 512 * 2**20
# A message exists as gRPC received it, as it is parsed, and as the photo's own bytes.
_COPIES_OF_A_MESSAGE: Final = 3
# Of a photo's, background's or finished picture's pixel, at the worst step; `docs/load.md` has the
# measurements.
_BYTES_PER_PIXEL: Final = 24
# The part of each limit that bulk work may fill, and the part kept for it while it has requests.
_BULK_MOST: Final = 0.5
_BULK_LEAST: Final = 0.0625


class Limit(StrEnum):
    """What is limited; the names go to callers and metrics."""

    REQUESTS = "requests"
    BYTES = "bytes"
    PIXELS = "pixels"
    RECEIVING = "receiving"
    WAIT = "wait"


# Those of which a request holds a part while it is in the service.
HELD: Final = (Limit.REQUESTS, Limit.BYTES, Limit.PIXELS)


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """What the gateway may hold at once.

    Attributes:
        requests: Most admitted renders.
        bytes: Most bytes of their requests, and of replies that have not left yet.
        pixels: Most pixels of the photos, backgrounds and pictures of them all.
        receiving: Most photos that are being received.
        streams: Most streams of photos, each of which receives one at a time.
        message_bytes: The largest message.
        workers: As many renders as this are admitted whatever the estimates say.
        max_wait_s: Longest time for which interactive work may have to wait by the estimate.
        max_bulk_wait_s: Longest time for bulk work.
        other_messages: Most messages that are received of calls that are no renders.
        transport_bytes: Most bytes of connections and of calls that nobody has read of.
    """

    requests: int
    bytes: int
    pixels: int
    receiving: int
    streams: int
    message_bytes: int
    workers: int
    max_wait_s: float
    max_bulk_wait_s: float
    other_messages: int = 0
    transport_bytes: int = 0

    @property
    def memory_ceiling_bytes(self) -> int:
        """What the process' memory stays below, by these limits."""
        messages = self.receiving + self.streams
        return (
            _IDLE_BYTES
            + MOST_TEXTURE_BYTES
            + (messages * self.message_bytes + self.bytes) * _COPIES_OF_A_MESSAGE
            # Of others a message is refused by its size before it is parsed.
            + self.other_messages * self.message_bytes * (_COPIES_OF_A_MESSAGE - 1)
            + self.transport_bytes
            + self.pixels * _BYTES_PER_PIXEL
        )

    def of(self, limit: Limit) -> int:
        """Return the limit of what is held, for all work together."""
        return {
            Limit.REQUESTS: self.requests,
            Limit.BYTES: self.bytes,
            Limit.PIXELS: self.pixels,
        }[limit]

    def share(self, limit: Limit, priority: Priority, *, bulk_waits: bool) -> int:
        """Return the part of a limit that work of one priority may fill."""
        total = self.of(limit)
        if priority is Priority.BULK:
            return max(1, int(total * _BULK_MOST))
        # A limit of one stays with interactive work.
        kept = max(1, int(total * _BULK_LEAST)) if bulk_waits and total > 1 else 0
        return total - kept

    def longest_wait_s(self, priority: Priority) -> float:
        """Return the longest estimated wait with which work of a priority is admitted."""
        return self.max_bulk_wait_s if priority is Priority.BULK else self.max_wait_s
