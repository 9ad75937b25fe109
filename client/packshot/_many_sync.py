"""Many photos over one call, for the blocking client: threads that feed, send and receive."""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, NamedTuple

import grpc

from packshot._errors import PackshotError, UnavailableError
from packshot._many import Again, Book, Event, Fed, Order, Rendered, Unsent, check_several
from packshot._options import Photo, RenderOptions
from packshot._retry import Attempts
from packshot.v1 import packshot_pb2 as pb


class _Outbox:
    """The names of the photos to send, for one call at a time."""

    def __init__(self) -> None:
        self._names: deque[str] = deque()
        self._taken: list[str] = []
        self._call = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, name: str) -> None:
        """Have a photo sent."""
        with self._changed:
            self._names.append(name)
            self._changed.notify_all()

    def settle(self, name: str) -> None:
        """Forget a photo that was taken."""
        with self._changed:
            self._taken.remove(name)

    def take(self, call: int) -> str | None:
        """Wait for a photo to send; None: the call sends no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._names or self._closed or self._call != call)
            if self._closed or self._call != call:
                return None
            self._taken.append(self._names.popleft())
            return self._taken[-1]

    def next_call(self) -> int:
        """Begin with a new call, to which all photos belong that were taken and not settled."""
        with self._changed:
            self._call += 1
            self._names.extendleft(reversed(self._taken))
            self._taken.clear()
            self._changed.notify_all()
            return self._call

    def close(self) -> None:
        """Have nothing more sent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class _Ended(NamedTuple):
    """The call has ended; with an error, or because all was answered."""

    error: grpc.RpcError | None


def stream(
    start: Callable[..., Any],
    photos: Iterable[Photo | Order],
    options: RenderOptions,
    window: int,
    attempts: Attempts,
    typed: Callable[[grpc.RpcError], PackshotError],
) -> Iterator[Rendered]:
    """Send photos, at most a window of them ahead of their outcomes, and yield what comes back.

    Args:
        start: The stub's method.
        photos: Read by a thread, one by one.
        options: Of every photo.
        window: Most photos under way.
        attempts: Of the call.
        typed: Translates an error of the call.

    Raises:
        PackshotError: The call itself failed.
        OSError: A photo cannot be read; those before it have been answered.
        TypeError: There is no such option, or a photo is none.
        ValueError: As `Client.render`.
        Exception: What `photos` raises, once those before have been answered.
    """
    check_several(photos)
    work = _Stream(Book(options, window, attempts), start, window)
    threading.Thread(target=work.feed, args=(photos,), name="packshot-photos", daemon=True).start()
    try:
        while True:
            work.call(attempts.left_s)
            ended = yield from work.outcomes()
            if ended is None:
                break
            error = typed(ended)
            if work.book.over and isinstance(error, UnavailableError):
                break  # nobody waits for anything more
            time.sleep(attempts.pause_s(error))
    finally:
        work.cancel()
    work.book.close()


class _Stream:
    """One stream and its threads: one feeds, gRPC's own sends, one receives."""

    def __init__(self, book: Book, start: Callable[..., Any], window: int) -> None:
        self.book = book
        self._start = start
        self._room = threading.Semaphore(window)
        self._outbox = _Outbox()
        self._inbox: SimpleQueue[Event | _Ended] = SimpleQueue()
        self._cancelled = threading.Event()
        self._timers: set[threading.Timer] = set()
        self._running: Any = None

    def feed(self, photos: Iterable[Photo | Order]) -> None:
        """Admit the photos as room comes free."""
        error: Exception | None = None
        try:
            for photo in photos:
                self._room.acquire()
                if self._cancelled.is_set() or self.book.fed:
                    break
                self._outbox.put(self.book.admit(photo))
        except Exception as exc:  # noqa: BLE001  raised where the caller waits
            error = exc
        self._inbox.put(Fed(error))

    def call(self, timeout_s: float | None) -> None:
        """Begin a call, with the photos that the last one left unanswered."""
        number = self._outbox.next_call()
        begun: Future[Any] = Future()
        self._running = self._start(self._requests(number, begun), timeout=timeout_s)
        begun.set_result(self._running)
        threading.Thread(
            target=self._receive, args=(self._running,), name="packshot-replies", daemon=True
        ).start()

    def outcomes(self) -> Generator[Rendered, None, grpc.RpcError | None]:
        """Yield what becomes of the photos; return the error that the call ended with, if any."""
        while True:
            if self.book.over:
                self._outbox.close()
            event = self._inbox.get()
            if isinstance(event, _Ended):
                return event.error
            if isinstance(event, pb.RenderStreamResponse):
                self._outbox.settle(event.id)
            elif isinstance(event, Unsent):
                self._outbox.settle(event.name)
            outcome = self.book.take(event)
            if isinstance(outcome, Again):
                self._send_again(outcome)
            elif not isinstance(event, Fed):
                self._room.release()
            if isinstance(outcome, Rendered):
                yield outcome

    def cancel(self) -> None:
        """End everything; what has not begun never does."""
        self._cancelled.set()
        self._room.release()
        self._outbox.close()
        for timer in self._timers:
            timer.cancel()
        if self._running:
            self._running.cancel()

    def _requests(self, number: int, begun: "Future[Any]") -> Iterator[pb.RenderStreamRequest]:
        """Give gRPC's thread what to send."""
        # The service begins its answer at once, and says how large a message may be.
        self.book.open(begun.result().initial_metadata())
        while (name := self._outbox.take(number)) is not None:
            message = self.book.request(name)
            if isinstance(message, Unsent):
                self._inbox.put(message)
            else:
                yield message

    def _receive(self, call: Any) -> None:
        error = None
        try:
            for response in call:
                self._inbox.put(response)
        except grpc.RpcError as exc:
            error = exc
        self._inbox.put(_Ended(error))

    def _send_again(self, again: Again) -> None:
        timer = threading.Timer(again.pause_s, self._outbox.put, (again.name,))
        timer.daemon = True
        self._timers = {timer for timer in self._timers if timer.is_alive()} | {timer}
        timer.start()
