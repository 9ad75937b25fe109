"""The requests of the soak, and the count in which each must end exactly once."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.load.photos import scaled_photo
from packshot import AsyncClient, PackshotError

_MEGAPIXELS = (0.2, 1, 2, 4, 8, 12)
_BAD_SHARE = 0.05
_CANCELLED_SHARE = 0.05
_TIMEOUT_S = 30.0
_PAUSE_S = 0.2

# What good requests ask for, each as often as the others.
_OPTIONS: tuple[Mapping[str, Any], ...] = (
    {},
    {"background": "transparent"},
    {"background": "#336699", "format": "webp"},
    {"format": "png"},
    {"preset": "amazon-main"},
)

# What may become of a request while Triton comes and goes.
GOOD_ENDS = frozenset({"OK", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})
BAD_ENDS = frozenset({"INVALID_ARGUMENT", "UNAVAILABLE", "RESOURCE_EXHAUSTED"})


@dataclass(frozen=True, slots=True)
class Shot:
    """One request of the mix."""

    kind: str  # good, bad or cancelled
    photo: bytes  # the file
    options: Mapping[str, Any]  # what is asked for
    cancel_after_s: float | None = None  # when its caller goes away; None: never

    @property
    def ends(self) -> frozenset[str]:
        """The statuses that it may end in."""
        match self.kind:
            case "bad":
                return BAD_ENDS
            case "cancelled":
                return GOOD_ENDS | {"CANCELLED"}
            case _:
                return GOOD_ENDS


class Mix:
    """Draws requests.

    Args:
        samples: Photos of products, from which those of all sizes are made.
        seed: Of the draw.
    """

    def __init__(self, samples: list[Path], seed: int) -> None:
        # Nothing here is a secret.
        self._random = random.Random(seed)  # noqa: S311
        self._good = [
            scaled_photo(samples[number % len(samples)], megapixels)
            for number, megapixels in enumerate(_MEGAPIXELS)
        ]
        first = self._good[0]
        self._bad = [b"no photo", first[: len(first) // 2], b"\xff\xd8\xff" + bytes(5000)]

    def draw(self) -> Shot:
        """Draw a request."""
        photo, options = self._random.choice(self._good), self._random.choice(_OPTIONS)
        kind = self._random.random()
        if kind < _BAD_SHARE:
            return Shot("bad", self._random.choice(self._bad), options)
        if kind < _BAD_SHARE + _CANCELLED_SHARE:
            return Shot("cancelled", photo, options, self._random.uniform(0.01, 0.3))
        return Shot("good", photo, options)


@dataclass
class Ledger:
    """Every request and what became of it."""

    sent: Counter[str] = field(default_factory=Counter)  # requests sent, by kind
    # Requests ended, by kind and status
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Ends that no request of that kind may have
    wrong: Counter[str] = field(default_factory=Counter)

    def end(self, shot: Shot, status: str, message: str = "") -> None:
        """Count how a request ended."""
        self.ended[shot.kind, status] += 1
        if status not in shot.ends:
            self.wrong[f"a {shot.kind} request ended in {status} {message}".rstrip()] += 1


async def load(
    target: str, mix: Mix, ledger: Ledger, concurrency: int, is_over: Callable[[], bool]
) -> None:
    """Send requests, so many at a time, until it is over; returns once each has ended."""

    async def keep_asking(client: AsyncClient) -> None:
        while not is_over():
            shot = mix.draw()
            ledger.sent[shot.kind] += 1
            status, message = await _end_of(client, shot)
            ledger.end(shot, status, message)
            if status == "UNAVAILABLE":
                await asyncio.sleep(_PAUSE_S)

    async with AsyncClient(target, timeout_s=_TIMEOUT_S, retries=False) as client:
        await asyncio.gather(*(keep_asking(client) for _ in range(concurrency)))


async def _end_of(client: AsyncClient, shot: Shot) -> tuple[str, str]:
    call = asyncio.ensure_future(client.render(shot.photo, **shot.options))
    if shot.cancel_after_s is not None:
        await asyncio.wait([call], timeout=shot.cancel_after_s)
        call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        try:
            await call
        except PackshotError as error:
            if error.reason == "NO_FOREGROUND":  # an answer as well
                return "OK", ""
            return error.code.name, str(error)
        return "OK", ""
    return "CANCELLED", ""
