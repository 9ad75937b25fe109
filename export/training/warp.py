"""Places pictures on the frame: which part of a photo is seen, where an object stands."""

import torch
from torch import Tensor
from torch.nn import functional

from export.training.dice import Dice

SHRINK_TO_AVERAGE = 2.0


def photo_views(dice: Dice, count: int, closest: float = 0.45) -> Tensor:
    """Draw which part of a whole photo each frame shows.

    Returns:
        (count, 2, 3) float32, from frame coordinates in [-1, 1] to the photo's.
    """
    zoom = torch.where(dice.chance(0.25, count) > 0, 1.0, dice.uniform(closest, 1.0, count))
    across = (zoom * dice.uniform(0.75, 1.3, count)).clamp(max=1.0)
    down = (zoom * dice.uniform(0.75, 1.3, count)).clamp(max=1.0)
    x = (1 - across) * dice.uniform(-1, 1, count)
    y = (1 - down) * dice.uniform(-1, 1, count)
    angle = dice.normal(0.06, count)
    mirror = 1 - 2 * dice.chance(0.5, count)
    return _affine(across * mirror, down, angle, x, y)


def object_places(dice: Dice, count: int, smallest: float = 0.35, largest: float = 1.2) -> Tensor:
    """Draw where each object stands, how large, how turned.

    Returns:
        (count, 2, 3) float32, from frame coordinates in [-1, 1] to the cutout's.
    """
    size = dice.uniform(smallest, largest, count)  # of the longer side, in frames
    squash = torch.exp(dice.normal(0.22, count)).clamp(0.6, 1.7)
    wide, tall = size * squash.sqrt(), size / squash.sqrt()
    room = (1.15 - size).clamp(min=0.12)
    x, y = room * dice.uniform(-1, 1, count), room * dice.uniform(-1, 1, count)
    wild = dice.chance(0.2, count)
    angle = dice.normal(0.15, count) + wild * dice.uniform(-3.1, 3.1, count)
    mirror = 1 - 2 * dice.chance(0.5, count)
    across, down = mirror / wide, 1 / tall
    place = _affine(across, down, angle, torch.zeros_like(x), torch.zeros_like(y))
    # The centre (x, y) of the frame must fall on the cutout's centre.
    place[:, :, 2] = -(place[:, :, :2] @ torch.stack([x, y], dim=1)[:, :, None])[:, :, 0]
    return place


def shadow_places(dice: Dice, places: Tensor) -> Tensor:
    """Draw where each object's shadow falls: sheared, flattened and shifted from the object."""
    count = places.shape[0]
    frame = torch.eye(3, device=places.device).repeat(count, 1, 1)
    frame[:, 0, 1] = dice.normal(0.25, count)  # leans with height
    frame[:, 1, 1] = 1 / dice.uniform(0.6, 1.05, count)
    frame[:, 0, 2] = dice.normal(0.06, count)
    frame[:, 1, 2] = dice.normal(0.05, count) - 0.03
    return places @ frame


def _affine(across: Tensor, down: Tensor, angle: Tensor, x: Tensor, y: Tensor) -> Tensor:
    cos, sin = torch.cos(angle), torch.sin(angle)
    first = torch.stack([across * cos, -across * sin, x], dim=1)
    second = torch.stack([down * sin, down * cos, y], dim=1)
    return torch.stack([first, second], dim=1)


def sample(pictures: Tensor, places: Tensor, side: int, *, beyond: str) -> Tensor:
    """See pictures through affine windows.

    Args:
        pictures: (N, C, S, S) uint8.
        places: (N, 2, 3) float32, frame to picture coordinates.
        side: of the result, pixels.
        beyond: what lies past a picture's edge, "reflection" or "zeros".

    Returns:
        (N, C, side, side) float32 in [0, 1].
    """
    # Where a picture shrinks to less than half, average first: bilinear sampling alone would skip
    # pixels and leave objects sharper than any lens does.
    shrink = places[:, :, :2].norm(dim=1).amax(dim=1) * pictures.shape[-1] / side
    seen = torch.empty(len(pictures), pictures.shape[1], side, side, device=pictures.device)
    for reduced in (False, True):
        at = ((shrink > SHRINK_TO_AVERAGE) == reduced).nonzero()[:, 0].to(pictures.device)
        if len(at) == 0:
            continue
        pixels = pictures[at].float().div_(255.0)
        if reduced:
            pixels = functional.avg_pool2d(pixels, 2)
        windows = places[at.to(places.device)].to(pixels.device)
        grid = functional.affine_grid(windows, [len(at), 1, side, side], align_corners=False)
        seen[at] = functional.grid_sample(
            pixels, grid, mode="bilinear", padding_mode=beyond, align_corners=False
        )
    return seen
