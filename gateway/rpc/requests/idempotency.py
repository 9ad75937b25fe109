"""Idempotency keys: what makes a request that comes again known as the same."""

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import Message

from imaging.errors import InvalidOptionError
from packshot.v1 import packshot_pb2 as pb

_FIELD: Final = "idempotency_key"
_MAX_LENGTH: Final = 128
_FORM: Final = re.compile(r"[\x21-\x7e]+")


def read_idempotency_key(request: pb.RenderRequest) -> str:
    """Return a request's idempotency key; empty: it has none.

    Raises:
        InvalidOptionError: It is too long, or holds more than visible ASCII characters.
    """
    key = request.idempotency_key
    if len(key) > _MAX_LENGTH:
        raise InvalidOptionError(
            f"{_FIELD} has {len(key)} characters; the limit is {_MAX_LENGTH}",
            field=_FIELD,
            figures={"limit": _MAX_LENGTH, "value": len(key)},
        )
    if key and not _FORM.fullmatch(key):
        raise InvalidOptionError(
            f"{_FIELD} may hold visible ASCII characters only, without spaces", field=_FIELD
        )
    return key


def request_digest(request: pb.RenderRequest) -> bytes:
    """Return the SHA-256 of what a request asks for: every field that is set, save its key.

    It is taken of the fields and not of the message's bytes, of which the same request may have
    several forms, and which would be one more copy of the photo.
    """
    digest = hashlib.sha256()
    _feed(digest.update, request)
    return digest.digest()


def _feed(update: Callable[[bytes], None], message: Message) -> None:
    for field, value in message.ListFields():
        if field.name == _FIELD:
            continue
        values = value if field.is_repeated else (value,)
        update(b"%d*%d{" % (field.number, len(values)))
        for each in values:
            _feed_one(update, each)
        update(b"}")


def _feed_one(update: Callable[[bytes], None], value: Any) -> None:
    if isinstance(value, Message):
        update(b"(")
        _feed(update, value)
        update(b")")
        return
    data = value if isinstance(value, bytes) else repr(value).encode()
    # The length comes first, so that no value can pass for two.
    update(b"%d:" % len(data))
    update(data)
