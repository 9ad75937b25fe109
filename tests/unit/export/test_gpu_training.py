"""Training on a device: packs travel, composing is exact, losses and schedule are as stated."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from export.errors import PicturesError  # noqa: E402
from export.training.dice import Dice  # noqa: E402
from export.training.gpu.bank import CUTOUT, GROUND, PHOTO, DeviceBank  # noqa: E402
from export.training.gpu.config import STUDIO, DeviceConfig, DeviceScenes  # noqa: E402
from export.training.gpu.jpeg import compress  # noqa: E402
from export.training.gpu.losses import device_loss, edge_band  # noqa: E402
from export.training.gpu.packs import PHOTO as PACKED_PHOTO  # noqa: E402
from export.training.gpu.packs import Wanted, decoded, read_pack, write_pack  # noqa: E402
from export.training.gpu.scenes import compose_on, paste  # noqa: E402
from export.training.gpu.shadows import cast, contact, lowest_rows  # noqa: E402

SIDE = 64
CPU = torch.device("cpu")
# Nothing that changes colours: what is pasted can be foretold.
PLAIN = DeviceScenes(
    whole=0.0,
    cutouts={"ware": 1.0},
    tone_on_tone=0,
    retexture=0,
    harmonise=0,
    match_sharpness=0,
    plinth=0,
    reflection=0,
    cast=0,
    contact=0,
    behind=0,
)


def disc(colour: tuple[int, int, int]) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    alpha = np.clip((24 - np.hypot(x, y)) * 64 + 128, 0, 255).astype(np.uint8)
    return np.dstack([np.broadcast_to(np.array(colour, np.uint8), (SIDE, SIDE, 3)), alpha])


@pytest.fixture
def bank() -> DeviceBank:
    bank = DeviceBank(CPU)
    bank.put(CUTOUT, "ware", [disc((255, 0, 0))])
    bank.put(GROUND, "landscapes", [np.full((SIDE, SIDE, 3), 60, np.uint8)])
    bank.put(PHOTO, "clothes", [disc((0, 255, 0))])
    return bank


def test_what_is_pasted_is_alpha_over_ground(bank: DeviceBank) -> None:
    ground = torch.full((6, 3, SIDE, SIDE), 0.25)
    rgb, alpha = paste(Dice(3), bank, PLAIN, ground, torch.zeros(6))
    own, matte = np.array([1.0, 0, 0])[None, :, None, None], alpha.numpy()
    expected = own * matte + 0.25 * (1 - matte)
    assert np.abs(rgb.numpy() - expected).max() < 0.01
    assert (matte.max(axis=(1, 2, 3)) > 0.9).all()
    assert (matte.min(axis=(1, 2, 3)) == 0).any()


def test_a_plain_body_by_itself_is_the_product(bank: DeviceBank) -> None:
    """A prop is ground only beside a product; a scene without a product holds none."""
    lone = replace(PLAIN, plain=1.0, empty=0.0, prop=1.0, second=1.0, decoy=0, bystander=0)
    bank.put(CUTOUT, "prop", [disc((0, 0, 255))])
    assert (compose_on(Dice(4), bank, lone, 6, SIDE).alpha.amax(dim=(1, 2, 3)) == 1).all()
    bare = replace(lone, prop=0.0, empty=1.0)
    empty = compose_on(Dice(4), bank, replace(lone, empty=1.0), 4, SIDE)
    assert not empty.alpha.any()
    assert torch.equal(empty.rgb, compose_on(Dice(4), bank, bare, 4, SIDE).rgb)


def test_shadows_change_the_ground_and_never_the_object(bank: DeviceBank) -> None:
    ground = torch.full((8, 3, SIDE, SIDE), 0.5)
    shaded = replace(PLAIN, cast=1.0, contact=1.0)
    rgb, alpha = paste(Dice(5), bank, shaded, ground, torch.ones(8))
    outside, inside = (alpha == 0).expand_as(rgb), (alpha > 0.999).expand_as(rgb)
    assert rgb[outside].max() <= 0.5 + 1e-6
    assert rgb[outside].min() < 0.45
    assert (rgb[:, :1][inside[:, :1]] > 0.99).all()


def test_a_shadow_begins_at_the_foot() -> None:
    alpha = torch.zeros(4, 1, SIDE, SIDE)
    alpha[:, :, 16:40, 24:40] = 1
    assert torch.allclose(lowest_rows(alpha), torch.full((4,), 2 * 39.5 / SIDE - 1))
    for draw in (cast, contact):
        dark = draw(Dice(1), alpha)
        assert dark.shape == alpha.shape
        assert 0 < float(dark[:, :, 34:46].max()) <= 1
    assert float(contact(Dice(1), alpha)[:, :, :24].max()) < 0.05


def test_shares_of_kinds_are_those_of_the_configuration(bank: DeviceBank) -> None:
    scenes = replace(PLAIN, whole=0.25, photos={"clothes": 1.0}, empty=0.0, jpeg=0.0)
    scenes = replace(scenes, grounds={STUDIO: 1.0}, second=0, bystander=0, prop=0, decoy=0)
    batch = compose_on(Dice(2), bank, scenes, 40, SIDE)
    assert batch.rgb.shape == (40, 3, SIDE, SIDE)
    assert batch.alpha.shape == (40, 1, SIDE, SIDE)
    assert 0 <= float(batch.rgb.min()) <= float(batch.rgb.max()) <= 1
    assert (batch.alpha.amax(dim=(1, 2, 3)) > 0.5).float().mean() > 0.9
    none = compose_on(Dice(2), bank, replace(scenes, whole=0.0, empty=1.0), 8, SIDE)
    assert float(none.alpha.max()) == 0


def test_the_same_dice_compose_the_same_batch(bank: DeviceBank) -> None:
    first, again = (compose_on(Dice(9), bank, DeviceScenes(), 8, SIDE) for _ in range(2))
    assert torch.equal(first.rgb, again.rgb)


def test_what_is_rendered_forgets_its_oldest_and_what_is_read_stays() -> None:
    bank = DeviceBank(CPU, most=3, endless=frozenset({(CUTOUT, "ware")}))
    for shade in range(70):
        for kind in ("ware", "render"):
            bank.put(CUTOUT, kind, [np.full((2, 2, 4), shade, np.uint8)])
    assert bank.count() == {"cutout ware": 3, "cutout render": 70}
    newest = bank.shelves[CUTOUT, "ware"].pixels[:, 0, 0, 0]
    assert sorted(newest[:3].tolist()) == [67, 68, 69]


def test_a_pack_keeps_the_ground_below_an_empty_matte(tmp_path: Path) -> None:
    (tmp_path / "clothes").mkdir()
    (tmp_path / "mattes").mkdir()
    photo = np.full((96, 80, 3), (40, 160, 90), np.uint8)
    Image.fromarray(photo).save(tmp_path / "clothes" / "one.png")
    matte = np.zeros((96, 80), np.uint8)
    matte[20:60, 20:60] = 255
    Image.fromarray(matte).save(tmp_path / "mattes" / "clothes__one.webp", lossless=True)
    wanted = Wanted(PACKED_PHOTO, tmp_path / "clothes" / "one.png", tmp_path / "mattes")
    pack = tmp_path / "pack.safetensors"
    write_pack([wanted], pack)
    ((name, data),) = read_pack(pack).items()
    pixels = decoded(data, "RGBA").astype(int)
    assert name == "photo|clothes|one"
    assert np.abs(pixels[..., :3] - photo).mean() < 8
    assert np.abs(pixels[..., 3] - matte).mean() < 2


def test_half_a_pack_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "half.safetensors"
    path.write_bytes(b"\x10\x00\x00\x00")
    with pytest.raises(PicturesError, match=r"half\.safetensors"):
        read_pack(path)


def test_compressing_loses_little_and_more_of_fine_detail() -> None:
    flat = torch.full((16, 3, SIDE, SIDE), 0.5)
    noise = torch.rand(16, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    assert (compress(Dice(1), flat, 1.0) - flat).abs().max() < 0.06
    lost = (compress(Dice(1), noise, 1.0) - noise).abs().mean()
    assert 0.01 < float(lost) < 0.3
    assert torch.equal(compress(Dice(1), noise, 0.0), noise)


def test_an_error_at_an_edge_costs_more() -> None:
    alpha = torch.zeros(1, 1, SIDE, SIDE)
    alpha[..., SIDE // 2 :] = 1
    assert float(edge_band(alpha)[..., 0].max()) == 0
    right = (alpha - 0.5) * 12
    near, far = right.clone(), right.clone()
    near[..., 30, SIDE // 2], far[..., 30, -1] = -6, -6
    losses = [float(device_loss([one], alpha, 0.2, 3.0)) for one in (right, far, near)]
    assert losses[0] < losses[1] < losses[2]


def test_the_schedule_grows_and_ends_with_its_last_side() -> None:
    config = DeviceConfig()
    sides = [config.side_at(share / 10) for share in range(11)]
    assert sides == sorted(sides)
    assert sides[-1] == config.sides[-1][1]
