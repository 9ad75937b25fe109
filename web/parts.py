"""The parts of a multipart body, gathered as they come: fields and files, in memory."""

from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from web.errors import WebError, invalid

# A photo and a background.
MAX_FILES: Final = 2
# Of fields that are no files, and of what one may have beyond a file as Base64.
MAX_FIELDS: Final = 100
_MAX_FIELD_BYTES: Final = 64 * 2**10
_MAX_HEADER_BYTES: Final = 8 * 2**10


@dataclass(slots=True)
class Form:
    """What a caller sent.

    Attributes:
        fields: Texts by their names.
        files: Files by their names.
    """

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def too_large(value: int, limit: int) -> WebError:
    """Build the error of a file over the limit of bytes."""
    return invalid("file_too_large", f"the file has {value} bytes or more; the limit is {limit}")


def twice(name: str) -> WebError:
    """Build the error of a name that came twice."""
    return invalid("repeated_parameter", f"{name[:100]} is given more than once")


class Parts:
    """The parts of one body.

    Args:
        boundary: What stands between them.
        max_file_bytes: Of one file.

    Raises:
        WebError: There is no boundary; as each of its methods does where the body is broken or
            over a limit.
    """

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
        """Take what has come."""
        try:
            self._parser.write(chunk)
        except FormParserError as exc:
            raise invalid("invalid_multipart", f"the multipart body is broken: {exc}") from exc

    def form(self) -> Form:
        """Return the whole, once all has come."""
        if not self._ended:
            raise invalid("invalid_multipart", "the multipart body ends without its last boundary")
        return self._form

    def close(self) -> None:
        """Let go of all that came: the parser and its callbacks would keep it until collected."""
        del self._parser
        self._data = []
        self._form = Form()

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
            raise twice(self._field)
        if len(taken) >= (MAX_FILES if self._is_file else MAX_FIELDS):
            raise invalid(
                "too_many_fields", f"more than {MAX_FILES} files or {MAX_FIELDS} fields came"
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
