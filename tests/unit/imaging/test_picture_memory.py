"""Pictures' memory is used again, is bounded, and shows nothing of the picture before."""

import threading
from pathlib import Path

import numpy as np
import pytest

from imaging.compose.compose import compose
from imaging.compose.composition import Look, Transparent
from imaging.decode.limits import PhotoLimits
from imaging.decode.photo import decode_photo
from imaging.encode import PictureFormat, encode_picture
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import cut_out
from imaging.picture_memory import MOST_KEPT_BYTES, PictureMemory, pictures
from imaging.types import Pixels

SIDE_PX = 1000
CAMERA = Path("samples/camera.jpg")


def test_a_pictures_memory_goes_to_the_next_one_when_its_last_view_has_gone() -> None:
    memory = PictureMemory()
    picture = memory.empty(SIDE_PX, SIDE_PX, 3)
    address, view = picture.ctypes.data, picture[10:, 5:]
    del picture
    assert memory.kept_bytes == 0
    del view
    assert memory.kept_bytes == 3 * SIDE_PX**2
    again = memory.empty(SIDE_PX - 1, SIDE_PX, 3)
    assert again.ctypes.data == address
    assert memory.kept_bytes == 0


def test_no_two_pictures_share_memory() -> None:
    memory = PictureMemory()
    gone = [memory.empty(SIDE_PX, SIDE_PX) for _ in range(3)]
    del gone
    given = [memory.empty(SIDE_PX, SIDE_PX) for _ in range(5)]
    for number, picture in enumerate(given):
        picture[:] = number
    assert [int(picture.max()) for picture in given] == list(range(5))


def test_what_is_kept_is_bounded_and_the_latest() -> None:
    memory = PictureMemory(most_bytes=3 * 2**20)
    given = [memory.empty(2**20) for _ in range(5)]
    addresses = [picture.ctypes.data for picture in given]
    while given:
        given.pop(0)
    assert memory.kept_bytes == 3 * 2**20
    again = [memory.empty(2**20) for _ in range(3)]
    assert {picture.ctypes.data for picture in again} == set(addresses[-3:])
    assert memory.kept_bytes == 0
    assert memory.empty(4 * 2**20).size == 4 * 2**20
    assert memory.kept_bytes == 0


def test_a_small_picture_takes_no_large_ones_memory() -> None:
    memory = PictureMemory()
    gone = memory.empty(2**23)
    del gone
    small = memory.empty(2**20)
    assert memory.kept_bytes == 2**23
    assert small.size == 2**20


def test_threads_that_take_and_return_never_meet_in_one_picture() -> None:
    memory, mixed = PictureMemory(), []

    def work(number: int) -> None:
        for _ in range(200):
            picture = memory.empty(2**19)
            picture[:] = number
            if picture.min() != number or picture.max() != number:
                mixed.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not mixed
    assert memory.kept_bytes <= MOST_KEPT_BYTES


@pytest.mark.parametrize("look", [Look(), Look(Transparent()), Look(clears_border=True)])
@pytest.mark.parametrize("picture_format", [PictureFormat.JPEG, PictureFormat.PNG])
def test_a_packshot_is_the_same_whatever_lay_in_its_memory_before(
    look: Look, picture_format: PictureFormat
) -> None:
    photo = decode_photo(CAMERA.read_bytes(), PhotoLimits())
    seen = to_model_input(photo, 320, 320)
    matte = np.zeros((320, 320), np.uint8)
    matte[80:240, 60:260] = 255
    matte[75:80, 60:260] = 120

    def rendered(before: int) -> tuple[Pixels, bytes]:
        height_px, width_px = photo.rgb.shape[:2]
        shapes = [(height_px, width_px, channels) for channels in (1, 1, 1, 3, 3, 4, 4)]
        dirty = [pictures.empty(*shape) for shape in shapes]
        for block in dirty:
            block[:] = before
        del dirty, block
        picture = compose(cut_out(matte, seen[0], photo), photo, look).pixels
        if picture_format is PictureFormat.JPEG:
            picture = np.ascontiguousarray(picture[..., :3])
        return picture, encode_picture(picture, picture_format, 90)

    first, second = rendered(7), rendered(201)
    assert np.array_equal(first[0], second[0])
    assert first[1] == second[1]
