"""Decoding in processes of its own: one may crash, hang or swell, and only its photo is lost."""

import signal
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, Self, TypeVar

from gateway.errors import DecodingUnavailableError
from gateway.rendering.decoding.answers import photo_of, preview_of, result_of, short_of, size_of
from gateway.rendering.decoding.parcels import (
    Parcel,
    ParcelError,
    SealedBytes,
    ShortageError,
    UnreadError,
)
from gateway.rendering.decoding.pool import WorkerPool
from gateway.rendering.decoding.reserve import DescriptorReserve
from gateway.rendering.decoding.worker_process import WorkerProcess, ending
from imaging.decode.decoder import check_as_opened, is_previewed
from imaging.decode.formats import PhotoFormat
from imaging.decode.limits import FIELD, PhotoLimits
from imaging.decode.photo import check_file
from imaging.errors import InvalidPhotoError, ReasonedError
from imaging.types import Photo
from processes.logs import LogFormat

T = TypeVar("T")

_BASE_BYTES: Final = 256 * 2**20
# The most that was seen is 34, for a turned AVIF or WebP with alpha and a colour profile.
_BYTES_PER_PIXEL: Final = 40
# Processor time for a header: those that pass all checks of what they claim take half of it.
_HEADER_CPU_S: Final = 2.0
_OVER_TIME: Final = {-signal.SIGPROF, -signal.SIGALRM}


class ProcessDecoder:
    """Decodes in worker processes.

    A photo's file is sealed in memory once. A worker reads its header there and is free again; the
    same or another one decodes it later.

    Args:
        workers: How many; as many photos are decoded at once, further callers wait.
        timeout_s: Seconds that one photo may take, on the clock and of processor time, and its
            header on the clock; the worker is then killed and replaced.
        limits: The most that photos will be allowed; sets the memory that a worker may take.
        on_loss: Called whenever a worker had to be replaced.
        log_format: How the workers log, by `logs`.
        on_change: Called, from any thread, when `hindrance` may have changed.
    """

    def __init__(
        self,
        workers: int,
        timeout_s: float,
        limits: PhotoLimits,
        on_loss: Callable[[], None],
        log_format: LogFormat = LogFormat.AUTO,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.timeout_s = timeout_s
        memory_bytes = _BASE_BYTES + 4 * limits.max_bytes + _BYTES_PER_PIXEL * limits.max_pixels
        self._reserve = DescriptorReserve()

        def spawn() -> WorkerProcess:
            with self._reserve.opened():
                return WorkerProcess(memory_bytes, timeout_s, log_format)

        self._pool = WorkerPool(workers, spawn, on_loss, on_change)

    def start(self) -> None:
        """Start the workers; they are ready some tenths of a second later."""
        self._pool.start()
        self._reserve.keep()

    def pids(self) -> tuple[int, ...]:
        """Return the process ids of the workers."""
        return self._pool.pids()

    def hindrance(self) -> str:
        """Say why nothing can be decoded at present; empty if something can."""
        return self._pool.hindrance()

    def abandon(self) -> None:
        """Kill the workers, whatever they do, without waiting for them."""
        self._pool.abandon()

    def close(self) -> None:
        """End all workers."""
        self._pool.close()
        self._reserve.free()

    def open(self, file: bytes, limits: PhotoLimits) -> "SealedPhoto":
        """Read a photo's header in a worker.

        Raises:
            InvalidPhotoError: Also where reading crashed, or took too long.
            PhotoLimitError: Also where it took too much memory.
            DecodingUnavailableError: There is no worker, or nothing to hand it the photo with.
        """
        photo_format = check_file(file, limits)
        try:
            with self._reserve.opened():
                sealed = SealedBytes([file])
        except ShortageError as exc:
            raise short_of(exc) from exc
        photo = SealedPhoto(self, sealed, len(file), limits, photo_format)
        try:
            photo.read_size()
        except BaseException:
            photo.close()
            raise
        return photo

    def ask(
        self,
        words: dict[str, Any],
        file: SealedBytes,
        file_bytes: int,
        read: Callable[[Parcel], T],
    ) -> T:
        """Have a worker do something with a file.

        Args:
            words: What.
            file: The file.
            file_bytes: Its length, for the log.
            read: Makes a result of the worker's answer, or raises `ParcelError` where it is none.

        Returns:
            The result.

        Raises:
            InvalidPhotoError: The worker died of it, or took too long.
            DecodingUnavailableError: As `open`.
        """
        killed = 0
        while True:
            worker = self._told(words, file)
            when = f"while it had a photo of {file_bytes} bytes"
            try:
                return self._answer(worker, read)
            except TimeoutError as exc:
                self._pool.lose(worker, f"{when}, over its time")
                raise self._late() from exc
            except UnreadError:
                # It has never read the request, so the photo is not to blame.
                self._pool.lose(worker, "before it read a photo")
            except ParcelError as exc:
                status = self._pool.lose(worker, when)
                if self._pool.is_closing:
                    raise DecodingUnavailableError("the service is about to stop") from exc
                if status == -signal.SIGKILL and not killed:
                    # No decoder does that: somebody else has ended it. A photo that a kernel short
                    # of memory ends two workers over is not tried on a third.
                    killed += 1
                    continue
                if status in _OVER_TIME:
                    raise self._late(float(words["cpu_s"])) from exc
                raise InvalidPhotoError(
                    f"the photo made its decoder fail: {ending(status)}", field=FIELD
                ) from exc

    def _answer(self, worker: WorkerProcess, read: Callable[[Parcel], T]) -> T:
        """Await a worker's answer and give the worker back; it is the caller's to lose."""
        try:
            worker.await_answer(self.timeout_s)
            with self._reserve.opened():
                parcel = worker.answer()
            result = result_of(parcel, read)
        except ShortageError as exc:
            self._pool.give(worker)
            raise short_of(exc) from exc
        except ReasonedError:
            self._pool.give(worker)
            raise
        except (TimeoutError, ParcelError):
            raise
        except BaseException:
            self._pool.lose(worker, "after an error of the gateway's own")
            raise
        self._pool.give(worker)
        return result

    def _told(self, words: dict[str, Any], file: SealedBytes) -> WorkerProcess:
        """Find a worker that takes the file."""
        while True:
            worker = self._pool.take()
            try:
                worker.tell(words, file, self.timeout_s)
            except ShortageError as exc:
                self._pool.give(worker)
                raise short_of(exc) from exc
            except (ParcelError, TimeoutError):
                # It has never had the photo, which is no reason to refuse it.
                self._pool.lose(worker, "before it was given a photo")
            except BaseException:
                self._pool.lose(worker, "before it was given a photo")
                raise
            else:
                return worker

    def _late(self, cpu_s: float | None = None) -> InvalidPhotoError:
        limit_s = self.timeout_s if cpu_s is None else cpu_s
        what = "" if cpu_s is None else " of processor time"
        return InvalidPhotoError(
            f"the photo could not be decoded within {limit_s:g} s{what}",
            field=FIELD,
            figures={"limit_s": limit_s},
        )


class SealedPhoto:
    """A photo in sealed memory, for the workers of a decoder."""

    def __init__(
        self,
        decoder: ProcessDecoder,
        sealed: SealedBytes,
        file_bytes: int,
        limits: PhotoLimits,
        photo_format: PhotoFormat,
    ) -> None:
        self._decoder = decoder
        self._sealed = sealed
        self._file_bytes = file_bytes
        self._limits = limits
        self._format = photo_format
        self.width_px = self.height_px = 0

    def read_size(self) -> None:
        """Have its header read, and set its width and height."""
        self.width_px, self.height_px = self._ask(
            {"ask": "size", "cpu_s": min(self._decoder.timeout_s, _HEADER_CPU_S)},
            lambda parcel: size_of(parcel.words, self._limits),
        )

    def is_previewed(self, width_px: int, height_px: int) -> bool:
        """Tell whether a preview of at least a size is worth asking for."""
        return is_previewed(self._format, (self.width_px, self.height_px), (width_px, height_px))

    def preview(self, width_px: int, height_px: int) -> Photo | None:
        """Decode it in a worker to at least a size; errors are those of `ProcessDecoder.open`."""
        size = {"width_px": width_px, "height_px": height_px}
        return self._ask(
            {"ask": "preview", **size, "cpu_s": self._decoder.timeout_s},
            lambda parcel: preview_of(parcel, self._limits),
        )

    def decode(self, *, keep_metadata: bool = False) -> Photo:
        """Decode it in a worker; errors are those of `ProcessDecoder.open`."""
        photo = self._ask(
            {"ask": "photo", "keep_metadata": keep_metadata, "cpu_s": self._decoder.timeout_s},
            lambda parcel: photo_of(parcel, self._limits),
        )
        check_as_opened(self, photo)
        return photo

    def close(self) -> None:
        """Let go of its file."""
        self._sealed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _ask(self, words: dict[str, Any], read: Callable[[Parcel], T]) -> T:
        words |= {"limits": asdict(self._limits)}
        return self._decoder.ask(words, self._sealed, self._file_bytes, read)
