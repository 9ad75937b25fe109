"""Broken and hostile files of every format: one kind of answer, at once, and nothing else."""

import struct
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo, read_size
from imaging.errors import InvalidPhotoError, PhotoLimitError, ReasonedError
from imaging.types import Photo
from tests.support.claims import LONG, tiff
from tests.support.files import FILES, P3, SOFT
from tests.support.pictures import encode_image
from tests.support.profiles import red_cyan_profile

# Pillow warns of much in such files; the service logs it, and so nothing is raised here.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

# Small ones, so that no flipped bit can ask for much.
LIMITS = PhotoLimits(max_pixels=1_000_000)
MOST_SECONDS = 5.0

SEVERAL = {"heic-several", "gif"}


@pytest.fixture(scope="module", params=FILES, ids=list(FILES))
def file(request: pytest.FixtureRequest) -> bytes:
    return FILES[request.param]()


def outcome(data: bytes) -> Photo | ReasonedError:
    """Decode, or return the error that a caller would see; anything else is raised."""
    start_s = time.thread_time()
    try:
        photo = decode_photo(data, LIMITS, keep_metadata=True)
    except ReasonedError as error:
        return error
    finally:
        assert time.thread_time() - start_s < MOST_SECONDS
    assert photo.rgb.dtype == np.uint8
    assert photo.rgb.shape[2:] == (3,)
    assert photo.alpha is None or photo.alpha.shape == photo.rgb.shape[:2]
    return photo


def test_the_files_are_good_to_begin_with(file: bytes) -> None:
    photo = outcome(file)
    assert isinstance(photo, Photo)
    assert photo.notes in {
        (),
        ("the photo is CMYK without a usable profile: its colours are approximate",),
    }


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.8, 0.95])
@pytest.mark.parametrize("name", FILES)
def test_refuses_a_truncated_file(name: str, share: float) -> None:
    data = FILES[name]()
    result = outcome(data[: int(len(data) * share)])
    if name in SEVERAL and share > 0.5:
        # What is missing may be the second picture, which nobody asked for.
        assert isinstance(result, (InvalidPhotoError, Photo))
    else:
        assert isinstance(result, InvalidPhotoError)


def test_refuses_a_file_of_rubbish_behind_a_good_beginning(file: bytes) -> None:
    rubbish = np.random.default_rng(3).integers(0, 256, len(file), np.uint8).tobytes()
    result = outcome(file[:64] + rubbish[64:])
    assert isinstance(result, (ReasonedError, Photo))


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    ),
    span=st.sampled_from([512, 1_000_000]),  # headers are the more delicate part
    length=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_flipped_bytes_give_a_photo_or_an_error_of_the_gateway(
    file: bytes, changes: list[tuple[float, int]], span: int, length: float
) -> None:
    data = bytearray(file)
    span = min(len(data), span)
    for place, value in changes:
        data[int(place * span)] = value
    outcome(bytes(data[: int(length * len(data))]))


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from(
        [
            *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBPVP8X", b"GIF89a", b"BM"),
            *(b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0\x10" + bytes(7)),
            *(b"\0\0\0\x10ftypavif\0\0\0\0", b"\0\0\0\x10ftypheic\0\0\0\0"),
        ]
    ),
    rest=st.binary(max_size=400),
)
def test_any_bytes_behind_a_known_beginning_are_refused_in_order(start: bytes, rest: bytes) -> None:
    outcome(start + rest)


@settings(max_examples=200, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255), cut=st.floats(0.2, 1))
@pytest.mark.parametrize("make", [lambda: P3, red_cyan_profile], ids=["matrix", "table"])
def test_a_damaged_profile_never_stops_a_photo(
    make: Callable[[], bytes], place: float, value: int, cut: float
) -> None:
    profile = bytearray(make())
    profile[int(place * len(profile))] = value
    mode = "RGB" if make() == P3 else "CMYK"
    data = encode_image(
        SOFT.convert(mode), "TIFF", icc_profile=bytes(profile[: int(cut * len(profile))])
    )
    assert isinstance(outcome(data), Photo)


def test_an_offset_beyond_every_memory_is_a_broken_file() -> None:
    big_tiff = b"II+\0" + struct.pack("<HHQ", 8, 0, 2**63 + 16) + bytes(64)
    with pytest.raises(InvalidPhotoError):
        decode_photo(big_tiff, LIMITS)


LARGE = 8 * 2**20
LARGE_LIMITS = PhotoLimits(max_bytes=2 * LARGE)


def _jpeg_of_filling_without_end() -> bytes:
    return encode_image(SOFT, "JPEG")[:3] + b"\xff" * LARGE + b"\0"


def _jpeg_of_segments_between_scans() -> bytes:
    data = encode_image(SOFT, "JPEG")
    return data[:-2] + b"\xff\xfe\0\2" * (LARGE // 4) + b"\xff\xda\0\2" * 200 + data[-2:]


def _tiff_of_tags_that_share_their_values() -> bytes:
    shared = [(tag, LONG, 100_000, 8) for tag in range(1000, 1400)]
    return tiff([(256, LONG, 1, 100), (257, LONG, 1, 100), *shared], bytes(LARGE))


@pytest.mark.parametrize(
    "make",
    [
        _jpeg_of_filling_without_end,
        _jpeg_of_segments_between_scans,
        _tiff_of_tags_that_share_their_values,
    ],
)
def test_a_header_is_gone_over_in_time_in_proportion_to_its_length(
    make: Callable[[], bytes],
) -> None:
    """Of the square of it, 8 MiB would take hours."""
    with pytest.raises(PhotoLimitError, match="claims"):
        read_size(make(), LARGE_LIMITS)


def test_a_header_is_read_as_the_photo_is_decoded(file: bytes) -> None:
    photo = decode_photo(file, LIMITS)
    assert sorted(read_size(file, LIMITS)) == sorted((photo.width_px, photo.height_px))
