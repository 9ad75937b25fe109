"""Every photo's whole way, judged by its reference matte."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from packshot import AsyncClient, ModelNotFoundError
from tests.support.pictures import decode

# Mean absolute error of the mattes over all photos of a set, each a share of 0 to 1. A blank
# matte misses the bound by a factor of two, which the tests hold as well.
_MAX_MEAN_ERROR = 0.13


def reference(photo: Path) -> npt.NDArray[np.uint8]:
    with Image.open(photo.parent / f"{photo.stem}.matte.png") as image:
        return np.asarray(image.convert("L"))


def upright_size(photo: Path) -> tuple[int, int]:
    with Image.open(photo) as image:
        return ImageOps.exif_transpose(image).size


def error(alpha: npt.NDArray[np.uint8], wanted: npt.NDArray[np.uint8]) -> float:
    return float(np.abs(alpha.astype(float) - wanted).mean() / 255)


async def cut(client: AsyncClient, photo: Path) -> npt.NDArray[np.uint8]:
    """Cut a photo out, check the picture's form, and return its alpha."""
    shot = await client.render(photo, background="transparent")
    image = decode(shot.picture)
    assert (image.format, image.mode) == ("PNG", "RGBA")
    assert image.size == (shot.width_px, shot.height_px) == upright_size(photo)
    return np.asarray(image.getchannel("A"))


async def hold_to_bound(client: AsyncClient, photos: list[Path]) -> None:
    assert photos
    wanted = [reference(photo) for photo in photos]
    mattes = [await cut(client, photo) for photo in photos]
    errors = [error(*pair) for pair in zip(mattes, wanted, strict=True)]
    shown = ", ".join(f"{p.stem} {e:.3f}" for p, e in zip(photos, errors, strict=True))
    assert np.mean(errors) <= _MAX_MEAN_ERROR, shown
    blank = np.mean([error(np.zeros_like(matte), matte) for matte in wanted])
    inverted = np.mean([error(255 - matte, matte) for matte in wanted])
    assert min(blank, inverted) > 1.5 * _MAX_MEAN_ERROR


async def test_cuts_the_samples(client: AsyncClient, samples: list[Path]) -> None:
    await hold_to_bound(client, samples)


@pytest.mark.photos
async def test_cuts_real_photos(client: AsyncClient, evaluation_photos: Path) -> None:
    mattes = sorted(evaluation_photos.glob("*.matte.png"))
    photos = [
        next(
            path
            for path in evaluation_photos.glob(f"{matte.name.removesuffix('.matte.png')}.*")
            if not path.name.endswith(".matte.png")
        )
        for matte in mattes
    ]
    await hold_to_bound(client, photos)


async def test_a_packshot_is_exactly_white_wherever_its_cut_is_transparent(
    client: AsyncClient, samples: list[Path]
) -> None:
    for photo in samples:
        white = await client.render(photo, square=True, size=600, format="png")
        cut = await client.render(photo, square=True, size=600, background="transparent")
        assert white.product == cut.product
        pixels = np.asarray(decode(white.picture))
        alpha = np.asarray(decode(cut.picture).getchannel("A"))
        assert pixels.shape == (600, 600, 3)
        assert (alpha == 0).mean() > 0.05
        assert (pixels[alpha == 0] == 255).all(), photo.name
        left, top, right, bottom = white.product
        assert max(right - left, bottom - top) == pytest.approx(0.85 * 600, abs=2)
        assert pixels[top:bottom, left:right].min() < 200


async def test_a_model_that_nobody_has_is_not_found(
    client: AsyncClient, samples: list[Path]
) -> None:
    with pytest.raises(ModelNotFoundError, match="'nosuch'"):
        await client.render(samples[0], model="nosuch")


async def test_the_reply_tells_model_version_and_times(
    client: AsyncClient, samples: list[Path]
) -> None:
    shot = await client.render(samples[0])
    assert (shot.model, shot.model_version) == ("matte", "1")
    verify_s = shot.stages_s.pop("verify")
    assert verify_s == 0
    assert all(seconds > 0 for seconds in shot.stages_s.values())
    (model,) = [model for model in await client.models() if model.is_default]
    assert (model.name, model.version, model.ready) == ("matte", "1", True)
    assert min(model.input_width_px, model.input_height_px) >= 192
