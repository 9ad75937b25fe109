"""Many photos over one call: what both clients share of `RenderStream`.

A client admits photos to the `Book` as room comes free and sends their requests. It leads all that
happens through `Book.take`, which says what to do about it.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import grpc

from packshot._answer import Packshot, from_response
from packshot._errors import InvalidRequestError, PackshotError, ServiceError, from_rpc_error
from packshot._options import Photo, RenderOptions
from packshot._photo import photo_bytes
from packshot._request import to_template
from packshot._retry import Attempts
from packshot.v1 import packshot_pb2 as pb

DEFAULT_WINDOW = 16
# The stream's initial metadata tell under this key how many bytes a message may have.
LIMIT_KEY = "packshot-max-message-bytes"

_CODES = {code.value[0]: code for code in grpc.StatusCode}
# What a message holds beside photo and options: id, key, tags and lengths.
_FRAMING_BYTES = 128


@dataclass(frozen=True, slots=True)
class Order:
    """One photo of many with options of its own.

    Attributes:
        photo: The photo.
        options: What differs from the options of the call. An `idempotency_key` in them is used as
            it is.
    """

    photo: Photo
    options: RenderOptions = field(default_factory=RenderOptions)


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of one photo of many.

    Attributes:
        index: Which one it was, from 0, in the order that they were given in.
        photo: The photo as it was given, an `Order`'s without its options.
        packshot: The packshot; None if there is none.
        error: Why there is none, as `render` would have raised it; None if there is one.
    """

    index: int
    photo: Photo
    packshot: Packshot | None
    error: PackshotError | None


@dataclass(frozen=True, slots=True)
class Again:
    """A photo is to be sent again.

    Attributes:
        name: The photo's.
        pause_s: Seconds until then.
    """

    name: str
    pause_s: float


@dataclass(frozen=True, slots=True)
class Fed:
    """The input has ended.

    Attributes:
        error: Of the input; None if it simply ended.
    """

    error: Exception | None


@dataclass(frozen=True, slots=True)
class Unsent:
    """A photo cannot be sent.

    Attributes:
        name: The photo's.
        error: Why.
    """

    name: str
    error: Exception


Event: TypeAlias = pb.RenderStreamResponse | Fed | Unsent


@dataclass(slots=True)
class _Entry:
    photo: Photo
    source: Photo
    template: pb.RenderRequest
    key: str
    attempts: Attempts
    sent: bool = False


def check_several(photos: object) -> None:
    """Refuse one photo where several are taken: its letters, bytes or lines are no photos.

    Raises:
        TypeError: It is one photo.
    """
    if isinstance(photos, str | bytes | bytearray | memoryview) or hasattr(photos, "read"):
        raise TypeError(
            f"photos is one photo, {type(photos).__name__}; allowed: several, such as a list"
        )


class Book:
    """The photos that are under way.

    Args:
        options: Of every photo.
        window: Most photos under way.
        attempts: Of the call.

    Raises:
        OSError: The background picture cannot be read.
        TypeError: There is no such option.
        ValueError: As `Client.render`, or there is no room for any photo.
    """

    def __init__(self, options: RenderOptions, window: int, attempts: Attempts) -> None:
        if window < 1:
            raise ValueError(f"window is {window}; allowed: 1 or more photos")
        self._options = options
        self._template = to_template(options)
        # A photo that is sent again is charged once.
        self._key = self._template.idempotency_key or (uuid.uuid4().hex if attempts.repeat else "")
        self._attempts = attempts
        self._entries: dict[str, _Entry] = {}
        self._count = 0
        self._most_bytes: int | None = None
        self._fed = False
        self._input_error: Exception | None = None
        self._unreadable: Exception | None = None  # of a photo; none after it is sent

    @property
    def over(self) -> bool:
        """Whether every photo has its outcome, and none will come."""
        return self.fed and not self._entries

    @property
    def fed(self) -> bool:
        """Whether no further photo is taken: the input has ended, or a photo could not be read."""
        return self._fed or self._unreadable is not None

    def admit(self, order: Photo | Order) -> str:
        """Enter a photo, and name it.

        Raises:
            OSError: It is an open file that cannot be read, or a file that its options name.
            TypeError: It is no photo, or it has an option that there is not.
            ValueError: As `Client.render`, of its own options.
        """
        own = order.options if isinstance(order, Order) else None
        photo = order.photo if isinstance(order, Order) else order
        template = to_template({**self._options, **own}) if own else self._template
        source = photo
        if hasattr(photo, "read"):
            source = photo_bytes(photo)  # a file can be read once, and may have to be sent again
        name = str(self._count)
        self._count += 1
        key = (own or {}).get("idempotency_key") or (self._key and f"{self._key}-{name}")
        self._entries[name] = _Entry(photo, source, template, key, self._attempts.another())
        return name

    def open(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> None:
        """Read how large a message may be from the metadata that the call began with."""
        limit = dict(metadata or ()).get(LIMIT_KEY)
        if isinstance(limit, str) and limit.isdecimal():
            self._most_bytes = int(limit)

    def request(self, name: str) -> pb.RenderStreamRequest | Unsent:
        """Build a photo's message, unless one before it could not be read."""
        entry = self._entries[name]
        if self._unreadable and not entry.sent:
            return Unsent(name, self._unreadable)
        try:
            source = entry.source
            if self._most_bytes is None:
                photo = photo_bytes(source)
            else:
                room = self._most_bytes - entry.template.ByteSize() - _FRAMING_BYTES
                photo = photo_bytes(source, max(0, room))
        except InvalidRequestError as exc:
            return Unsent(name, exc)
        except Exception as exc:  # noqa: BLE001  who sends has no use for it, the caller has
            self._unreadable = exc
            return Unsent(name, exc)
        entry.sent = True
        message = pb.RenderStreamRequest(id=name, request=entry.template)
        message.request.photo = photo
        message.request.idempotency_key = entry.key
        return message

    def take(self, event: Event) -> Rendered | Again | None:
        """Take what has happened.

        Returns:
            What became of a photo, or that it is to be sent again; None: nothing to tell.
        """
        match event:
            case Fed(error):
                self._fed = True
                self._input_error = error
            case Unsent(name, InvalidRequestError() as error):
                return self._finish(name, None, error)
            case Unsent(name):
                del self._entries[name]
            case _:
                return self._answer(event)
        return None

    def close(self) -> None:
        """Raise what kept a photo from being sent, or say that some have no answer.

        Raises:
            ServiceError: The service ended the stream too early.
        """
        if failure := self._unreadable or self._input_error:
            raise failure
        if self._entries:
            raise ServiceError(
                f"the service ended the stream with {len(self._entries)} photos unanswered",
                code=grpc.StatusCode.UNKNOWN,
            )

    def _answer(self, response: pb.RenderStreamResponse) -> Rendered | Again:
        self._attempts.succeeded()
        if not response.HasField("error"):
            return self._finish(response.id, from_response(response.response), None)
        status = response.error
        error = from_rpc_error(
            _CODES.get(status.code, grpc.StatusCode.UNKNOWN),
            status.message,
            {"grpc-status-details-bin": status.SerializeToString()},
        )
        try:
            pause_s = self._entries[response.id].attempts.pause_s(error)
        except PackshotError:
            return self._finish(response.id, None, error)
        return Again(response.id, pause_s)

    def _finish(
        self, name: str, packshot: Packshot | None, error: PackshotError | None
    ) -> Rendered:
        return Rendered(int(name), self._entries.pop(name).photo, packshot, error)
