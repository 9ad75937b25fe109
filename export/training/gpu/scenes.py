"""Composes training pictures on the device that trains, a whole batch at a time."""

import torch
from torch import Tensor
from torch.nn import functional

from export.training.batch import Batch
from export.training.camera import photograph
from export.training.dice import Dice
from export.training.gpu.bank import CUTOUT, GROUND, PHOTO, DeviceBank
from export.training.gpu.config import STUDIO, DeviceScenes
from export.training.gpu.jpeg import compress
from export.training.gpu.shadows import behind, cast, contact
from export.training.gpu.studio import photo_grounds, smooth, studio_sets
from export.training.lighting import defocus, match_sharpness, reflect, tone_on_tone
from export.training.objects.props import PLINTH, PROP
from export.training.standing import set_on_plinth
from export.training.warp import object_places, photo_views, sample

# Kinds that may take on a real texture.
PLAIN = frozenset(
    {"render", "emoji", "shape", "vehicle", "animal", "package", "furniture", "ware", "device"}
)
PASTED_AT_ONCE = 64  # one defocus and one blur for so many


def _each(values: Tensor) -> Tensor:
    return values.reshape(len(values), -1, 1, 1)


@torch.no_grad()
def compose_on(dice: Dice, bank: DeviceBank, scenes: DeviceScenes, count: int, side: int) -> Batch:
    """Compose a batch.

    Args:
        dice: of the bank's device; decides everything.
        bank: what scenes are made of.
        scenes: how often what happens.
        count: of pictures.
        side: of the pictures, pixels, divisible by 32.

    Returns:
        rgb (N, 3, S, S) and alpha (N, 1, S, S), float32 in [0, 1].
    """
    whole = round(scenes.whole * count) if bank.kinds(PHOTO) else 0
    parts = [whole_photos(dice, bank, scenes, whole, side)] if whole else []
    for start in range(0, count - whole, PASTED_AT_ONCE):
        some = min(PASTED_AT_ONCE, count - whole - start)
        parts.append(compose_sets(dice, bank, scenes, some, side))
    rgb = torch.cat([part.rgb for part in parts])
    alpha = torch.cat([part.alpha for part in parts])
    rgb = compress(dice, photograph(dice, rgb), scenes.jpeg)
    return Batch(rgb, alpha)


def whole_photos(
    dice: Dice, bank: DeviceBank, scenes: DeviceScenes, count: int, side: int
) -> Batch:
    """See whole photos, cropped, mirrored and a little turned."""
    chosen = bank.draw_mixed(dice, PHOTO, scenes.photos, count)
    seen = sample(chosen, photo_views(dice, count, closest=0.5), side, beyond="reflection")
    return Batch(seen[:, :3], seen[:, 3:])


def compose_sets(
    dice: Dice, bank: DeviceBank, scenes: DeviceScenes, count: int, side: int
) -> Batch:
    """Set objects on grounds, as they are before a camera sees them."""
    ground = draw_grounds(dice, bank, scenes, count, side)
    ground = _decoys(dice, bank, scenes, ground)
    ground = _bystanders(dice, bank, scenes, ground)
    # A plain body is ground beside a product, and the product where it stands by itself.
    empty = dice.chance(scenes.empty, count)
    plain = dice.chance(scenes.plain, count) * (1 - empty) * float((CUTOUT, PROP) in bank.shelves)
    accompanied = (1 - empty) * (1 - plain)
    for share in (scenes.prop, scenes.prop / 2, scenes.prop / 3):
        ground = _prop(dice, bank, scenes, ground, dice.chance(share, count) * accompanied)
    ground = defocus(dice, ground, dice.chance(scenes.defocus, count))
    several = dice.chance(scenes.second, count) * accompanied
    rgb, alpha = paste(dice, bank, scenes, ground, several, plain=plain)
    rgb, alpha = torch.lerp(rgb, ground, _each(empty)), alpha * (1 - _each(empty))
    for wanted in (several, dice.chance(scenes.third, count) * several):
        at = wanted.nonzero()[:, 0]
        if len(at):
            own, second = paste(dice, bank, scenes, rgb[at], torch.ones_like(at).float(), calm=True)
            rgb[at], alpha[at] = own, torch.maximum(alpha[at], second)
    return Batch(rgb, alpha)


def draw_grounds(
    dice: Dice, bank: DeviceBank, scenes: DeviceScenes, count: int, side: int
) -> Tensor:
    """Draw grounds: studio sets, and parts of photos, (count, 3, side, side)."""
    photos = {kind: share for kind, share in scenes.grounds.items() if kind != STUDIO}
    photos = {kind: share for kind, share in photos.items() if (GROUND, kind) in bank.shelves}
    if not photos:
        return studio_sets(dice, bank, count, side)
    share = scenes.grounds[STUDIO] / (scenes.grounds[STUDIO] + sum(photos.values()))
    is_set = dice.chance(share, count) > 0
    ground = torch.empty(count, 3, side, side, device=dice.device)
    sets, others = is_set.nonzero()[:, 0], (~is_set).nonzero()[:, 0]
    if len(sets):
        ground[sets] = studio_sets(dice, bank, len(sets), side)
    if len(others):
        ground[others] = photo_grounds(dice, bank, photos, len(others), side)
    return ground


def paste(
    dice: Dice,
    bank: DeviceBank,
    scenes: DeviceScenes,
    ground: Tensor,
    several: Tensor,
    *,
    plain: Tensor | None = None,
    calm: bool = False,
) -> tuple[Tensor, Tensor]:
    """Set an object, with its shadows, onto each ground.

    Args:
        dice: decides which and how.
        bank: what objects there are.
        scenes: how often what happens.
        ground: (N, 3, S, S).
        several: (N,) 1.0 where more objects share the frame: they are smaller.
        plain: (N,) 1.0 where the object is a plain body, on no plinth; None: nowhere.
        calm: change nothing of the ground but light: objects may stand there already.

    Returns:
        rgb (N, 3, S, S) and the object's matte (N, 1, S, S).
    """
    count, _, side, _ = ground.shape
    small = object_places(dice, count, smallest=0.2, largest=0.7)
    large = object_places(dice, count, smallest=0.35, largest=1.15)
    places = torch.where(several[:, None, None] > 0, small, large)
    cutouts, textured = _draw_cutouts(dice, bank, scenes, count)
    if plain is not None and len(bodies := plain.nonzero()[:, 0]):
        cutouts[bodies] = bank.draw(dice, CUTOUT, PROP, len(bodies))
        textured[bodies] = 0
    seen = sample(cutouts, places, side, beyond="zeros")
    rgb, alpha = seen[:, :3], _soften(dice, seen[:, 3:])
    wanted = (dice.uniform(0, 1, count) < textured).float()
    rgb = _retexture(dice, bank, scenes, rgb, wanted)
    share = _each(dice.chance(scenes.harmonise, count) * dice.uniform(0.05, 0.6, count))
    drift = ground.mean(dim=(2, 3), keepdim=True) - rgb.mean(dim=(2, 3), keepdim=True)
    rgb = (rgb + share * drift).clamp(0, 1)
    alike = dice.chance(0.0 if calm else scenes.tone_on_tone, count)
    rgb, ground = tone_on_tone(dice, rgb, alpha, ground, alike)
    rgb, alpha = match_sharpness(rgb, alpha, ground, dice.chance(scenes.match_sharpness, count))
    if (CUTOUT, PLINTH) in bank.shelves:
        on_plinth = dice.chance(0.0 if calm else scenes.plinth, count)
        on_plinth = on_plinth if plain is None else on_plinth * (1 - plain)
        plinths = bank.draw(dice, CUTOUT, PLINTH, 2 * count)
        ground = set_on_plinth(dice, plinths, ground, alpha, on_plinth)
    ground = reflect(dice, rgb, alpha, ground, dice.chance(scenes.reflection, count))
    ground = _shaded(dice, scenes, ground, alpha, alike)
    return torch.lerp(ground, rgb, alpha), alpha


def _shaded(
    dice: Dice, scenes: DeviceScenes, ground: Tensor, alpha: Tensor, alike: Tensor
) -> Tensor:
    """Let shadows fall on grounds, fainter where object and ground share a tone."""
    count = len(ground)
    tint = 1 - _each(dice.uniform(0.0, 0.15, count, 3))
    for draw, share, depth in (
        (cast, scenes.cast, (0.08, 0.6)),
        (contact, scenes.contact, (0.2, 0.85)),
        (behind, scenes.behind, (0.05, 0.45)),
    ):
        wanted = dice.chance(share, count)
        at = wanted.nonzero()[:, 0]
        strength = dice.uniform(*depth, count) * (1 - 0.5 * alike)
        if len(at):
            dark = draw(dice, alpha[at]) * _each(strength[at]) * tint[at]
            ground = ground.index_copy(0, at, ground[at] * (1 - dark))
    return ground


def _draw_cutouts(
    dice: Dice, bank: DeviceBank, scenes: DeviceScenes, count: int
) -> tuple[Tensor, Tensor]:
    """Draw cutouts, and for each the chance that it takes on a real texture."""
    there = {k: share for k, share in scenes.cutouts.items() if (CUTOUT, k) in bank.shelves}
    kinds = dice.kinds(there, count)
    first = bank.shelves[CUTOUT, kinds[0]].pixels
    chosen = first.new_empty(count, *first.shape[1:])
    textured = torch.zeros(count, device=dice.device)
    for kind in sorted(set(kinds)):
        at = torch.tensor([i for i, own in enumerate(kinds) if own == kind], device=dice.device)
        chosen[at] = bank.draw(dice, CUTOUT, kind, len(at))
        textured[at] = scenes.retexture * float(kind in PLAIN)
    return chosen, textured


def _soften(dice: Dice, alpha: Tensor) -> Tensor:
    """Vary how soft edges are."""
    blurred = functional.avg_pool2d(alpha, 3, 1, 1)
    share = dice.uniform(0, 1, len(alpha)) * dice.chance(0.4, len(alpha))
    return torch.lerp(alpha, blurred, _each(share))


def _retexture(
    dice: Dice, bank: DeviceBank, scenes: DeviceScenes, rgb: Tensor, wanted: Tensor
) -> Tensor:
    """Lay real texture over drawn objects, keeping some of their light and shade."""
    at = wanted.nonzero()[:, 0]
    kinds = {k: 1.0 for k in scenes.grounds if k != STUDIO and (GROUND, k) in bank.shelves}
    if len(at) == 0 or not kinds:
        return rgb
    texture = photo_grounds(dice, bank, kinds, len(at), rgb.shape[-1])
    own = rgb[at]
    light = own.mean(dim=1, keepdim=True)
    strength = _each(dice.uniform(0.4, 1.0, len(at)))
    textured = (texture * (0.35 + 1.1 * light)).clamp(0, 1)
    return rgb.index_copy(0, at, torch.lerp(own, textured, strength))


def _decoys(dice: Dice, bank: DeviceBank, scenes: DeviceScenes, ground: Tensor) -> Tensor:
    """Paste patches of other grounds, of a soft random outline, that stay ground."""
    at = dice.chance(scenes.decoy, len(ground)).nonzero()[:, 0]
    if len(at) == 0:
        return ground
    side = ground.shape[-1]
    patches = draw_grounds(dice, bank, scenes, len(at), side)
    steep = _each(dice.uniform(4, 40, len(at)))
    outline = torch.sigmoid((smooth(dice, len(at), 1, 5, side) - 0.7) * steep)
    return ground.index_copy(0, at, torch.lerp(ground[at], patches, outline))


def _bystanders(dice: Dice, bank: DeviceBank, scenes: DeviceScenes, ground: Tensor) -> Tensor:
    """Set objects behind, far out of focus: what is not sharp is no product."""
    at = dice.chance(scenes.bystander, len(ground)).nonzero()[:, 0]
    if len(at) == 0:
        return ground
    side = ground.shape[-1]
    behind_it = ground[at]
    for _ in range(2):
        cutouts, _ = _draw_cutouts(dice, bank, scenes, len(at))
        places = object_places(dice, len(at), smallest=0.2, largest=0.7)
        seen = sample(cutouts, places, side, beyond="zeros")
        behind_it = torch.lerp(behind_it, seen[:, :3], seen[:, 3:])
    soft = functional.interpolate(behind_it, size=max(int(side / 9), 8), mode="area")
    soft = functional.avg_pool2d(functional.pad(soft, (1, 1, 1, 1), mode="replicate"), 3, 1)
    soft = functional.interpolate(soft, size=side, mode="bicubic").clamp(0, 1)
    return ground.index_copy(0, at, soft)


def _prop(
    dice: Dice, bank: DeviceBank, scenes: DeviceScenes, ground: Tensor, wanted: Tensor
) -> Tensor:
    """Set a block, ball or panel, with its shadow, on grounds that are wanted; it stays ground."""
    at = wanted.nonzero()[:, 0]
    if len(at) == 0 or (CUTOUT, PROP) not in bank.shelves:
        return ground
    count, side = len(at), ground.shape[-1]
    places = object_places(dice, count, smallest=0.15, largest=0.85)
    seen = sample(bank.draw(dice, CUTOUT, PROP, count), places, side, beyond="zeros")
    rgb, alpha = seen[:, :3], seen[:, 3:]
    own = ground[at]
    weight = alpha.sum(dim=(2, 3), keepdim=True).clamp(min=1)
    there = (own * alpha).sum(dim=(2, 3), keepdim=True) / weight
    mean = (rgb * alpha).sum(dim=(2, 3), keepdim=True) / weight
    lean = _each(dice.uniform(0.5, 1.0, count) * dice.chance(scenes.alike_prop, count))
    rgb = (rgb + (there - mean) * lean).clamp(0, 1)
    dark = cast(dice, alpha) * _each(dice.uniform(0.0, 0.4, count) * dice.chance(0.7, count))
    dark = torch.maximum(dark, contact(dice, alpha) * _each(dice.uniform(0.0, 0.6, count)))
    return ground.index_copy(0, at, torch.lerp(own * (1 - dark), rgb, alpha))
