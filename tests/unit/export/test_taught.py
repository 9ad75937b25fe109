"""A teacher's mattes are used where the teacher was sure, and the bank keeps what was read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from export.errors import CheckpointError, PicturesError  # noqa: E402
from export.training import bank  # noqa: E402
from export.training.bank import read_or_make  # noqa: E402
from export.training.config import TrainingConfig  # noqa: E402
from export.training.sources import Pictures, read_pictures  # noqa: E402
from export.training.taught import is_empty, is_sure, is_whole, read_matte  # noqa: E402

CONFIG = TrainingConfig(
    photo_side=48, cutout_side=40, drawn_shapes=20, rendered_objects=4, drawn_grounds=4
)
SIDE = 100


def matte(top: int = 20, bottom: int = 80, value: int = 255) -> np.ndarray:
    """A square of a value."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[top:bottom, top:bottom] = value
    return pixels


def test_a_teacher_is_sure_of_what_is_product_or_ground_and_of_ordinary_size() -> None:
    assert is_sure(matte())
    assert not is_sure(matte(value=140))  # half of everything
    assert not is_sure(matte(48, 52))  # tiny
    assert not is_sure(matte(0, 100))  # everything
    hazy = matte()
    hazy[:20] = 100  # 2000 pixels that are neither, beside 3600 of product
    assert not is_sure(hazy)


def test_an_empty_matte_and_one_that_leaves_the_photo_are_told_apart() -> None:
    assert is_empty(matte(value=20))
    assert not is_empty(matte())
    assert is_whole(matte())
    cut = matte()
    cut[20:80, :20] = 255
    assert not is_whole(cut)


def test_mattes_lie_beside_photos_by_name_and_must_fit_them(tmp_path: Path) -> None:
    photo = tmp_path / "clothes" / "hat-1.jpg"
    assert read_matte(tmp_path, photo, (SIDE, SIDE)) is None
    rgb = np.repeat(matte()[..., None], 3, axis=2)
    Image.fromarray(rgb).save(tmp_path / "clothes__hat-1.webp", lossless=True)
    found = read_matte(tmp_path, photo, (SIDE, SIDE))
    assert found is not None
    assert np.array_equal(found, matte())
    with pytest.raises(PicturesError, match="its photo"):
        read_matte(tmp_path, photo, (SIDE, SIDE + 1))
    (tmp_path / "clothes__hat-2.webp").write_text("no picture")
    with pytest.raises(PicturesError, match="cannot be read"):
        read_matte(tmp_path, photo.with_stem("hat-2"), (SIDE, SIDE))


@pytest.fixture
def mattes(training_folder: Path, tmp_path: Path) -> Path:
    """A teacher that is sure of the upper left of every other photo of clothes."""
    folder = tmp_path / "mattes"
    folder.mkdir()
    for path in sorted((training_folder / "clothes").glob("*.png"))[::2]:
        with Image.open(path) as image:
            pixels = np.zeros((image.height, image.width, 3), np.uint8)
        pixels[10:60, 10:60] = 255
        Image.fromarray(pixels).save(folder / f"clothes__{path.stem}.webp", lossless=True)
    return folder


def test_photos_with_sure_mattes_are_masked_and_cut_out(
    training_folder: Path, mattes: Path
) -> None:
    plain = read_pictures(training_folder, CONFIG)
    taught = read_pictures(training_folder, replace(CONFIG, mattes=str(mattes)))

    def masked(both: tuple[Pictures, Pictures]) -> int:
        return sum(len(one.masked) for one in both)

    def garments(both: tuple[Pictures, Pictures]) -> int:
        return sum(len(one.cutouts["garment"]) for one in both)

    assert masked(taught) - masked(plain) == 12
    assert garments(taught) - garments(plain) == 12


def test_modelled_objects_leave_faces_and_signs_out(training_folder: Path, tmp_path: Path) -> None:
    objects = tmp_path / "objects"
    objects.mkdir()
    pixels = np.dstack([matte()] * 4)
    for code in range(0x1F680, 0x1F6A8):
        Image.fromarray(pixels).save(objects / f"{code:x}.webp", lossless=True)
    for name in ("1f600", "1f1e6-1f1e8", "0031-fe0f-20e3"):
        Image.fromarray(pixels).save(objects / f"{name}.webp", lossless=True)
    config = replace(CONFIG.with_objects(str(objects)))
    both = read_pictures(training_folder, config)
    assert sum(len(one.cutouts["modelled"]) for one in both) == 40


def test_the_bank_gives_the_same_pictures_and_is_made_anew_for_others(
    training_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bank.pt"
    plain, _ = read_pictures(training_folder, CONFIG)
    first, _ = read_or_make(training_folder, CONFIG, path)
    assert torch.equal(first.masked, plain.masked)
    reads = []

    def reading(folder: Path, config: TrainingConfig) -> tuple[Pictures, Pictures]:
        reads.append(config.seed)
        return read_pictures(folder, config)

    monkeypatch.setattr(bank, "read_pictures", reading)
    again, held_out = read_or_make(training_folder, CONFIG, path)
    assert not reads
    assert torch.equal(again.cutouts["plinth"], plain.cutouts["plinth"])
    assert len(held_out.masked)
    read_or_make(training_folder, replace(CONFIG, seed=5), path)
    assert reads == [5]
    path.write_text("no bank")
    with pytest.raises(CheckpointError, match="no bank of pictures"):
        read_or_make(training_folder, CONFIG, path)
