"""Training pictures come from a folder, from a seed, and in range."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from export.errors import PicturesError  # noqa: E402
from export.training.compose import compose_batch, compose_scenes  # noqa: E402
from export.training.config import SceneConfig, TrainingConfig  # noqa: E402
from export.training.cutouts import (  # noqa: E402
    cut_out,
    fill_behind,
    mask_on_white,
    spread_colours,
)
from export.training.dice import Dice  # noqa: E402
from export.training.foliage import draw_foliage  # noqa: E402
from export.training.lighting import defocus  # noqa: E402
from export.training.shapes import KINDS, Pen, draw_shape  # noqa: E402
from export.training.sources import Pictures, read_pictures  # noqa: E402
from export.training.split import held_out, object_name  # noqa: E402
from export.training.warp import sample  # noqa: E402

CONFIG = TrainingConfig(
    photo_side=48, cutout_side=40, drawn_shapes=20, rendered_objects=4, drawn_grounds=4
)


@pytest.fixture(scope="module")
def pictures(training_folder: Path) -> Pictures:
    return read_pictures(training_folder, CONFIG)[0]


def test_the_same_seed_composes_the_same_pictures(pictures: Pictures) -> None:
    scene = SceneConfig()
    first, again, other = (
        compose_batch(Dice(5, step), pictures, scene, 6, 32) for step in (1, 1, 2)
    )
    assert torch.equal(first.rgb, again.rgb)
    assert torch.equal(first.alpha, again.alpha)
    assert not torch.equal(first.rgb, other.rgb)


def test_pictures_and_mattes_stay_in_range_and_hold_an_object(pictures: Pictures) -> None:
    batch = compose_batch(Dice(1), pictures, SceneConfig(), 32, 32)
    assert batch.rgb.shape == (32, 3, 32, 32)
    assert batch.alpha.shape == (32, 1, 32, 32)
    for values in (batch.rgb, batch.alpha):
        assert float(values.min()) >= 0
        assert float(values.max()) <= 1
    shares = batch.alpha.mean(dim=(1, 2, 3))
    assert float((shares > 0.01).float().mean()) > 0.8
    assert 0.1 < float(shares.mean()) < 0.6


def test_an_object_is_where_its_matte_says(pictures: Pictures) -> None:
    """On a white ground, with nothing else going on, the picture changes under the matte only."""
    white = Pictures(
        pictures.masked, {"render": pictures.cutouts["render"]}, {"white": _white_bank()}
    )
    only = SceneConfig(
        cutouts={"render": 1},
        backgrounds={"white": 1},
        second_object=0,
        decoy=0,
        shadow=0,
        harmonise=0,
        retexture=0,
        tone_on_tone=0,
        reflection=0,
        match_sharpness=0,
        defocus=0,
    )
    batch = compose_scenes(Dice(2), white, only, 8, 64)
    changed = (batch.rgb - 1).abs().amax(dim=1, keepdim=True)
    assert float(changed[batch.alpha == 0].max()) < 1e-5
    assert float(changed[batch.alpha > 0.9].min()) > 0.05


def _white_bank() -> Any:
    return torch.full((2, 3, 48, 48), 255, dtype=torch.uint8)


def test_held_out_pictures_are_others_and_stay_so(training_folder: Path) -> None:
    train, kept = read_pictures(training_folder, CONFIG)
    assert len(train.masked) + len(kept.masked) == 24
    assert len(kept.masked) == sum(held_out(f"pfashion{index}") for index in range(24)) > 0
    views = {object_name(f"mug_{view:03}") for view in range(9)}
    assert views == {"mug"}


def test_a_folder_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PicturesError, match="fashion"):
        read_pictures(tmp_path, CONFIG)


def test_a_file_that_is_no_picture_is_named(training_folder: Path, tmp_path: Path) -> None:
    for folder in training_folder.iterdir():
        (tmp_path / folder.name).symlink_to(folder)
    (tmp_path / "clothes").unlink()
    (tmp_path / "clothes").mkdir()
    (tmp_path / "clothes" / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(PicturesError, match=r"broken\.jpg"):
        read_pictures(tmp_path, CONFIG)


@pytest.mark.parametrize("kind", list(dict.fromkeys(KINDS)))
def test_every_drawn_kind_leaves_ground_and_object(kind: Callable[[Pen], None]) -> None:
    for seed in range(4):
        pen = Pen(np.random.default_rng(seed))
        kind(pen)
        share = (np.asarray(pen.image)[..., 3] > 127).mean()
        assert 0.005 < share < 0.9


def test_drawn_shapes_depend_on_the_seed_alone() -> None:
    first, again = (draw_shape(np.random.default_rng(3), 40) for _ in range(2))
    assert np.array_equal(first, again)
    assert first.shape == (40, 40, 4)


def test_a_cutout_keeps_its_proportions_and_a_clear_margin() -> None:
    rgb = np.full((60, 90, 3), 200, np.uint8)
    alpha = np.zeros((60, 90), np.uint8)
    alpha[20:30, 10:70] = 255  # six times as wide as tall
    cutout = cut_out(rgb, alpha, 64)
    assert cutout is not None
    solid = cutout[..., 3] > 127
    wide, tall = solid.any(axis=0).sum(), solid.any(axis=1).sum()
    assert wide / tall == pytest.approx(6, rel=0.2)
    assert not cutout[[0, -1], :, 3].any()
    assert not cutout[:, [0, -1], 3].any()


def test_what_is_not_there_or_too_small_is_not_cut_out() -> None:
    rgb = np.zeros((40, 40, 3), np.uint8)
    alpha = np.zeros((40, 40), np.uint8)
    assert cut_out(rgb, alpha, 32) is None
    alpha[10:14, 10:14] = 255
    assert cut_out(rgb, alpha, 32, smallest_px=20) is None


def test_the_old_background_does_not_stick_to_an_edge() -> None:
    rgb = np.zeros((40, 40, 3), np.uint8)
    rgb[..., 2] = 255  # blue ground
    rgb[10:30, 10:30] = (255, 0, 0)  # red object
    alpha = np.zeros((40, 40), np.uint8)
    alpha[10:30, 10:30] = 255
    spread = spread_colours(rgb, alpha)
    assert spread[8, 20, 0] > 240
    assert spread[8, 20, 2] < 15


def test_a_product_on_white_is_found_with_its_white_label() -> None:
    rgb = np.full((50, 50, 3), 255, np.uint8)
    rgb[10:40, 15:35] = (120, 60, 30)
    rgb[20:30, 20:30] = 255  # a label that the border's white does not reach
    mask = mask_on_white(rgb)
    assert mask is not None
    assert mask[25, 25]
    assert mask.sum() == 30 * 20
    assert mask_on_white(np.full((50, 50, 3), 255, np.uint8)) is None


def test_what_stood_in_a_photo_is_replaced_by_its_surroundings() -> None:
    rgb = np.full((10, 30, 3), 80, np.uint8)
    mask = np.zeros((10, 30), bool)
    mask[2:8, 10:20] = True
    rgb[mask] = 255
    assert np.array_equal(fill_behind(rgb, mask), np.full((10, 30, 3), 80, np.uint8))


def test_the_whole_photo_is_seen_through_the_identity_window() -> None:
    photo = torch.arange(64, dtype=torch.uint8).reshape(1, 1, 8, 8)
    seen = sample(photo, torch.eye(2, 3)[None], 8, beyond="zeros")
    torch.testing.assert_close(seen * 255, photo.float())


def test_foliage_is_the_seed_s_own_and_full_of_detail() -> None:
    first, again, other = (draw_foliage(np.random.default_rng(seed), 64) for seed in (1, 1, 2))
    assert first.shape == (64, 64, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.astype(float).std(axis=(0, 1)).mean() > 8


def test_a_ground_out_of_focus_loses_detail_and_keeps_its_colour() -> None:
    ground = Dice(3).uniform(0, 1, 4, 3, 48, 48)
    soft = defocus(Dice(4), ground, torch.tensor([1.0, 0.0, 1.0, 1.0]))
    assert torch.equal(soft[1], ground[1])
    for index in (0, 2, 3):
        assert float(soft[index].std()) < 0.6 * float(ground[index].std())
        assert abs(float(soft[index].mean() - ground[index].mean())) < 0.02
