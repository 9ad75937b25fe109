"""Decoding in processes of its own: one may crash, hang or swell, and only its photo is lost."""

import logging
import os
import queue
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from gateway.decoding.parcels import Parcel, ParcelError, receive, send
from gateway.errors import InvalidPhotoError, InvalidRequestError, PhotoLimitError
from gateway.pipeline.arrays import Photo
from gateway.pipeline.limits import FIELD, PhotoLimits
from logs import LogFormat

log = logging.getLogger(__name__)

_START_S: Final = 60.0
_STOP_S: Final = 2.0
_BASE_BYTES: Final = 256 * 2**20
# The most that was seen is 34, for a turned AVIF or WebP with alpha and a colour profile.
_BYTES_PER_PIXEL: Final = 40
_ERRORS: Final[dict[str, type[InvalidRequestError]]] = {
    cls.reason: cls for cls in (InvalidPhotoError, PhotoLimitError)
}


class ProcessDecoder:
    """Decodes in worker processes.

    Args:
        workers: How many; as many photos are decoded at once, further callers wait.
        timeout_s: Seconds that one photo may take; the worker is then killed and replaced.
        limits: The most that photos will be allowed; sets the memory that a worker may take.
        on_loss: Called whenever a worker had to be replaced.
        log_format: How the workers log, by `logs`.
    """

    def __init__(
        self,
        workers: int,
        timeout_s: float,
        limits: PhotoLimits,
        on_loss: Callable[[], None],
        log_format: LogFormat = LogFormat.AUTO,
    ) -> None:
        self._log_format = log_format
        self._timeout_s = timeout_s
        self._max_memory_bytes = (
            _BASE_BYTES + 4 * limits.max_bytes + _BYTES_PER_PIXEL * limits.max_pixels
        )
        self._on_loss = on_loss
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self._workers = workers
        self._live: set[_Worker] = set()

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the workers."""
        return tuple(worker.pid for worker in tuple(self._live))

    def start(self) -> None:
        """Start the workers; they are ready some tenths of a second later."""
        for _ in range(self._workers):
            self._idle.put(self._new())

    def decode(self, file: bytes, limits: PhotoLimits, *, keep_metadata: bool = False) -> Photo:
        """Decode a photo in a worker, as `decode_photo` does.

        Raises:
            InvalidPhotoError: Also where the photo's decoder crashed, or took too long.
            PhotoLimitError: Also where it took too much memory.
        """
        worker = self._ready()
        try:
            parcel = worker.ask(
                {"limits": asdict(limits), "keep_metadata": keep_metadata}, file, self._timeout_s
            )
            photo = _photo(parcel, limits)
        except InvalidRequestError:
            self._idle.put(worker)
            raise
        except BaseException as exc:
            how = self._kill(worker)
            self._replaced(f"while it decoded a photo of {len(file)} bytes: {exc or how}")
            if isinstance(exc, TimeoutError):
                raise InvalidPhotoError(
                    f"the photo could not be decoded within {self._timeout_s:g} s",
                    field=FIELD,
                    figures={"limit_s": self._timeout_s},
                ) from exc
            if isinstance(exc, ParcelError):
                raise InvalidPhotoError(
                    f"the photo made its decoder fail: {how}", field=FIELD
                ) from exc
            raise
        self._idle.put(worker)
        return photo

    def close(self) -> None:
        """End all workers; none may be at work."""
        for _ in range(self._workers):
            self._idle.get().close()

    def _ready(self) -> "_Worker":
        """Wait for a worker that lives: one may have been killed while it had nothing to do."""
        while True:
            worker = self._idle.get()
            try:
                worker.await_start()
            except (ParcelError, TimeoutError):
                self._replaced(f"while it waited: {self._kill(worker)}")
            except BaseException:
                self._idle.put(worker)
                raise
            else:
                return worker

    def _replaced(self, why: str) -> None:
        log.warning("a decode worker is replaced; the last one ended %s", why)
        self._on_loss()
        self._idle.put(self._new())

    def _new(self) -> "_Worker":
        worker = _Worker(self._max_memory_bytes, self._timeout_s, self._log_format)
        self._live.add(worker)
        return worker

    def _kill(self, worker: "_Worker") -> str:
        self._live.discard(worker)
        return worker.kill()


class _Worker:
    """One worker process; used by one thread at a time."""

    def __init__(self, max_memory_bytes: int, timeout_s: float, log_format: LogFormat) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = (str(theirs.fileno()), str(max_memory_bytes), str(timeout_s), log_format)
        with theirs:
            # Without the gateway's environment: it holds secrets, and photos are strangers' files.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway.decoding.worker", *arguments],
                env={
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                    "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", ""),
                },
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._started = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def await_start(self) -> None:
        """Wait until it can take a photo; raise `ParcelError` if it has ended."""
        if not self._started:
            self._socket.settimeout(_START_S)
            receive(self._socket)
            self._started = True
        if self._process.poll() is not None:
            raise ParcelError("it has ended")

    def ask(self, words: dict[str, Any], file: bytes, timeout_s: float) -> Parcel:
        self._socket.settimeout(timeout_s)
        send(self._socket, words, [file])
        return receive(self._socket)

    def kill(self) -> str:
        """Kill it if it lives, and tell how it ended."""
        self._socket.close()
        try:
            # A worker that crashed closes its socket a moment before it has ended.
            code = self._process.wait(0.1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"

    def close(self) -> None:
        """Tell it that there is nothing more to do, and wait for it to end."""
        self._socket.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _photo(parcel: Parcel, limits: PhotoLimits) -> Photo:
    """Return the photo of a worker's answer, whose every figure is checked, or raise its error."""
    words, content = parcel.words, parcel.content
    try:
        if "reason" in words:
            raise _ERRORS[words["reason"]](
                str(words["message"]), field=FIELD, figures=dict(words["figures"])
            )
        width_px, height_px = int(words["width_px"]), int(words["height_px"])
        notes = tuple(map(str, words["notes"]))
        has_alpha = bool(words["alpha"])
    except (KeyError, TypeError, ValueError) as exc:
        raise ParcelError(f"its answer is none: {exc!r}") from exc
    pixels = width_px * height_px
    rgb_bytes = 3 * pixels
    alpha_bytes = pixels if has_alpha else 0
    fits = 0 < pixels <= limits.max_pixels and width_px > 0
    if not fits or len(content) < rgb_bytes + alpha_bytes:
        raise ParcelError(f"its answer of {len(content)} bytes is no photo of {pixels} pixels")
    alpha = None
    if has_alpha:
        alpha = np.frombuffer(content, np.uint8, alpha_bytes, rgb_bytes)
        alpha = alpha.reshape(height_px, width_px)
    return Photo(
        rgb=np.frombuffer(content, np.uint8, rgb_bytes).reshape(height_px, width_px, 3),
        alpha=alpha,
        metadata=bytes(content[rgb_bytes + alpha_bytes :]),
        notes=notes,
    )
