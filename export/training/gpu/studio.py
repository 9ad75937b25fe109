"""Studio sets as grounds: a wall, a table in perspective, sweeps of light; and grounds at large."""

import torch
from torch import Tensor
from torch.nn import functional

from export.training.dice import Dice
from export.training.gpu.bank import GROUND, DeviceBank
from export.training.gpu.making import CLOSE, SURFACE
from export.training.warp import photo_views, sample

WHITE, ALIKE = 0.3, 0.35  # shares of white walls, and of tables of the wall's own colour
TEXTURED_TABLE, PHOTO_WALL, TEXTURED_WALL = 0.5, 0.12, 0.15
NO_TABLE = 0.3


def _each(values: Tensor) -> Tensor:
    return values.reshape(len(values), -1, 1, 1)


def photo_grounds(
    dice: Dice, bank: DeviceBank, weights: dict[str, float], count: int, side: int
) -> Tensor:
    """Draw parts of photos as grounds, (count, 3, side, side) float32 in [0, 1]."""
    there = {kind: share for kind, share in weights.items() if (GROUND, kind) in bank.shelves}
    kinds = dice.kinds(there, count)
    grounds = torch.empty(count, 3, side, side, device=dice.device)
    for kind in sorted(set(kinds)):
        at = torch.tensor([i for i, own in enumerate(kinds) if own == kind], device=dice.device)
        views = photo_views(dice, len(at), closest=0.25 if kind == CLOSE else 0.4)
        if kind == CLOSE:
            views = views * views.new_tensor([0.4, 0.4, 1.0])
        chosen = bank.draw(dice, GROUND, kind, len(at))
        grounds[at] = sample(chosen, views, side, beyond="reflection")
    return grounds


def wall_colours(dice: Dice, count: int) -> Tensor:
    """Draw colours as sellers choose them: white often, pale or deep, seldom loud; (count, 3)."""
    bright = dice.uniform(0.04, 1.0, count, 1).pow(0.6)
    tint = dice.normal(0.09, count, 3) * dice.chance(0.65, count, 1)
    loud = dice.uniform(0.0, 1.0, count, 3)
    colour = torch.where(dice.chance(0.1, count, 1) > 0, loud, bright + tint)
    white = dice.uniform(0.9, 1.0, count, 1).expand(-1, 3)
    return torch.where(dice.chance(WHITE, count, 1) > 0, white, colour).clamp(0.01, 1)


def smooth(dice: Dice, count: int, channels: int, cells: int, side: int) -> Tensor:
    """Draw smooth noise of deviation one, (count, channels, side, side)."""
    coarse = dice.normal(1.0, count, channels, cells, cells)
    return functional.interpolate(coarse, size=side, mode="bicubic", align_corners=False)


def studio_sets(dice: Dice, bank: DeviceBank, count: int, side: int) -> Tensor:
    """Render studio sets.

    Returns:
        (count, 3, side, side) float32 in [0, 1].
    """
    wall_colour = wall_colours(dice, count)
    wall = _each(wall_colour).expand(-1, -1, side, side)
    if bank.kinds(GROUND):
        wall = _covered(dice, bank, wall)
    table_colour = torch.where(
        dice.chance(ALIKE, count, 1) > 0,
        wall_colour + dice.normal(0.03, count, 3),
        wall_colours(dice, count),
    ).clamp(0.01, 1)
    table = _each(table_colour).expand(-1, -1, side, side)
    horizon = dice.uniform(0.2, 0.85, count)
    if (GROUND, SURFACE) in bank.shelves:
        textured = _in_perspective(dice, bank, horizon, side)
        tinted = textured * (0.5 + 0.5 * _each(table_colour))
        some = _each(dice.chance(TEXTURED_TABLE, count))
        table = torch.lerp(
            table, torch.lerp(textured, tinted, _each(dice.chance(0.3, count))), some
        )
    rows = torch.linspace(0, 1, side, device=dice.device)[None, None, :, None]
    lean = torch.linspace(-1, 1, side, device=dice.device)[None, None, None]
    edge = _each(horizon) + lean * _each(dice.normal(0.03, count))
    # From the hard edge of a table to a paper sweep without any.
    softness = torch.exp(dice.uniform(-6.5, -1.8, count))
    below = torch.sigmoid((rows - edge) / _each(softness))
    below = below * _each(1 - dice.chance(NO_TABLE, count))
    ground = torch.lerp(wall, table, below)
    corner = torch.exp(-((rows - edge) / 0.05).square()) * _each(dice.uniform(-0.25, 0.05, count))
    ground = ground * (1 + corner * _each(dice.chance(0.4, count)))
    light = smooth(dice, count, 1, 3, side) * _each(dice.uniform(0, 0.16, count))
    light = light + smooth(dice, count, 3, 2, side) * 0.025
    ground = ground * (1 + light * _each(dice.chance(0.8, count)))
    clutter = smooth(dice, count, 1, int(dice.uniform(3, 14, 1)), side) * 0.12
    clutter = clutter + smooth(dice, count, 3, 6, side) * 0.04
    ground = ground + clutter * _each(dice.chance(0.06, count))
    return _window_light(dice, ground).clamp(0, 1)


def _covered(dice: Dice, bank: DeviceBank, wall: Tensor) -> Tensor:
    """Cover some walls with a texture, others with a photo far out of focus."""
    count, _, side, _ = wall.shape
    kinds = [kind for kind in bank.kinds(GROUND) if kind not in {SURFACE, CLOSE}]
    sort = dice.uniform(0, 1, count)
    wall = wall.clone()
    at = (sort < PHOTO_WALL).nonzero()[:, 0]
    if len(at) and kinds:
        small = photo_grounds(dice, bank, dict.fromkeys(kinds, 1.0), len(at), max(side // 10, 8))
        wall[at] = functional.interpolate(small, size=side, mode="bicubic", align_corners=False)
    at = (sort > 1 - TEXTURED_WALL).nonzero()[:, 0]
    if len(at) and (GROUND, SURFACE) in bank.shelves:
        wall[at] = photo_grounds(dice, bank, {SURFACE: 1.0}, len(at), side)
    return wall


def _in_perspective(dice: Dice, bank: DeviceBank, horizon: Tensor, side: int) -> Tensor:
    """See surfaces lie below a horizon, nearer rows larger, (N, 3, side, side)."""
    count = len(horizon)
    at = torch.linspace(-1, 1, side, device=dice.device)
    down, across = torch.meshgrid(at, at, indexing="ij")
    # The eye's own horizon lies above the table's far edge.
    eye = _each(2 * horizon - 1)[:, 0] - _each(dice.uniform(0.15, 2.5, count))[:, 0]
    depth = 1 / (down[None] - eye).clamp(min=0.1)
    near = 1 / (1 - eye)
    size = _each(dice.uniform(0.35, 1.0, count))[:, 0]
    u = across[None] * depth / near * size
    v = depth / near * size * 1.5
    turn = _each(dice.uniform(-0.5, 0.5, count))[:, 0]
    grid = torch.stack([u * turn.cos() + v * turn.sin(), v * turn.cos() - u * turn.sin()], dim=-1)
    chosen = bank.draw(dice, GROUND, SURFACE, count).float().div_(255)
    seen = functional.grid_sample(chosen, grid, padding_mode="reflection", align_corners=False)
    # Far rows would flicker: they are mixed with the surface's mean.
    far = ((depth / near - 2) / 4).clamp(0, 0.8)[:, None]
    return torch.lerp(seen, chosen.mean(dim=(2, 3), keepdim=True).expand_as(seen), far)


def _window_light(dice: Dice, ground: Tensor) -> Tensor:
    """Cast bars of light or shade, as through a window or leaves, on some."""
    count, _, side, _ = ground.shape
    at = dice.chance(0.08, count).nonzero()[:, 0]
    if len(at) == 0:
        return ground
    line = torch.linspace(0, 1, side, device=dice.device)
    turn, often = dice.uniform(0, 3.1, len(at)), dice.uniform(1, 6, len(at))
    wave = torch.sin(
        6.3 * _each(often) * (line[:, None] * _each(turn.sin()) + line[None] * _each(turn.cos()))
        + smooth(dice, len(at), 1, 4, side) * 0.6
    )
    bars = torch.sigmoid(wave * _each(dice.uniform(2, 20, len(at)))) - 0.5
    ground = ground.clone()
    ground[at] = ground[at] * (1 + bars * _each(dice.uniform(0.1, 0.5, len(at))))
    return ground
