"""A PNG file without what nobody needs: its text, its times, and every chunk of a wrong checksum.

Pillow reads all chunks up to the picture, inflates texts, and refuses the whole file for one that
is broken. It is handed the picture alone; what says something of the colours, or of which way is
up, is read here (PNG, third edition).
"""

import struct
import zlib
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any, Final, cast

import cv2
import numpy as np
from PIL.PngImagePlugin import PngImageFile

from imaging.decode.limits import FIELD, MAX_CHUNKS, MAX_PROFILE_BYTES, check_count
from imaging.errors import InvalidPhotoError
from imaging.types import Pixels

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PICTURE: Final = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
# What of the rest changes the picture; wrong ones among these are told.
_READ: Final = {
    b"tRNS": "its transparency",
    b"eXIf": "its EXIF data",
    b"iCCP": "its colour profile",
    b"cICP": "its colours' code points",
    b"sRGB": "its word that it is sRGB",
    b"gAMA": "its gamma",
    b"cHRM": "its primaries",
}
_LEAST_BYTES: Final = {b"tRNS": 1, b"eXIf": 1, b"iCCP": 4, b"cICP": 4, b"sRGB": 1, b"gAMA": 4,
                       b"cHRM": 32}  # fmt: skip
_TEXTS: Final = {b"tEXt", b"zTXt"}
# Where ImageMagick puts EXIF data, in hexadecimal digits.
_RAW_EXIF: Final = (b"Raw profile type exif\0", b"Raw profile type APP1\0")
_MOST_RAW_EXIF: Final = 3 * 2**20
_RAW_EXIF_LINES: Final = 3
_GREY, _RGB, _PALETTE = 0, 2, 3
_WIDE: Final = 16


@dataclass(slots=True)
class Chunks:
    """What a PNG file has beside its picture.

    Attributes:
        picture: A PNG file of the picture alone.
        found: The chunks that change it, by kind.
        raw_exif: EXIF data from a text chunk; empty for none.
        notes: Which chunks were left out though they would change the picture.
    """

    picture: bytes = b""
    found: dict[bytes, bytes] = field(default_factory=dict)
    raw_exif: bytes = b""
    notes: list[str] = field(default_factory=list)


class PngFile(PngImageFile):
    """A PNG file.

    Attributes:
        chunks: What it has beside its picture.
        alpha: (H, W) uint8, 0 or 255, once it is loaded, of a file in which one colour stands for
            nothing; None for any other.
    """

    def _open(self) -> None:
        self.chunks = read_chunks(cast("IO[bytes]", self.fp).read())
        self.alpha: Pixels | None = None
        self.fp = BytesIO(self.chunks.picture)
        super()._open()
        found = self.chunks.found
        header = self.chunks.picture[16:29]
        self._bits, self._kind = header[8], header[9]
        if profile := _profile(found.get(b"iCCP"), self.chunks.notes):
            self.info["icc_profile"] = profile
        if exif := found.get(b"eXIf") or self.chunks.raw_exif:
            self.info["exif"] = exif if exif.startswith(b"Exif\0\0") else b"Exif\0\0" + exif
        self._is_loaded = False

    def load(self) -> Any:
        """Read the pixels."""
        access = super().load()
        key = self.chunks.found.get(b"tRNS", b"")
        if not self._is_loaded and self._kind in (_GREY, _RGB):
            self._is_loaded = True
            samples = 1 if self._kind == _GREY else 3
            if len(key) >= 2 * samples:
                self.alpha = self._keyed(struct.unpack_from(f">{samples}H", key))
        return access

    def _keyed(self, key: tuple[int, ...]) -> Pixels:
        """Return 0 where the picture has the colour that stands for nothing, else 255."""
        most = 2**self._bits - 1
        # Of the two bytes that a value has here, only as many bits count as a sample has.
        wanted = np.array([value & most for value in key])
        if self._bits == _WIDE and self._kind == _RGB:
            data = np.frombuffer(self.chunks.picture, np.uint8)
            whole = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
            if whole is None or whole.dtype != np.uint16:
                raise OSError("its transparent colour cannot be looked for")
            samples, wanted = whole[:, :, :3], wanted[::-1]
        else:
            samples = np.asarray(self)
            if self._bits < 8:  # noqa: PLR2004
                samples = samples.astype(np.uint8)
                wanted = wanted if samples.max() <= 1 and self.mode == "1" else wanted * 255 // most
        if samples.ndim == 2:  # noqa: PLR2004
            samples = samples[:, :, None]
        low = wanted.astype(np.float64).tolist()
        hit = cv2.inRange(np.ascontiguousarray(samples), tuple(low), tuple(low))
        return np.asarray(cv2.bitwise_not(hit), dtype=np.uint8)


def read_chunks(data: bytes) -> Chunks:
    """Part a file's picture from the rest.

    Raises:
        InvalidPhotoError: It has a chunk without which the picture cannot be told, and which is
            not known.
        PhotoLimitError: It has too many chunks.
    """
    chunks = Chunks()
    picture = [_SIGNATURE]
    at, count = len(_SIGNATURE), 0
    while at + 8 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        end = at + 12 + size
        count += 1
        check_count("chunks", count, MAX_CHUNKS)
        if kind in _PICTURE:
            picture.append(data[at:end])
        elif kind[0] & 0x20:  # a small letter: a chunk that may be left out
            _read_other(kind, data[at + 8 : end - 4], data[at + 4 : end], chunks)
        else:
            name = kind.decode("latin-1") if kind.isalpha() else kind.hex()
            raise InvalidPhotoError(
                f"the photo is a PNG file with the chunk {name!r}, without which it cannot be "
                "understood and which is not read",
                field=FIELD,
            )
        if kind == b"IEND":
            break
        at = end
    transparency = chunks.found.get(b"tRNS")
    if transparency is not None and b"".join(picture[1:2])[17:18] == bytes((_PALETTE,)):
        before = next((n for n, part in enumerate(picture) if part[4:8] == b"IDAT"), len(picture))
        picture.insert(before, _chunk(b"tRNS", transparency))
    chunks.picture = b"".join(picture)
    return chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _read_other(kind: bytes, body: bytes, checked: bytes, chunks: Chunks) -> None:
    is_raw_exif = kind in _TEXTS and body.startswith(_RAW_EXIF)
    if (kind not in _READ and not is_raw_exif) or kind in chunks.found:
        return
    whole = len(checked) >= 8 and zlib.crc32(checked[:-4]) == int.from_bytes(checked[-4:], "big")  # noqa: PLR2004
    if is_raw_exif:
        if whole and not chunks.raw_exif:
            chunks.raw_exif = _raw_exif(kind, body[len(_RAW_EXIF[0]) :])
    elif not whole or len(body) < _LEAST_BYTES[kind]:
        chunks.notes.append(
            f"the PNG file's {kind.decode()} chunk is broken, so it was not read: {_READ[kind]}"
        )
    else:
        chunks.found[kind] = body


def _raw_exif(kind: bytes, body: bytes) -> bytes:
    text = body
    if kind == b"zTXt":
        try:
            text = zlib.decompressobj().decompress(body[1:], _MOST_RAW_EXIF)
        except zlib.error:
            return b""
    try:
        return bytes.fromhex(b"".join(text.split(b"\n")[_RAW_EXIF_LINES:]).decode("ascii"))
    except ValueError:
        return b""


def _profile(body: bytes | None, notes: list[str]) -> bytes:
    """Return the colour profile of an iCCP chunk, or nothing and a note."""
    if body is None:
        return b""
    _, _, rest = body.partition(b"\0")
    why = "it is not there"
    if rest[:1] != b"\0":
        why = f"its compression method is {rest[0] if rest else 'missing'}, which is none"
    else:
        unpacking = zlib.decompressobj()
        try:
            profile = unpacking.decompress(rest[1:], MAX_PROFILE_BYTES + 1)
        except zlib.error:
            why = "it is broken and cannot be unpacked"
        else:
            check_count("bytes of a colour profile", len(profile), MAX_PROFILE_BYTES)
            if profile:
                return profile
    notes.append(f"the colour profile was taken for absent: {why}")
    return b""
