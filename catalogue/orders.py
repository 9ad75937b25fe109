"""What is known of a photo on its way to the gateways, and of them."""

from asyncio import Future  # noqa: TC003  read with the class
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import grpc

from packshot import (
    InvalidRequestError,
    ModelNotFoundError,
    NoForegroundError,
    Order,
    OutOfCreditsError,
    Packshot,
    PackshotError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)

# What the photo itself is the cause of.
FINAL: Final = (InvalidRequestError, NoForegroundError, ModelNotFoundError)
# What no photo gets past.
STOPS: Final = (UnauthenticatedError, OutOfCreditsError, UnsupportedError)


@dataclass(frozen=True, slots=True)
class Connection:
    """How the gateways are reached.

    Attributes:
        targets: Their addresses, HOST:PORT each.
        security: TLS and the API key, the same for all.
        window: Most photos in flight at each.
        patience_s: Seconds without any answer after which the job stops.
        silence_s: Seconds without an answer after which a stream with photos in flight is begun
            anew.
    """

    targets: tuple[str, ...]
    security: Mapping[str, Any] = field(default_factory=dict)
    window: int = 16
    patience_s: float = 900.0
    silence_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway answered.

    Attributes:
        packshot: The packshot.
        target: The gateway.
        causes: Why it was sent again, once for each time.
        seconds: From handing the photo over to the answer, waiting included.
    """

    packshot: Packshot
    target: str
    causes: tuple[str, ...]
    seconds: float


class RenderFailedError(Exception):
    """A photo has no packshot.

    Attributes:
        error: Why.
        causes: Why it was sent again, once for each time.
    """

    def __init__(self, error: PackshotError, causes: tuple[str, ...]) -> None:
        super().__init__(str(error))
        self.error = error
        self.causes = causes


@dataclass(slots=True)
class Photo:
    """A photo on its way.

    Attributes:
        order: The photo and its options.
        answer: Set once it has a packshot, or none for good.
        start_s: When it was handed over, by the monotonic clock.
        causes: Why it was sent again, once for each time.
        failures: Failures of its own.
        breaks: Streams that broke off under it.
        answers_at_failure: How many photos had been answered at its last failure. A failure beside
            others, with no answer since the one before, is the service's and does not count.
    """

    order: Order
    answer: "Future[Answer]"
    start_s: float
    causes: list[str] = field(default_factory=list)
    failures: int = 0
    breaks: int = 0
    answers_at_failure: int = -1

    @property
    def attempts(self) -> int:
        """How often it was sent, once it has been."""
        return len(self.causes) + 1


def silent(target: str, seconds: float) -> UnavailableError:
    """Build the error of a gateway that says nothing for so long, or, with 0, that ended a call."""
    return UnavailableError(
        f"{target} has not answered for {seconds:g} s" if seconds else f"{target} ended the stream",
        code=grpc.StatusCode.UNAVAILABLE,
        reason="SILENT",
    )
