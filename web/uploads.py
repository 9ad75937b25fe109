"""An upload as it comes in: multipart, form or JSON, in memory, within limits and in time."""

import asyncio
import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from web.body import Body, UploadLimits, discard
from web.errors import WebError, invalid
from web.parts import MAX_FIELDS, MAX_FILES, Form, Parts, too_large, twice
from web.room import Place

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

# From here on, parsing would hold the others up.
_ASIDE_BYTES: Final = 2**18
_TYPES: Final = ("multipart/form-data", "application/x-www-form-urlencoded", "application/json")


async def read_form(request: Request, place: Place, limits: UploadLimits) -> Form:
    """Read a request's form.

    Raises:
        WebError: It is none, over a limit, too slow, or there is no room for it.
    """
    media_type, parameters = parse_options_header(request.headers.get("content-type", ""))
    kind = media_type.decode("latin-1")
    if kind not in _TYPES:
        raise WebError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "invalid_content_type",
            f"the content type is {kind[:100]!r}; known: {', '.join(_TYPES)}",
        )
    is_multipart = kind == _TYPES[0]
    # Elsewhere files are Base64: a third more, and half as much again where a form escapes them.
    most = MAX_FILES * limits.max_file_bytes + 2**20
    if not is_multipart:
        most = most * 3 // 2
    body = Body(request, place, limits)
    try:
        _check_length(request.headers.get("content-length"), most)
        if is_multipart:
            with closing(Parts(parameters.get(b"boundary", b""), limits.max_file_bytes)) as parts:
                await body.receive(most, parts.write)
                return parts.form()
        chunks: list[bytes] = []
        await body.receive(most, chunks.append)
    except WebError as exc:
        if body.has_more:
            exc.headers["Connection"] = "close"
            await discard(request)
        raise
    parse = _from_json if kind == _TYPES[2] else _from_urlencoded
    whole = b"".join(chunks)
    return await _aside(parse, whole, len(whole))


async def decoded(name: str, text: str, max_bytes: int) -> bytes:
    """Decode a file that came as Base64, with or without a data URL's head.

    Raises:
        WebError: It is none, or too large.
    """
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if len(text) * 3 // 4 > max_bytes + 3:
        raise too_large(len(text) * 3 // 4, max_bytes)
    try:
        return await _aside(_decoded, text, len(text))
    except (Base64Error, ValueError) as exc:
        raise invalid(f"invalid_{name}", f"{name} is no Base64: {exc}") from exc


def _decoded(text: str) -> bytes:
    # Line breaks are common in it; anything else that is foreign is an error.
    return b64decode("".join(text.split()), validate=True)


async def _aside(work: Callable[[_Given], _Made], given: _Given, size: int) -> _Made:
    """Do some work, on a thread if it would hold the others up."""
    if size <= _ASIDE_BYTES:
        return work(given)
    return await asyncio.to_thread(work, given)


def _check_length(length: str | None, most: int) -> None:
    if length and length.isdecimal() and int(length) > most:
        raise invalid("file_too_large", f"the upload has {length} bytes; the limit is {most}")


def _from_urlencoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace"
        )
    except ValueError as exc:
        raise invalid("invalid_form", f"the form cannot be read: {exc}") from exc
    form = Form()
    for name, value in pairs:
        if name in form.fields:
            raise twice(name)
        form.fields[name] = value
    return form


def _from_json(body: bytes) -> Form:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise invalid("invalid_json", f"the body is no JSON: {exc}") from exc
    if not isinstance(values, Mapping):
        raise invalid("invalid_json", "the body is JSON, but no object")
    if len(values) > MAX_FIELDS:
        raise invalid(
            "too_many_fields", f"there are {len(values)} fields; the limit is {MAX_FIELDS}"
        )
    return Form({name: _text(name, value) for name, value in values.items() if value is not None})


def _text(name: str, value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
    raise invalid(f"invalid_{name}"[:100], f"{name[:100]} is neither a text nor a number")
