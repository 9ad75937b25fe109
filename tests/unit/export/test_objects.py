"""Rendered objects are whole, soft at their edges, and as transparent as what they show."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from torch import Tensor  # noqa: E402

from export.training.config import SceneConfig, TrainingConfig  # noqa: E402
from export.training.cutouts import CANVAS_MARGIN  # noqa: E402
from export.training.dice import Dice  # noqa: E402
from export.training.lighting import match_sharpness, reflect, tone_on_tone  # noqa: E402
from export.training.objects.animals import ANIMALS  # noqa: E402
from export.training.objects.banks import RENDERERS, render_bank  # noqa: E402
from export.training.objects.flacons import COSMETICS  # noqa: E402
from export.training.objects.furniture import FURNITURE  # noqa: E402
from export.training.objects.jewellery import JEWELLERY  # noqa: E402
from export.training.objects.packages import box  # noqa: E402
from export.training.objects.sculpture import Sculpture, box_blur, fitted  # noqa: E402
from export.training.objects.vehicles import VEHICLES  # noqa: E402
from export.training.sheet import COLUMNS, draw_samples, write_picture_sheet  # noqa: E402
from export.training.sources import read_pictures  # noqa: E402

SIDE = 96
# What each fills of its canvas at most.
CLOSED = dict.fromkeys((*VEHICLES, *ANIMALS, *JEWELLERY), 0.9)
MODELLED = CLOSED | dict.fromkeys((*FURNITURE, *COSMETICS), 0.95)


@pytest.mark.parametrize("kind", list(RENDERERS))
def test_a_bank_depends_on_its_seed_alone(kind: str) -> None:
    first, again, other = (np.stack(render_bank(kind, seed, 2, SIDE)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == (2, SIDE, SIDE, 4)
    assert first.dtype == np.uint8


@pytest.mark.parametrize("kind", list(RENDERERS))
def test_objects_fill_their_canvas_and_have_soft_edges(kind: str) -> None:
    for pixels in render_bank(kind, 3, 8, SIDE):
        alpha = pixels[..., 3]
        rows, columns = np.nonzero(alpha > 40)
        longest = max(np.ptp(rows), np.ptp(columns)) + 1
        assert longest == pytest.approx(SIDE - 2 * CANVAS_MARGIN, abs=4)
        assert ((alpha > 20) & (alpha < 235)).any()
        assert (alpha > 127).mean() > 0.01
        assert not alpha[[0, -1]].any()
        assert not alpha[:, [0, -1]].any()


@pytest.mark.parametrize(("draw", "most"), MODELLED.items())
def test_every_model_shows_an_object_with_light_and_shade(draw: object, most: float) -> None:
    assert callable(draw)
    for seed in range(3):
        own = Sculpture(np.random.default_rng(seed), SIDE)
        draw(own)
        pixels = own.finish()
        solid = pixels[..., 3] > 200
        assert 0.005 < solid.mean() < most
        assert pixels[solid][:, :3].std() > 2


def test_ground_shows_through_glass_and_not_through_a_package() -> None:
    """The share of an object that is neither ground nor opaque, its edges aside."""

    def clear(kind: str) -> float:
        shares = []
        for pixels in render_bank(kind, 4, 8, SIDE):
            alpha = pixels[4:-4, 4:-4, 3].astype(np.float32) / 255
            inside = box_blur((alpha > 0.25).astype(np.float32), 2) > 0.99
            shares.append(float(((alpha > 0.3) & (alpha < 0.92))[inside].mean()))
        return float(np.median(shares))

    assert clear("glass") > 0.4
    assert clear("package") < 0.02


def test_a_box_has_no_seam_between_its_faces() -> None:
    for seed in range(6):
        alpha = box(np.random.default_rng(seed), SIDE)[..., 3]
        inside = box_blur((alpha > 100).astype(np.float32), 2) > 0.999
        assert alpha[inside].min() > 245


def test_colours_reach_past_an_edge() -> None:
    mask = np.zeros((40, 40), np.float32)
    mask[9:31, 9:31] = 0.5
    mask[10:30, 10:30] = 1
    red = np.dstack([mask, mask * 0, mask * 0])
    pixels = fitted(red, mask, 40)
    edge = (pixels[..., 3] > 0) & (pixels[..., 3] < 255)
    assert pixels[edge][:, 0].min() > 250
    beside = pixels[CANVAS_MARGIN - 2, 20]
    assert beside[3] == 0
    assert beside[0] > 250


def test_an_object_without_a_visible_part_is_an_error() -> None:
    with pytest.raises(ValueError, match="visible"):
        fitted(np.zeros((9, 9, 3), np.float32), np.zeros((9, 9), np.float32), 9)


def _scene() -> tuple[Tensor, Tensor, Tensor]:
    """Four fine-grained green squares on as many dark red grounds without detail."""
    rgb = torch.zeros(4, 3, 32, 32)
    rgb[:, 1] = 0.4 + 0.5 * (torch.arange(32) % 2)
    alpha = torch.zeros(4, 1, 32, 32)
    alpha[:, :, 8:20, 8:24] = 1
    ground = torch.tensor([0.5, 0.1, 0.1])[None, :, None, None].repeat(4, 1, 32, 32)
    return rgb * alpha, alpha, ground


def test_one_tone_brings_object_and_ground_close_but_not_together() -> None:
    rgb, alpha, ground = _scene()
    wanted = torch.tensor([1.0, 1, 1, 0])
    own, behind = tone_on_tone(Dice(1), rgb, alpha, ground, wanted)

    def gap(things: Tensor, grounds: Tensor) -> Tensor:
        inside = (things * alpha).sum(dim=(2, 3)) / alpha.sum(dim=(2, 3))
        return (inside - grounds.mean(dim=(2, 3))).abs().amax(dim=1)

    assert (gap(own, behind)[:3] < 0.2).all()
    assert (gap(own, behind)[:3] > 0.01).all()
    assert torch.equal(own[3], rgb[3])
    assert torch.equal(behind[3], ground[3])


def test_a_ground_mirrors_below_an_object_only() -> None:
    rgb, alpha, ground = _scene()
    seen = reflect(Dice(1), rgb, alpha, ground, torch.tensor([1.0, 1, 0, 0]))
    assert torch.equal(seen[2:], ground[2:])
    changed = (seen - ground)[:2].abs().sum(dim=1).amax(dim=(0, 2))
    assert not changed[:20].any()
    assert changed[20] > changed[27] > 0


def test_nothing_is_mirrored_where_no_object_stands() -> None:
    rgb, alpha, ground = _scene()
    assert torch.equal(reflect(Dice(1), rgb, alpha * 0, ground, torch.ones(4)), ground)


def test_an_object_sharper_than_its_ground_is_blurred() -> None:
    rgb, alpha, ground = _scene()
    soft, edge = match_sharpness(rgb, alpha, ground, torch.tensor([1.0, 0, 0, 0]))
    inside = np.s_[1, 12:16, 12:20]
    assert soft[0][inside].std() < 0.5 * rgb[0][inside].std()
    assert ((edge[0] > 0) & (edge[0] < 1)).any()
    assert torch.equal(soft[1:], rgb[1:])


def test_a_sheet_shows_as_many_pictures_as_asked_for(training_folder: Path, tmp_path: Path) -> None:
    config = TrainingConfig(
        photo_side=48, cutout_side=40, drawn_shapes=10, rendered_objects=2, drawn_grounds=4
    )
    pictures, _ = read_pictures(training_folder, config)
    first, again = (draw_samples(pictures, SceneConfig(), 1, COLUMNS + 1, 32) for _ in range(2))
    assert [kind for kind, _ in first] == [kind for kind, _ in again]
    assert torch.equal(first[-1][1].rgb, again[-1][1].rgb)
    write_picture_sheet(first, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (COLUMNS * 2 * 32, 2 * (32 + 16))
