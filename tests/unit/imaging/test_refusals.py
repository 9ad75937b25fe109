"""What a caller is told of a file that is not read: in words of its own, never a library's."""

import re
from collections.abc import Iterator

import numpy as np
import pytest

from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.errors import ReasonedError
from imaging.types import Photo
from tests.support import tiff_matrix
from tests.support.files import FILES
from tests.support.tiffs import Layout, write_tiff

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

LIMITS = PhotoLimits(max_pixels=1_000_000)
# Classes, constants, modules, and the texts of Pillow, libtiff, libjpeg, libheif, libavif and zlib.
INNARDS = re.compile(
    r"PIL|Pillow|Plugin|lib[a-z]|ImageFile|ImageCms|PyCMS|Error\b|Exception|[A-Z]+_[A-Z_]+|"
    r"\b0x[0-9a-f]{6,}|<class|<_io|object at|raw mode|pixel mode|data organization|decoder error|"
    r"decoder_|zlib|struct|unpack|tuple|NoneType|has no attribute|index out of range|b'|"
    r"not all arguments|sample type|image file is truncated|broken data stream|cannot identify"
)


def refusals() -> Iterator[tuple[str, str]]:
    """Yield what was refused, and the words."""
    random = np.random.default_rng(7)
    for name, make in FILES.items():
        data = make()
        for _ in range(60):
            changed = bytearray(data)
            for _ in range(int(random.integers(1, 6))):
                span = min(len(data), 300) if random.random() < 0.7 else len(data)
                changed[int(random.integers(0, span))] = int(random.integers(0, 256))
            length = len(data) if random.random() < 0.6 else int(random.integers(4, len(data)))
            yield from _said(name, bytes(changed[:length]))
    for layout in tiff_matrix.layouts():
        if layout.photometric == 8 or layout.sample_format != 1 or layout.extra == (1,):
            data = write_tiff(tiff_matrix.samples_of(layout), layout)
            yield from _said(tiff_matrix.name_of(layout), data)


def _said(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    try:
        photo = decode_photo(data, LIMITS, keep_metadata=True)
    except ReasonedError as error:
        yield name, str(error)
    else:
        assert isinstance(photo, Photo)
        yield from ((name, note) for note in photo.notes)


def test_no_message_and_no_note_names_what_is_inside_a_library() -> None:
    seen = 0
    for name, words in refusals():
        seen += 1
        assert not INNARDS.search(words), (name, words)
    assert seen > 500


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"%PDF-1.7", "a PDF document"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture"),
        (b"\xff\x0a\xff", "a JPEG XL picture"),
        (b"\0\0\0\x18ftypmp42", "a video"),
        (b"\0\0\0\x18ftypcrx \0", "a camera's raw file"),
        (b"  <svg xmlns='x'/>", "an SVG drawing"),
        (b"<!DOCTYPE html>", "an HTML page"),
        (b"PK\3\4", "a ZIP archive"),
    ],
)
def test_names_what_was_sent_in_place_of_a_photo(data: bytes, what: str) -> None:
    with pytest.raises(ReasonedError, match=f"the photo is {what}.*not a picture of an accepted"):
        decode_photo(data, LIMITS)


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (Layout(8, 16), "16-bit CIE L"),
        (Layout(2, 32, sample_format=3, big=True), "32-bit floating-point RGB.*BigTIFF"),
        (Layout(5, 8, (1,)), "8-bit CMYK with premultiplied alpha"),
        (Layout(3, 8, (1,)), "8-bit palette colours with premultiplied alpha"),
    ],
)
def test_a_layout_that_is_not_read_is_named_and_so_is_what_of_it(
    layout: Layout, words: str
) -> None:
    data = write_tiff(tiff_matrix.samples_of(layout), layout)
    with pytest.raises(ReasonedError, match=rf"the photo is a TIFF file of {words}.*; .* read"):
        decode_photo(data, LIMITS)
