"""Replies on their way: each has a time to be taken, and gives way where its room is wanted.

gRPC keeps a reply until its caller has let all of it come, which may be never. How far it has come
is not to be seen; so the time goes by its size. When it is up, the caller's connection is closed.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

import grpc.aio

from gateway.admission.caller import caller_of

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]

# What a caller must take on average, at least, once the time for any reply is up.
_LEAST_BYTES_PER_S: Final = 2**20
# A reply that is younger is on its way, however much is wanted of its room.
_YOUNG_S: Final = 1.0
# For a reply whose call has been ended from this side before it was taken.
_ENDED_S: Final = 2.0
# The connection may not be found at once, as while there are no descriptors.
_AGAIN_S: Final = 5.0


@dataclass(eq=False, slots=True)
class _Reply:
    peer: str
    caller: str
    size_bytes: int
    since_s: float
    release: Callable[[], None]
    timer: asyncio.TimerHandle | None = field(default=None)


class Outbox:
    """The replies on their way.

    Not safe to share between threads: all of it happens on the event loop.

    Args:
        timeout_s: Seconds for a reply to be taken, and one more for each MiB.
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
        self._releases: dict[Context, Callable[[], None]] = {}

    def release_when_sent(self, context: Context, release: Callable[[], None]) -> None:
        """Have something given back once the reply of a call has left, or has been given up."""

        def ended() -> None:
            self._releases.pop(context, None)
            release()

        self._releases[context] = release
        # gRPC ends the context when the reply has left, however slowly it is taken.
        _when_ended(context, ended)

    def send_last(self, context: Context, size_bytes: int) -> None:
        """Watch over a call's only reply, which gRPC sends once the handler has returned."""
        reply = self._begin(context, size_bytes, self._releases.get(context, _nothing))
        _when_ended(context, lambda: self._end(reply))

    @contextmanager
    def sending(self, context: Context, size_bytes: int) -> Iterator[None]:
        """Send one of a call's replies in a block, which holds what the reply does."""
        reply = self._begin(context, size_bytes, _nothing)
        try:
            yield
        except BaseException:
            # gRPC has the reply still, and the call's status waits behind it.
            _when_ended(context, lambda: self._end(reply))
            self._time(reply, _ENDED_S)
            raise
        self._end(reply)

    def make_room(self, caller: str, wanted_bytes: int, limit_bytes: int) -> bool:
        """Give up replies that nobody takes, so that others can have their room.

        Only replies of callers who hold more than the limit divided by the number of callers here,
        the one who asks included, are given up.

        Args:
            caller: Who asks.
            wanted_bytes: How much is wanted.
            limit_bytes: What all may hold together.

        Returns:
            Whether anything was given up.
        """
        freed_bytes = 0
        while freed_bytes < wanted_bytes and (reply := self._greediest(caller, limit_bytes)):
            freed_bytes += self._give_up(reply.peer)
        return freed_bytes > 0

    def _greediest(self, caller: str, limit_bytes: int) -> _Reply | None:
        held: Counter[str] = Counter()
        for reply in self._replies:
            held[reply.caller] += reply.size_bytes
        share_bytes = limit_bytes / len(held.keys() | {caller})
        greedy, most_bytes = held.most_common(1)[0] if held else (caller, 0)
        if greedy == caller or most_bytes <= share_bytes:
            return None
        theirs = [reply for reply in self._replies if reply.caller == greedy]
        oldest = min(theirs, key=lambda reply: reply.since_s)
        return oldest if time.monotonic() - oldest.since_s >= _YOUNG_S else None

    def _begin(self, context: Context, size_bytes: int, release: Callable[[], None]) -> _Reply:
        peer, caller = context.peer(), caller_of(context).name
        reply = _Reply(peer, caller, size_bytes, time.monotonic(), release)
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
            reply.release()
        return size_bytes

    def _end(self, reply: _Reply) -> None:
        self._replies.discard(reply)
        if reply.timer:
            reply.timer.cancel()


def _when_ended(context: Context, work: Callable[[], None]) -> None:
    # gRPC's own types ask for a callback of a sort that they do not export.
    cast("Any", context).add_done_callback(lambda _context: work())


def _nothing() -> None:
    pass
