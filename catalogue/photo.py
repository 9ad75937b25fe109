"""One photo's way: read, render, write, and its row."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, cast

from catalogue.errors import StoppedError
from catalogue.gateways import Gateways
from catalogue.options import key, merged, parse_own
from catalogue.orders import FINAL, Answer, RenderFailedError
from catalogue.places import MOST_PHOTO_BYTES, Place
from catalogue.rows import Item, failed, row, succeeded
from packshot import Order, RenderOptions

T = TypeVar("T")

# So many outputs in a row that cannot be written end the job: the disk is full, or a right is gone.
_MOST_UNWRITTEN = 10


class PhotoRenderer:
    """Renders photos, each on its own.

    Args:
        gateways: Who renders.
        options: Of all photos.
        output: Where packshots go.
        job: Name of the job.
        threads: Where files are read and written.
        room: Most photos whose bytes are held.
    """

    def __init__(
        self,
        gateways: Gateways,
        options: RenderOptions,
        output: Place,
        job: str,
        threads: Executor,
        room: int,
    ) -> None:
        self._gateways = gateways
        self._options = options
        self._output = output
        self._job = job
        self._threads = threads
        self._room = asyncio.Semaphore(room)
        self._unwritten = 0

    async def render(self, item: Item) -> dict[str, Any] | None:
        """Render one photo.

        Returns:
            Its row; None if the job has stopped before the photo had an outcome.
        """
        async with self._room:
            if self._gateways.stopped:
                return None
            known: dict[str, Any] = {}
            try:
                outcome = await self._render(item, known)
            except StoppedError:
                return None
            return row(item, self._job, {**known, **outcome})

    async def _render(self, item: Item, known: dict[str, Any]) -> dict[str, Any]:
        """Render a photo; what is known in any case goes into `known`."""
        start_s = time.monotonic()
        try:
            photo, digest = await self._aside(lambda: _read(item.input))
        except FileNotFoundError:
            return failed("INPUT_MISSING", f"there is no {item.input}", may_pass=True)
        except (OSError, ValueError) as exc:
            return failed("INPUT_UNREADABLE", str(exc), may_pass=True)
        known |= {
            "read_s": time.monotonic() - start_s,
            "input_digest": digest,
            "input_bytes": len(photo),
        }
        if len(photo) > MOST_PHOTO_BYTES:
            text = f"the photo has more than {MOST_PHOTO_BYTES} bytes, the most that is read"
            return failed("PHOTO_LIMIT", text, may_pass=False)
        own = merged(self._options, parse_own(item.own))
        own["idempotency_key"] = key(item.work, digest)
        try:
            answer = await self._gateways.render(Order(photo, own))
        except RenderFailedError as exc:
            known |= _sent(exc.causes)
            error = exc.error
            reason = error.reason or error.code.name
            return failed(reason, str(error), may_pass=not isinstance(error, FINAL))
        return await self._write(item, answer, known)

    async def _write(self, item: Item, answer: Answer, known: dict[str, Any]) -> dict[str, Any]:
        start_s = time.monotonic()
        picture = answer.packshot.picture
        known |= {
            "service_s": answer.seconds,
            "target": answer.target,
            **_sent(answer.causes),
            **succeeded(answer.packshot),
        }
        try:
            digest = await self._aside(lambda: self._put(item.output, picture))
        except OSError as exc:
            self._unwritten += 1
            if self._unwritten >= _MOST_UNWRITTEN:
                self._gateways.stop(f"{self._unwritten} outputs in a row cannot be written: {exc}")
            return failed("OUTPUT_UNWRITABLE", str(exc), may_pass=True)
        self._unwritten = 0
        return {
            "output_digest": digest,
            "output_bytes": len(picture),
            "write_s": time.monotonic() - start_s,
        }

    def _put(self, name: str, picture: bytes) -> str:
        """Write a packshot; return its digest."""
        self._output.write(name, picture)
        return hashlib.sha256(picture).hexdigest()

    async def _aside(self, work: Callable[[], T]) -> T:
        return cast("T", await asyncio.get_running_loop().run_in_executor(self._threads, work))


def _read(uri: str) -> tuple[bytes, str]:
    """Read a photo, or one byte more of it than may be; return it and its digest."""
    photo = Place(uri).read("", MOST_PHOTO_BYTES + 1)
    return photo, hashlib.sha256(photo).hexdigest()


def _sent(causes: tuple[str, ...]) -> dict[str, Any]:
    return {"attempts": len(causes) + 1, "sent_again_for": list(causes)}
