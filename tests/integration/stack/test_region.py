"""Regions and masks on the real network: of several products the one that is meant."""

import asyncio
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from packshot import AsyncClient, NoForegroundError
from tests.support.pictures import decode, encode

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]


def product(root: Path, name: str, longer_px: int) -> tuple[Pixels, Pixels]:
    """Return a sample's product, cut by its reference matte: its colours and its alpha."""
    with Image.open(root / f"{name}.jpg") as image:
        rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    with Image.open(root / f"{name}.matte.png") as image:
        alpha = np.asarray(image.convert("L"))
    rows, columns = np.flatnonzero(alpha.max(axis=1)), np.flatnonzero(alpha.max(axis=0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    rgb, alpha = rgb[part], alpha[part]
    scale = longer_px / max(alpha.shape)
    size = round(alpha.shape[1] * scale), round(alpha.shape[0] * scale)
    small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (rgb, alpha)]
    return small[0].astype(np.uint8), small[1].astype(np.uint8)


def ground(width_px: int, height_px: int) -> Pixels:
    """Return a plain ground that darkens upwards, with a sensor's noise."""
    shade = np.linspace(150, 205, height_px)[:, None, None] * np.array([1, 0.97, 0.93])
    noise = np.random.default_rng(0).normal(0, 2, (height_px, width_px, 1))
    pixels: Pixels = np.clip(shade + noise, 0, 255).astype(np.uint8)
    return pixels


def put(scene: Pixels, ware: tuple[Pixels, Pixels], left: int, top: int) -> tuple[Box, Pixels]:
    """Put a product into a scene; return its box, and its alpha in the scene."""
    rgb, alpha = ware
    height, width = alpha.shape
    part = scene[top : top + height, left : left + width]
    share = alpha[:, :, None] / 255
    part[:] = (part * (1 - share) + rgb * share).astype(np.uint8)
    truth = np.zeros(scene.shape[:2], np.uint8)
    truth[top : top + height, left : left + width] = alpha
    return (left, top, left + width, top + height), truth


def overlap(alpha: Pixels, truth: Pixels) -> float:
    """Return the intersection over the union of two mattes."""
    both = np.stack((alpha, truth)).astype(float)
    return float(both.min(axis=0).sum()) / float(both.max(axis=0).sum())


def marking(box: Box, shape: tuple[int, ...]) -> bytes:
    mask = np.zeros(shape[:2], np.uint8)
    mask[max(box[1] - 10, 0) : box[3] + 10, max(box[0] - 10, 0) : box[2] + 10] = 255
    return encode(mask)


def around(box: Box) -> tuple[int, int, int, int]:
    return box[0] - 10, box[1] - 10, box[2] - box[0] + 20, box[3] - box[1] + 20


async def alpha_of(client: AsyncClient, photo: bytes, **options: object) -> Pixels:
    """Return the cut's alpha; where no product is found, one of zeros in the photo's size."""
    try:
        shot = await client.render(photo, background="transparent", **options)  # type: ignore[arg-type]
    except NoForegroundError:
        return np.zeros(decode(photo).size[::-1], np.uint8)
    return np.asarray(decode(shot.picture).getchannel("A"))


async def test_of_two_products_region_and_erase_mask_pick_the_one_that_is_meant(
    client: AsyncClient, root: Path
) -> None:
    scene = ground(1400, 900)
    camera, of_camera = put(scene, product(root / "samples", "camera", 480), 120, 250)
    bottle, of_bottle = put(scene, product(root / "samples", "bottle", 540), 950, 180)
    photo = encode(scene)
    both, region, erased = await asyncio.gather(
        alpha_of(client, photo),
        alpha_of(client, photo, region=around(bottle)),
        alpha_of(client, photo, erase_mask=marking(bottle, scene.shape)),
    )
    of_both = np.maximum(of_camera, of_bottle)
    assert overlap(both, of_both) > 0.7
    assert overlap(both, of_bottle) < 0.5
    assert overlap(region, of_bottle) > 0.85
    # The network sees all of the photo here, and cuts what is left as it did before.
    assert overlap(erased, of_camera) > 0.55
    assert overlap(erased, of_camera) > overlap(both, of_camera) + 0.2
    assert not erased[bottle[1] : bottle[3], bottle[0] : bottle[2]].any()
    assert not region[:, : bottle[0] - 16].any()
    assert camera[2] < bottle[0]


async def test_a_keep_mask_brings_back_what_the_model_leaves_out(
    client: AsyncClient, root: Path
) -> None:
    """A sheet of paper hardly brighter than the ground lies beside the product."""
    scene = ground(1200, 900)
    _, of_camera = put(scene, product(root / "samples", "camera", 480), 120, 250)
    sheet = (800, 300, 1000, 600)
    paper = scene[sheet[1] : sheet[3], sheet[0] : sheet[2]]
    paper[:] = np.clip(paper.astype(int) + 6, 0, 255).astype(np.uint8)
    photo = encode(scene)
    mask = np.zeros(scene.shape[:2], np.uint8)
    mask[sheet[1] : sheet[3], sheet[0] : sheet[2]] = 255
    without, kept = await asyncio.gather(
        alpha_of(client, photo), alpha_of(client, photo, keep_mask=encode(mask))
    )
    inside = np.s_[sheet[1] + 8 : sheet[3] - 8, sheet[0] + 8 : sheet[2] - 8]
    assert without[inside].mean() < 64
    assert kept[inside].min() == 255
    assert overlap(kept, np.maximum(of_camera, mask)) > 0.75
    # What the mask does not touch is cut as before.
    assert np.array_equal(kept[:, :780], without[:, :780])


async def test_a_small_product_is_cut_better_where_the_model_looks_at_its_region(
    client: AsyncClient, root: Path
) -> None:
    gains = []
    for name in ("bottle", "camera", "headphones", "mug", "toy"):
        scene = ground(3000, 3000)
        box, truth = put(scene, product(root / "samples", name, 290), 900, 1900)
        photo = encode(scene, "JPEG", quality=95)
        whole, region = await asyncio.gather(
            alpha_of(client, photo), alpha_of(client, photo, region=around(box))
        )
        gains.append((name, overlap(whole, truth), overlap(region, truth)))
    shown = ", ".join(f"{name} {whole:.3f} {region:.3f}" for name, whole, region in gains)
    assert np.mean([region for _, _, region in gains]) > 0.88, shown
    assert np.mean([region - whole for _, whole, region in gains]) > 0.08, shown
