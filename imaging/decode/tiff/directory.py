"""The first directory of a TIFF file (TIFF 6.0, BigTIFF): its tags and their values."""

import struct
from dataclasses import dataclass
from typing import Final

from imaging.decode.limits import FIELD, check_count
from imaging.errors import InvalidPhotoError

# A camera's file has some hundred tags; a tile of 256 pixels in 64 megapixels makes 1000 values.
MAX_TAGS: Final = 512
MAX_TAG_VALUES: Final = 100_000
# Of all tags together: offset and length of 200 000 strips.
MAX_ALL_TAG_VALUES: Final = 400_000

_BIG_VERSION: Final = 43
# Types of whole numbers, with the letters that `struct` has for them.
_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_BYTES_LIKE: Final = {1, 2, 6, 7}  # one byte a value
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8,
                 13: 4, 16: 8, 17: 8, 18: 8}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Directory:
    """The first directory of a TIFF file.

    Attributes:
        data: The whole file.
        order: "<" or ">", as `struct` has it.
        big: Whether it is BigTIFF.
        at: Where the directory begins.
        entries: By tag: the values' type, how many there are and where.
    """

    data: bytes
    order: str
    big: bool
    at: int
    entries: dict[int, tuple[int, int, int]]

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return a tag's whole numbers; none where the file has no such tag.

        Raises:
            InvalidPhotoError: The tag holds something else.
        """
        if tag not in self.entries:
            return ()
        kind, count, at = self.entries[tag]
        if kind not in _NUMBERS:
            raise broken(f"tag {tag} is of type {kind}, which is no whole number")
        check_count(f"values of tag {tag}", count, MAX_TAG_VALUES)
        try:
            return struct.unpack_from(f"{self.order}{count}{_NUMBERS[kind]}", self.data, at)
        except struct.error as exc:
            raise broken(f"the values of tag {tag} lie beyond its end") from exc

    def number(self, tag: int, otherwise: int) -> int:
        """Return a tag's first number, or another where there is none."""
        return next(iter(self.numbers(tag)), otherwise)

    def text(self, tag: int) -> bytes:
        """Return a tag's bytes; empty where the file has no such tag, or not all of them."""
        kind, count, at = self.entries.get(tag, (0, 0, 0))
        if kind not in _BYTES_LIKE or at + count > len(self.data):
            return b""
        return self.data[at : at + count]


def read_directory(data: bytes) -> Directory:
    """Read where the tags of a file's first directory are; no value is copied.

    Raises:
        InvalidPhotoError: The directory lies beyond the file.
        PhotoLimitError: There are too many tags, or values of one.
    """
    order = "<" if data[:2] == b"II" else ">"
    try:
        (version,) = struct.unpack_from(order + "H", data, 2)
        big = version == _BIG_VERSION
        header, number, entry, inline = (
            (8, "Q", "HHQ", 8) if big else (4, "H", "HHI", 4)  # offsets and counts are wider there
        )
        pointer = order + ("Q" if big else "I")
        (start,) = struct.unpack_from(pointer, data, header)
        (tags,) = struct.unpack_from(order + number, data, start)
        check_count("tags", tags, MAX_TAGS)
        at = start + struct.calcsize(order + number)
        entries: dict[int, tuple[int, int, int]] = {}
        values = 0
        for _ in range(tags):
            tag, kind, count = struct.unpack_from(order + entry, data, at)
            if kind not in _BYTES_LIKE:
                check_count(f"values of tag {tag}", count, MAX_TAG_VALUES)
                values += count
                check_count("values of all tags", values, MAX_ALL_TAG_VALUES)
            place = at + struct.calcsize(order + entry)
            if _SIZES.get(kind, 0) * count > inline:
                (place,) = struct.unpack_from(pointer, data, place)
            entries.setdefault(tag, (kind, count, place))
            at += 20 if big else 12
    except (struct.error, OverflowError) as exc:  # beyond the file, or beyond all files
        raise broken("its first directory lies beyond its end") from exc
    return Directory(data, order, big, start, entries)


def broken(why: str) -> InvalidPhotoError:
    """Make the error of a TIFF file that contradicts itself."""
    return InvalidPhotoError(f"the TIFF file is broken: {why}", field=FIELD)
