"""Sends replies, each with a time limit, and gives up those whose room others need.

gRPC keeps a reply until its caller has received all of it, which may be never. How much has been
received cannot be seen, so the time limit follows from the reply's size. After it the caller's
connection is closed.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import grpc.aio

from gateway.admission import Reservation
from gateway.rpc.call_context import caller_of

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]

# The least rate at which a caller must receive, once the time for any reply is over.
_LEAST_BYTES_PER_S: Final = 2**20
# A younger reply is not given up, however much room is wanted.
_YOUNG_S: Final = 1.0
# The time for a reply whose call has been ended from this side before it was received.
_ENDED_S: Final = 2.0
# The connection may not be found at once, such as while there are no free descriptors.
_AGAIN_S: Final = 5.0


@dataclass(eq=False, slots=True)
class _Reply:
    peer: str
    caller: str
    size_bytes: int
    since_s: float
    reservation: Reservation | None
    timer: asyncio.TimerHandle | None = field(default=None)


class Replies:
    """The replies that have not left yet.

    Not safe to share between threads: all of it happens on the event loop.

    Args:
        timeout_s: Seconds for a caller to receive a reply, and one more for each MiB.
        drop: Closes the connection of a peer, by gRPC's name of it.
        on_dropped: Called for each connection that is closed.
    """

    def __init__(
        self,
        timeout_s: float,
        drop: Callable[[str], bool],
        on_dropped: Callable[[], None],
    ) -> None:
        self._timeout_s = timeout_s
        self._drop = drop
        self._on_dropped = on_dropped
        self._replies: set[_Reply] = set()

    async def send(
        self, context: Context, data: bytes, reservation: Reservation | None = None
    ) -> bool:
        """Send one reply of a call, and return when it has left.

        Args:
            context: The call.
            data: The reply.
            reservation: What it holds of the service. It is given back when the reply has left,
                when the connection is closed, or when the call has ended if this is cancelled.

        Returns:
            Whether it has left; if not, the caller has gone.
        """
        reply = self._begin(context, len(data), reservation)
        try:
            await context.write(data)
        except grpc.aio.InternalError:
            # gRPC cancels the call as soon as it has noticed.
            self._end(reply)
            return False
        except BaseException:
            if reply in self._replies:
                # gRPC still has the reply, and the call's status waits behind it.
                reply.reservation = reservation and reservation.hand_over()
                _when_ended(context, lambda: self._end(reply))
                self._time(reply, _ENDED_S)
            raise
        self._end(reply)
        return True

    def watched(self, context: Context, data: bytes) -> bytes:
        """Watch over a reply that gRPC sends when the call's handler returns it; return it."""
        reply = self._begin(context, len(data), None)
        _when_ended(context, lambda: self._end(reply))
        return data

    def make_room(self, caller: str, wanted_bytes: int, limit_bytes: int) -> bool:
        """Give up replies that their callers do not receive, to make room for another caller.

        A reply is given up only if its caller holds more than its share: the limit divided by the
        number of callers, the one who asks included.

        Args:
            caller: Who asks.
            wanted_bytes: How much room is wanted.
            limit_bytes: The limit of all replies together.

        Returns:
            Whether a reply was given up.
        """
        freed_bytes = 0
        while freed_bytes < wanted_bytes and (
            reply := self._oldest_of_largest(caller, limit_bytes)
        ):
            freed_bytes += self._give_up(reply.peer)
        return freed_bytes > 0

    def _oldest_of_largest(self, caller: str, limit_bytes: int) -> _Reply | None:
        held: Counter[str] = Counter()
        for reply in self._replies:
            held[reply.caller] += reply.size_bytes
        share_bytes = limit_bytes / len(held.keys() | {caller})
        largest, most_bytes = held.most_common(1)[0] if held else (caller, 0)
        if largest == caller or most_bytes <= share_bytes:
            return None
        theirs = [reply for reply in self._replies if reply.caller == largest]
        oldest = min(theirs, key=lambda reply: reply.since_s)
        return oldest if time.monotonic() - oldest.since_s >= _YOUNG_S else None

    def _begin(self, context: Context, size_bytes: int, reservation: Reservation | None) -> _Reply:
        peer, caller = context.peer(), caller_of(context).name
        reply = _Reply(peer, caller, size_bytes, time.monotonic(), reservation)
        self._replies.add(reply)
        self._time(reply, self._timeout_s + size_bytes / _LEAST_BYTES_PER_S)
        return reply

    def _time(self, reply: _Reply, timeout_s: float) -> None:
        if reply.timer:
            reply.timer.cancel()
        reply.timer = asyncio.get_running_loop().call_later(timeout_s, self._late, reply)

    def _late(self, reply: _Reply) -> None:
        self._time(reply, _AGAIN_S)
        self._give_up(reply.peer)

    def _give_up(self, peer: str) -> int:
        """Close a connection; return how many bytes of replies were on their way on it."""
        theirs = [reply for reply in self._replies if reply.peer == peer]
        size_bytes = sum(reply.size_bytes for reply in theirs)
        if not self._drop(peer):
            return 0
        self._on_dropped()
        log.warning(
            "closed the connection of %s, which did not take %d replies of %d bytes",
            *(peer, len(theirs), size_bytes),
        )
        for reply in theirs:
            self._end(reply)
        return size_bytes

    def _end(self, reply: _Reply) -> None:
        self._replies.discard(reply)
        if reply.timer:
            reply.timer.cancel()
        if reply.reservation is not None:
            reply.reservation.release()


def _when_ended(context: Context, work: Callable[[], None]) -> None:
    # gRPC's own type of the callback is not exported.
    cast("Any", context).add_done_callback(lambda _context: work())
