"""The torch port of the gateway's steps, against these steps themselves."""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.rendered_scenes import render_scene, small_matte
from imaging.compose.blend import composite_over
from imaging.matting.clean import clean_matte
from imaging.matting.foreground import estimate_foreground
from imaging.matting.guided import upsample_guided
from imaging.matting.prepare import to_model_input
from imaging.types import WHITE, Photo, Pixels

torch = pytest.importorskip("torch")

from benchmarks.device_pipeline import clean, refine  # noqa: E402  these need torch
from benchmarks.device_pipeline.cpu_path import CpuPath, make_files  # noqa: E402
from benchmarks.device_pipeline.pipeline import STAGES, DevicePipeline  # noqa: E402
from benchmarks.why_gpu.devices import Device  # noqa: E402

_SIDE = 320
_MATTE = 200  # of mattes that are cleaned alone
_ROOT = Path(__file__).resolve().parents[3]
_MODEL = _ROOT / "model_repository/matte/1/model.onnx"


scene = cache(render_scene)


def batched(pictures: list[Pixels]) -> Any:
    stacked = torch.from_numpy(np.stack(pictures))
    return stacked.permute(0, 3, 1, 2).contiguous() if stacked.ndim == 4 else stacked


def broken_mattes() -> list[Pixels]:
    """Mattes with islands near and far, faint and solid, and with holes of every kind."""
    rng = np.random.default_rng(0)
    made = [small_matte(scene(number, 640).alpha, _MATTE) for number in range(3)]
    for matte in list(made):
        holed = matte.copy()
        for _ in range(40):
            x, y = (int(at) for at in rng.integers(0, _MATTE, 2))
            value = int(rng.choice((0, 20, 60, 100, 170, 230, 255)))
            cv2.circle(holed, (x, y), int(rng.integers(0, 6)), value, -1)
        made.append(holed)
    noise = rng.integers(0, 256, (_MATTE, _MATTE), np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.uint8)
    made += [blurred, noise, np.zeros_like(noise)]
    made.append(np.full_like(noise, 255))
    return made


def test_components_are_opencvs() -> None:
    mask = np.random.default_rng(0).random((2, _SIDE, _SIDE)) < 0.4
    mask[1, 40] = True
    found = clean.components(torch.from_numpy(mask)).view(2, _SIDE, _SIDE).numpy()
    for own, labels in zip(mask, found, strict=True):
        count, reference = cv2.connectedComponents(own.astype(np.uint8))
        pairs = set(zip(reference[own].tolist(), labels[own].tolist(), strict=True))
        assert len(pairs) == count - 1 == len(set(labels[own].tolist()))


def test_cleaned_mattes_are_the_gateways_to_the_bit() -> None:
    mattes = broken_mattes()
    cleaned = clean.clean_mattes(batched(mattes).float()).to(torch.uint8).numpy()
    changed = 0
    for own, matte in zip(cleaned, mattes, strict=True):
        np.testing.assert_array_equal(own, clean_matte(matte))
        changed += int((own != matte).any())
    assert changed >= 3


@pytest.mark.parametrize(("height", "width"), [(1000, 1000), (811, 1207), (1300, 1289)])
def test_the_networks_view_is_the_gateways_within_a_step(height: int, width: int) -> None:
    rgb = np.ascontiguousarray(scene(1, 1300).rgb[:height, :width])
    own = refine.shrink(batched([rgb]), _SIDE)[0].permute(1, 2, 0).numpy()
    reference = to_model_input(Photo(rgb), _SIDE, _SIDE)[0].astype(np.float32)
    assert np.abs(own - reference).max() <= 2
    assert np.abs(own - reference).mean() < 0.3


def test_a_photo_smaller_than_the_networks_view_is_refused() -> None:
    with pytest.raises(ValueError, match="300x400; 320"):
        refine.shrink(torch.zeros(1, 3, 400, 300, dtype=torch.uint8), _SIDE)


@pytest.mark.parametrize(("height", "width"), [(1000, 1000), (811, 1207)])
def test_each_step_at_full_size_is_the_gateways_within_a_step(height: int, width: int) -> None:
    rgbs, mattes, guides = [], [], []
    for number in range(2):
        made = scene(number, 1300)
        rgbs.append(np.ascontiguousarray(made.rgb[:height, :width]))
        mattes.append(small_matte(np.ascontiguousarray(made.alpha[:height, :width]), _SIDE))
        guides.append(to_model_input(Photo(rgbs[-1]), _SIDE, _SIDE)[0])
    alphas = refine.upsample_guided(
        batched(mattes).float(), batched(guides).float(), batched(rgbs)
    ).numpy()
    references = [upsample_guided(*each) for each in zip(mattes, guides, rgbs, strict=True)]
    for own, reference in zip(alphas, references, strict=True):
        difference = np.abs(own.astype(int) - reference)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01
    foregrounds = refine.unmix(batched(rgbs), batched(references)).permute(0, 2, 3, 1).numpy()
    for own, rgb, reference in zip(foregrounds, rgbs, references, strict=True):
        difference = np.abs(own.astype(int) - estimate_foreground(rgb, reference))
        assert difference.max() <= 1
        assert (own != rgb).any()


def test_blending_over_white_is_exact() -> None:
    values = np.arange(256, dtype=np.uint8)
    rgb = np.broadcast_to(values[:, None, None], (256, 256, 3)).copy()
    alpha = np.broadcast_to(values, (256, 256)).copy()
    own = refine.on_white(batched([rgb]), batched([alpha]))[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(own, composite_over(rgb, alpha, WHITE))


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return make_files(_ROOT / "samples", 0.36, 2)


@pytest.fixture(scope="module")
def pipeline(files: list[bytes]) -> DevicePipeline:
    device = Device("cpu", torch.device("cpu"))
    weights = _ROOT / "export/weights/matte.safetensors"
    return DevicePipeline(device, "fp32", len(files), weights)


def test_packshots_are_the_gateways_within_a_step_for_the_same_mattes(
    files: list[bytes], pipeline: DevicePipeline
) -> None:
    reference = CpuPath(_MODEL)
    photos = [reference.decode(one) for one in files]
    seen, mattes = zip(*(reference.matte(photo) for photo in photos), strict=True)
    rgb = batched([photo.rgb for photo in photos])
    views = refine.shrink(rgb, _SIDE)
    own_mattes = pipeline.mattes(views).to(torch.uint8).numpy()
    assert np.abs(own_mattes.astype(int) - np.stack(mattes)).mean() < 0.5
    given = batched(list(mattes)).float()
    own = pipeline.compose(rgb, batched(list(seen)).float(), given).permute(0, 2, 3, 1).numpy()
    for packshot, photo, view, matte in zip(own, photos, seen, mattes, strict=True):
        wanted = reference.compose(photo, view, matte)
        assert np.abs(packshot.astype(int) - wanted).max() <= 2
        assert 0.05 < (wanted == 255).all(axis=2).mean() < 0.95


def test_files_come_out_as_the_gateway_makes_them_and_every_stage_is_told(
    files: list[bytes], pipeline: DevicePipeline
) -> None:
    stages: list[str] = []
    made = pipeline.render(files, stages.append)
    assert tuple(stages) == STAGES
    reference = CpuPath(_MODEL)
    for own, file in zip(made, files, strict=True):
        with Image.open(BytesIO(own)) as picture, Image.open(BytesIO(file)) as photo:
            assert picture.size == photo.size
            pixels = np.asarray(picture, int)
        with Image.open(BytesIO(reference.render(file))) as picture:
            assert np.abs(pixels - np.asarray(picture)).mean() < 0.5
