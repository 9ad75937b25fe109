"""An upload as it comes in: multipart, form or JSON, in memory, within limits and in time."""

import asyncio
import json
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from web.errors import WebError, invalid
from web.room import Place

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")

# Of fields that are no files, all together, and of how many there may be.
_MAX_FIELD_BYTES: Final = 64 * 2**10
_MAX_FIELDS: Final = 100
_MAX_HEADER_BYTES: Final = 8 * 2**10
# A photo and a background.
_MAX_FILES: Final = 2
# From here on, parsing would hold the others up.
_ASIDE_BYTES: Final = 2**18
_TYPES: Final = ("multipart/form-data", "application/x-www-form-urlencoded", "application/json")


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What an upload may be.

    Attributes:
        max_file_bytes: Of one file.
        idle_timeout_s: Time without a byte.
        receive_timeout_s: Time for all of it.
    """

    max_file_bytes: int
    idle_timeout_s: float
    receive_timeout_s: float


@dataclass(slots=True)
class Form:
    """What a caller sent.

    Attributes:
        fields: Texts by their names.
        files: Files by their names.
    """

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


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
    most = _MAX_FILES * limits.max_file_bytes + 2**20
    if not is_multipart:
        most = most * 3 // 2
    _check_length(request.headers.get("content-length"), most)
    try:
        if is_multipart:
            parts = _Parts(parameters.get(b"boundary", b""), limits.max_file_bytes)
            await _receive(request, place, limits, most, parts.write)
            return parts.form()
        chunks: list[bytes] = []
        await _receive(request, place, limits, most, chunks.append)
    except ClientDisconnect as exc:
        raise WebError(
            HTTPStatus.BAD_REQUEST, "upload_broken_off", "the upload ended early"
        ) from exc
    body = b"".join(chunks)
    parse = _from_json if kind == _TYPES[2] else _from_urlencoded
    return await _aside(parse, body, len(body))


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


def too_large(value: int, limit: int) -> WebError:
    """Build the error of a file over the limit of bytes."""
    return invalid("file_too_large", f"the file has {value} bytes or more; the limit is {limit}")


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
        error = invalid("file_too_large", f"the upload has {length} bytes; the limit is {most}")
        # The rest is not worth receiving.
        error.headers["Connection"] = "close"
        raise error


async def _receive(
    request: Request,
    place: Place,
    limits: UploadLimits,
    most: int,
    write: Callable[[bytes], object],
) -> None:
    """Feed a body's chunks to a function, within the limits and in time."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + limits.receive_timeout_s
    received = 0
    try:
        async with asyncio.timeout(limits.idle_timeout_s) as clock:
            async for chunk in request.stream():
                received += len(chunk)
                if received > most:
                    raise _closing(too_large(received, most))
                place.take(len(chunk))
                write(chunk)
                clock.reschedule(min(loop.time() + limits.idle_timeout_s, end_s))
    except TimeoutError as exc:
        raise _closing(
            WebError(
                HTTPStatus.REQUEST_TIMEOUT,
                "upload_too_slow",
                f"{received} bytes came; an upload may pause for {limits.idle_timeout_s:g} s and "
                f"take {limits.receive_timeout_s:g} s",
            )
        ) from exc
    except WebError as exc:
        raise _closing(exc) from exc


def _closing(error: WebError) -> WebError:
    error.headers["Connection"] = "close"
    return error


class _Parts:
    """The parts of a multipart body, gathered as they come."""

    def __init__(self, boundary: bytes, max_file_bytes: int) -> None:
        if not boundary:
            raise invalid("invalid_multipart", "the content type names no boundary")
        self._max_file_bytes = max_file_bytes
        self._form = Form()
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""
        self._field = ""
        self._is_file = False
        self._data: list[bytes] = []
        self._bytes = 0
        self._field_bytes = 0
        self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_part_data": self._add,
                    "on_part_end": self._finish,
                    "on_header_field": self._add_name,
                    "on_header_value": self._add_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._open,
                    "on_end": self._end,
                },
            )
        except FormParserError as exc:
            raise invalid("invalid_multipart", f"the multipart body is broken: {exc}") from exc

    def write(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as exc:
            raise invalid("invalid_multipart", f"the multipart body is broken: {exc}") from exc

    def form(self) -> Form:
        if not self._ended:
            raise invalid("invalid_multipart", "the multipart body ends without its last boundary")
        return self._form

    def _begin(self) -> None:
        self._headers, self._data, self._bytes = {}, [], 0

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._check_header()

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._name) + len(self._value) > _MAX_HEADER_BYTES:
            raise invalid("invalid_multipart", f"a part's header is over {_MAX_HEADER_BYTES} bytes")

    def _end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise invalid("invalid_multipart", "a part has no name")
        self._field = options[b"name"].decode(errors="replace")
        self._is_file = b"filename" in options
        taken = self._form.files if self._is_file else self._form.fields
        if self._field in taken:
            raise _twice(self._field)
        if len(taken) >= (_MAX_FILES if self._is_file else _MAX_FIELDS):
            raise invalid(
                "too_many_fields", f"more than {_MAX_FILES} files or {_MAX_FIELDS} fields came"
            )

    def _add(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])
        self._bytes += end - start
        if self._bytes > self._max_file_bytes and self._is_file:
            raise too_large(self._bytes, self._max_file_bytes)
        # A file may come in a field as well, as Base64.
        if not self._is_file and self._bytes > self._max_file_bytes * 4 // 3 + _MAX_FIELD_BYTES:
            raise too_large(self._bytes * 3 // 4, self._max_file_bytes)

    def _finish(self) -> None:
        data = b"".join(self._data)
        if self._is_file:
            self._form.files[self._field] = data
        else:
            self._form.fields[self._field] = data.decode(errors="replace")
        self._data = []

    def _end(self) -> None:
        self._ended = True


def _twice(name: str) -> WebError:
    return invalid("repeated_parameter", f"{name[:100]} is given more than once")


def _from_urlencoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="replace"
        )
    except ValueError as exc:
        raise invalid("invalid_form", f"the form cannot be read: {exc}") from exc
    form = Form()
    for name, value in pairs:
        if name in form.fields:
            raise _twice(name)
        form.fields[name] = value
    return form


def _from_json(body: bytes) -> Form:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise invalid("invalid_json", f"the body is no JSON: {exc}") from exc
    if not isinstance(values, Mapping):
        raise invalid("invalid_json", "the body is JSON, but no object")
    if len(values) > _MAX_FIELDS:
        raise invalid(
            "too_many_fields", f"there are {len(values)} fields; the limit is {_MAX_FIELDS}"
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
