"""The committed sample photos fit their mattes and the promises of samples/README.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from samples import darkroom

SAMPLES = Path(darkroom.__file__).parent
PHOTOS = sorted(SAMPLES.glob("*.jpg"))


def test_there_are_five_photos_in_less_than_two_and_a_half_megabytes() -> None:
    files = [*PHOTOS, *SAMPLES.glob("*.matte.png")]
    assert len(PHOTOS) == 5
    assert len(files) == 10
    assert sum(file.stat().st_size for file in files) < 2_500_000


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_a_matte_has_the_size_of_its_upright_photo_and_soft_edges(path: Path) -> None:
    with Image.open(path) as stored:
        size = ImageOps.exif_transpose(stored).size
    with Image.open(path.with_name(f"{path.stem}.matte.png")) as matte:
        assert matte.mode == "L"
        assert matte.size == size
        coverage = np.asarray(matte)
    assert 0.2 < (coverage == 255).mean() < 0.7
    assert (coverage == 0).mean() > 0.3
    assert 0 < ((coverage > 0) & (coverage < 255)).mean() < 0.05


def test_one_photo_lies_on_its_side_with_orientation_six() -> None:
    turned = []
    for path in PHOTOS:
        with Image.open(path) as stored:
            if stored.getexif().get(darkroom.EXIF_ORIENTATION) == 6:
                turned.append((path.stem, stored.width > stored.height))
    assert turned == [("toy", True)]


def test_a_rotated_photo_reads_back_upright(tmp_path: Path) -> None:
    pixels = np.zeros((40, 24, 3), dtype=np.uint8)
    pixels[:8] = 255
    darkroom.save_photo(tmp_path / "photo.jpg", pixels, rotated=True)
    with Image.open(tmp_path / "photo.jpg") as stored:
        assert stored.size == (40, 24)
        upright = np.asarray(ImageOps.exif_transpose(stored)).astype(int)
    assert np.abs(upright - pixels).mean() < 4


def test_developing_keeps_order_and_repeats_for_a_seed() -> None:
    steps = np.repeat([0.0, 0.02, 0.1, 0.4, 1.0, 4.0], 16)
    light = np.broadcast_to(steps[None, :, None], (48, 96, 3)).copy()
    photo = darkroom.develop(light, 1.0, seed=1)
    assert np.array_equal(photo, darkroom.develop(light, 1.0, seed=1))
    levels = [photo[16:32, 16 * k + 6 : 16 * k + 10].mean() for k in range(6)]
    assert all(np.diff(levels) > 5)
