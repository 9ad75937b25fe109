"""Limits of a request's bytes, checked before protobuf parses them.

A protobuf message of short fields takes many times its bytes in memory. An empty submessage has two
bytes and takes some hundred, and a `oneof` that is set repeatedly keeps each value. So all parts of
a request that are not a picture's file are limited to a size at which that does not matter. Only
the fields that lead to the files are examined; all other fields count with all their bytes.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from google.protobuf.message import DecodeError

from imaging.errors import InvalidInputError
from packshot.v1 import packshot_pb2 as pb

# All parts that are no file: options have some hundred bytes.
MAX_OPTION_BYTES: Final = 64 * 2**10
# Fields of the messages that may hold files; the largest has nine.
MAX_FIELDS: Final = 256
# A request that holds no file at all: the longest name is some ten bytes.
MAX_SMALL_BYTES: Final = 4 * 2**10

Parse: TypeAlias = Callable[[bytes], Any]


class _File:
    """A field that is a file, by its path."""

    def __init__(self, path: str) -> None:
        self.path = path


_Fields: TypeAlias = Mapping[int, "_File | _Fields"]

_PHOTO: Final = pb.RenderRequest.DESCRIPTOR.fields_by_name["photo"].number
_BACKGROUND: Final = pb.RenderRequest.DESCRIPTOR.fields_by_name["background"].number
_PICTURE: Final = pb.Background.DESCRIPTOR.fields_by_name["picture"].number
_FILE: Final = pb.BackgroundPicture.DESCRIPTOR.fields_by_name["picture"].number
_HINTS: Final = pb.RenderRequest.DESCRIPTOR.fields_by_name["hints"].number
_KEEP_MASK: Final = pb.Hints.DESCRIPTOR.fields_by_name["keep_mask"].number
_ERASE_MASK: Final = pb.Hints.DESCRIPTOR.fields_by_name["erase_mask"].number
_REQUEST: Final = pb.RenderStreamRequest.DESCRIPTOR.fields_by_name["request"].number
_RENDER: Final[_Fields] = {
    _PHOTO: _File("photo"),
    _BACKGROUND: {_PICTURE: {_FILE: _File("background.picture.picture")}},
    _HINTS: {_KEEP_MASK: _File("hints.keep_mask"), _ERASE_MASK: _File("hints.erase_mask")},
}
_SERVICE: Final = "/packshot.v1.PackshotService/"
_WITH_FILES: Final[Mapping[str, _Fields]] = {
    f"{_SERVICE}Render": _RENDER,
    f"{_SERVICE}RenderStream": {_REQUEST: _RENDER},
}
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED: Final = {_FIXED64: 8, _FIXED32: 4}
_MAX_VARINT_BYTES: Final = 10


def parser(method: str, parse: Parse) -> Parse:
    """Return the parser of a method's requests.

    The parser raises `InvalidInputError` for bytes that are no message, or are over a limit
    of this module.

    Args:
        method: The method's full name, such as `/packshot.v1.PackshotService/Render`.
        parse: Parses bytes without these checks.
    """
    files = _WITH_FILES.get(method)

    def checked(data: bytes) -> Any:
        if files is None:
            if len(data) > MAX_SMALL_BYTES:
                raise _over("the request has {} bytes", len(data), MAX_SMALL_BYTES, "bytes")
        else:
            _Walk(data).walk(files)
        try:
            return parse(data)
        except DecodeError as exc:
            raise InvalidInputError(f"the request cannot be read: {exc}") from exc

    return checked


class _Walk:
    """One walk through a request's bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._fields = 0
        self._file_bytes = 0
        self._seen: set[_File] = set()

    def walk(self, fields: _Fields) -> None:
        """Check every field that leads to a file."""
        self._walk(fields, len(self._data))

    def _walk(self, fields: _Fields, end: int) -> None:
        while self._at < end:
            self._fields += 1
            if self._fields > MAX_FIELDS:
                raise _over(
                    "the request has {} fields or more", MAX_FIELDS + 1, MAX_FIELDS, "fields"
                )
            tag = self._varint(end)
            number, kind = tag >> 3 & 0x1FFF_FFFF, tag & 7
            known = fields.get(number) if kind == _BYTES else None
            if kind == _VARINT:
                self._varint(end)
            elif kind in _FIXED:
                self._skip(_FIXED[kind], end)
            elif kind != _BYTES:
                raise InvalidInputError(
                    f"the request has a field of wire type {kind}, which the interface has not"
                )
            elif known is None:
                self._skip(self._varint(end), end)
            elif isinstance(known, _File):
                self._file(known, self._varint(end), end)
            else:
                size = self._varint(end)
                if size > end - self._at:
                    raise _broken()
                self._walk(known, self._at + size)
            options = self._at - self._file_bytes
            if options > MAX_OPTION_BYTES:
                what = "the request has {} bytes or more beside its files"
                raise _over(what, options, MAX_OPTION_BYTES, "option_bytes")

    def _file(self, file: _File, size: int, end: int) -> None:
        if file in self._seen:
            raise _over(f"{file.path} is there {{}} times or more", 2, 1, "files", file.path)
        self._seen.add(file)
        self._skip(size, end)
        self._file_bytes += size

    def _skip(self, size: int, end: int) -> None:
        if size > end - self._at:
            raise _broken()
        self._at += size

    def _varint(self, end: int) -> int:
        value, data = 0, self._data
        for shift in range(0, 7 * _MAX_VARINT_BYTES, 7):
            if self._at >= end:
                raise _broken()
            byte = data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004  the mark of a last byte
                return value
        raise _broken()


def _over(what: str, value: int, limit: int, bound: str, field: str = "") -> InvalidInputError:
    return InvalidInputError(
        f"{what.format(value)}; the limit is {limit}",
        field=field,
        figures={"bound": bound, "limit": limit, "value": value},
    )


def _broken() -> InvalidInputError:
    return InvalidInputError("the request cannot be read: a field goes beyond its end")
