"""What an object stands on and beside is ground: laid under it, and in no matte."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from torch import Tensor  # noqa: E402

from export.training.camera import photograph  # noqa: E402
from export.training.compose import compose_scenes  # noqa: E402
from export.training.config import STUDIO, SceneConfig  # noqa: E402
from export.training.dice import Dice  # noqa: E402
from export.training.objects.banks import render_bank  # noqa: E402
from export.training.objects.props import TOP_AT, draw_plinth, draw_prop  # noqa: E402
from export.training.sources import Pictures  # noqa: E402
from export.training.standing import scatter, set_on_plinth  # noqa: E402

SIDE = 96


def bank(kind: str, count: int = 6) -> Tensor:
    pixels = np.stack(render_bank(kind, 2, count, SIDE))
    cutouts: Tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
    return cutouts


def a_block(top: int, bottom: int) -> Tensor:
    """Four objects that stand in the middle."""
    alpha: Tensor = torch.zeros(4, 1, SIDE, SIDE)
    alpha[:, :, top:bottom, 36:60] = 1
    return alpha


def test_a_plinth_has_its_top_where_objects_are_set_and_body_below() -> None:
    rng = np.random.default_rng(0)
    for _ in range(12):
        alpha = draw_plinth(rng, SIDE)[..., 3]
        assert alpha[round(TOP_AT * SIDE), SIDE // 2] > 200
        assert alpha[round(TOP_AT * SIDE) + 2, SIDE // 2] > 200
        assert not alpha[0].any()


def test_props_are_whole_and_of_many_forms() -> None:
    rng = np.random.default_rng(1)
    shares = [(draw_prop(rng, SIDE)[..., 3] > 127).mean() for _ in range(20)]
    assert min(shares) > 0.02
    assert max(shares) - min(shares) > 0.2


def test_a_plinth_begins_below_the_object_that_it_carries() -> None:
    ground = torch.full((4, 3, SIDE, SIDE), 0.5)
    wanted = torch.tensor([1.0, 1.0, 1.0, 0.0])
    laid = set_on_plinth(Dice(3), bank("plinth"), ground, a_block(20, 60), wanted)
    changed = (laid - ground).abs().amax(dim=1) > 0.02
    assert not changed[3].any()
    for one in changed[:3]:
        assert one[61:66, 44:52].any()
        assert not one[:36].any()
        assert one[60:].sum() > one[:60].sum()
    assert torch.equal(ground, torch.full_like(ground, 0.5))


def test_an_object_cut_off_by_the_frame_or_absent_gets_no_plinth() -> None:
    ground = torch.full((4, 3, SIDE, SIDE), 0.5)
    for alpha in (a_block(40, SIDE), torch.zeros(4, 1, SIDE, SIDE)):
        laid = set_on_plinth(Dice(3), bank("plinth"), ground, alpha, torch.ones(4))
        assert torch.equal(laid, ground)


def test_props_are_laid_only_where_wanted() -> None:
    ground = torch.full((4, 3, SIDE, SIDE), 0.5)
    laid = scatter(Dice(1), bank("prop"), ground, torch.tensor([0.0, 1.0, 0.0, 1.0]))
    changed = (laid - ground).abs().amax(dim=(1, 2, 3)) > 0.02
    assert changed.tolist() == [False, True, False, True]


def test_what_is_ground_never_enters_a_matte() -> None:
    clear = torch.zeros(2, 4, SIDE, SIDE, dtype=torch.uint8)
    pictures = Pictures(clear, {"shape": clear}, {})
    scene = SceneConfig(
        cutouts={"shape": 1.0},
        backgrounds={STUDIO: 1.0},
        plinth=1.0,
        prop=1.0,
        plain=0.0,
        retexture=0.0,
    )
    bare = compose_scenes(Dice(4), pictures, scene, 4, SIDE)
    with_props = replace(
        pictures, cutouts={"shape": clear, "plinth": bank("plinth"), "prop": bank("prop")}
    )
    decorated = compose_scenes(Dice(4), with_props, scene, 4, SIDE)
    assert not decorated.alpha.any()
    assert (decorated.rgb - bare.rgb).abs().mean() > 0.01


def test_a_plain_body_by_itself_is_the_product() -> None:
    """A prop is ground only beside a product; where nothing else stands, no prop is ground."""
    clear = torch.zeros(2, 4, SIDE, SIDE, dtype=torch.uint8)
    pictures = Pictures(clear, {"shape": clear, "prop": bank("prop"), "plinth": bank("plinth")}, {})
    scene = SceneConfig(
        cutouts={"shape": 1.0},
        backgrounds={STUDIO: 1.0},
        plinth=1.0,
        prop=1.0,
        plain=1.0,
        empty=0.0,
        second_object=1.0,
        decoy=0.0,
        retexture=0.0,
    )
    plain = compose_scenes(Dice(4), pictures, scene, 6, SIDE).alpha
    assert (plain.amax(dim=(1, 2, 3)) == 1).all()
    only_props = {"shape": clear, "prop": bank("prop")}
    bare = replace(pictures, cutouts={"shape": clear, "prop": torch.zeros_like(bank("prop"))})
    empty = replace(scene, empty=1.0)
    decorated = compose_scenes(Dice(4), replace(pictures, cutouts=only_props), empty, 4, SIDE)
    assert not decorated.alpha.any()
    assert torch.equal(decorated.rgb, compose_scenes(Dice(4), bare, empty, 4, SIDE).rgb)


def test_some_scenes_are_empty() -> None:
    solid = torch.full((2, 4, SIDE, SIDE), 255, dtype=torch.uint8)
    pictures = Pictures(solid, {"shape": solid}, {})
    scene = SceneConfig(
        cutouts={"shape": 1.0},
        backgrounds={STUDIO: 1.0},
        empty=0.5,
        second_object=0.5,
        retexture=0.0,
    )
    alpha = compose_scenes(Dice(4), pictures, scene, 40, 32).alpha
    empty = (alpha.amax(dim=(1, 2, 3)) == 0).sum()
    assert 8 <= empty <= 32


def test_turned_hues_keep_grey_grey() -> None:
    grey = torch.full((64, 3, 8, 8), 0.4)
    seen = photograph(Dice(2), grey)
    colour = seen.mean(dim=(2, 3))
    assert (colour.amax(dim=1) - colour.amin(dim=1)).max() < 0.35
