"""Makes training pictures: objects on grounds, and whole photos with their masks.

What could give a paste away is blurred on purpose: edges vary in softness, colours move towards
the ground's, shadows fall, real texture covers drawn things, and some pasted patches are ground.
"""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from export.training.backgrounds import draw_grounds
from export.training.batch import Batch
from export.training.camera import photograph
from export.training.config import SceneConfig
from export.training.dice import Dice
from export.training.lighting import defocus, match_sharpness, reflect, tone_on_tone
from export.training.objects.props import PLINTH, PROP
from export.training.sources import Pictures
from export.training.standing import scatter, set_on_plinth
from export.training.warp import object_places, photo_views, sample, shadow_places

DRAWN = frozenset({"render", "emoji", "shape"})  # kinds that may take on a real texture
MODELLED = frozenset(
    {"vehicle", "animal", "package", "furniture"}
)  # those that take it on more often


def compose_batch(
    dice: Dice, pictures: Pictures, scene: SceneConfig, count: int, side: int
) -> Batch:
    """Compose a batch of training pictures.

    Args:
        dice: decides everything; the same dice compose the same batch.
        pictures: what scenes are made of.
        scene: how often what happens.
        count: of pictures.
        side: of the pictures, pixels.
    """
    masked = int(dice.chance(scene.masked_share, count).sum())
    parts = []
    if masked:
        parts.append(_whole_photos(dice, pictures, masked, side))
    if masked < count:
        parts.append(compose_scenes(dice, pictures, scene, count - masked, side))
    rgb = torch.cat([part.rgb for part in parts])
    alpha = torch.cat([part.alpha for part in parts])
    return Batch(photograph(dice, rgb), alpha)


def _whole_photos(dice: Dice, pictures: Pictures, count: int, side: int) -> Batch:
    bank = pictures.masked
    chosen = bank[dice.below(len(bank), count).to(bank.device)]
    seen = sample(chosen, photo_views(dice, count, closest=0.6), side, beyond="reflection")
    return Batch(seen[:, :3], seen[:, 3:])


def compose_scenes(
    dice: Dice, pictures: Pictures, scene: SceneConfig, count: int, side: int
) -> Batch:
    """Set objects on grounds, as they are before a camera sees them."""
    ground = draw_grounds(dice, pictures, scene.backgrounds, count, side)
    ground = _paste_decoys(dice, pictures, scene, ground)
    empty = dice.chance(scene.empty, count) > 0
    plain = torch.zeros(count, dtype=torch.bool)
    if PROP in pictures.cutouts:
        # A plain body is ground beside a product, and the product where it stands by itself.
        plain = (dice.chance(scene.plain, count) > 0) & ~empty
        beside = (~plain & ~empty).float()
        for share in (scene.prop, scene.prop / 2):
            wanted = dice.chance(share, count) * beside
            ground = scatter(dice, pictures.cutouts[PROP], ground, wanted)
    ground = defocus(dice, ground, dice.chance(scene.defocus, count))
    rgb, alpha = _paste_objects(dice, pictures, scene, ground, plain)
    rgb[empty], alpha[empty] = ground[empty], 0.0
    more = dice.chance(scene.second_object, count)
    more[empty | plain] = 0
    also = more.nonzero()[:, 0].to(rgb.device)
    if len(also):
        # What calms a ground would hide the object that stands on it already.
        lively = replace(scene, tone_on_tone=0, plinth=0)
        rgb[also], second = _paste_objects(dice, pictures, lively, rgb[also], plain[also.cpu()])
        alpha[also] = torch.maximum(alpha[also], second)
    return Batch(rgb, alpha)


def _paste_objects(
    dice: Dice, pictures: Pictures, scene: SceneConfig, ground: Tensor, plain: Tensor
) -> tuple[Tensor, Tensor]:
    """Paste an object, with its shadow, onto each ground; give rgb and the object's alpha.

    ``plain`` says by scene, (N,) bool, whether the object is a plain body.
    """
    count, _, side, _ = ground.shape
    places = object_places(dice, count)
    cutouts, textured = _draw_cutouts(dice, pictures, scene, plain)
    seen = sample(cutouts, places, side, beyond="zeros")
    rgb, alpha = seen[:, :3], _soften(dice, seen[:, 3:])
    rgb = _retexture(dice, pictures, rgb, (dice.uniform(0, 1, count) < textured).float())
    rgb = _harmonise(dice, rgb, ground, dice.chance(scene.harmonise, count))
    alike = dice.chance(scene.tone_on_tone, count)
    rgb, ground = tone_on_tone(dice, rgb, alpha, ground, alike)
    sharp = dice.chance(scene.match_sharpness, count)
    rgb, alpha = match_sharpness(rgb, alpha, ground, sharp)
    if PLINTH in pictures.cutouts:
        wanted = dice.chance(scene.plinth, count) * (~plain).float()
        ground = set_on_plinth(dice, pictures.cutouts[PLINTH], ground, alpha, wanted)
    ground = reflect(dice, rgb, alpha, ground, dice.chance(scene.reflection, count))
    shadow = sample(cutouts[:, 3:], shadow_places(dice, places), side // 4, beyond="zeros")
    blur = int(dice.uniform(0, 3, 1)) * 2 + 1
    shadow = functional.avg_pool2d(shadow, blur, 1, blur // 2)
    shadow = functional.interpolate(shadow, size=side, mode="bilinear", align_corners=False)
    shadowed = torch.maximum(dice.chance(scene.shadow, count), alike)
    depth = dice.uniform(0.1, 0.7, count) * shadowed * (1 - 0.6 * alike)
    shaded = ground * (1 - shadow * depth[:, None, None, None].to(ground.device))
    return shaded + alpha * (rgb - shaded), alpha


def _draw_cutouts(
    dice: Dice, pictures: Pictures, scene: SceneConfig, plain: Tensor
) -> tuple[Tensor, Tensor]:
    """Draw cutouts, and for each the chance that it takes on a real texture."""
    count = len(plain)
    drawn = dice.kinds(scene.cutouts, count)
    kinds = [PROP if body else kind for body, kind in zip(plain.tolist(), drawn, strict=True)]
    device = pictures.masked.device
    side = next(iter(pictures.cutouts.values())).shape[-1]
    chosen = torch.empty(count, 4, side, side, dtype=torch.uint8, device=device)
    for kind in sorted(set(kinds)):
        bank = pictures.cutouts[kind]
        at = torch.tensor([index for index, one in enumerate(kinds) if one == kind])
        chosen[at] = bank[dice.below(len(bank), len(at)).to(device)]
    chances = dict.fromkeys(DRAWN, scene.retexture) | dict.fromkeys(
        MODELLED, scene.retexture_modelled
    )
    return chosen, torch.tensor([chances.get(kind, 0.0) for kind in kinds])


def _soften(dice: Dice, alpha: Tensor) -> Tensor:
    """Vary how soft edges are."""
    blurred = functional.avg_pool2d(alpha, 3, 1, 1)
    share = dice.uniform(0, 1, len(alpha)) * dice.chance(0.5, len(alpha))
    return torch.lerp(alpha, blurred, share[:, None, None, None].to(alpha.device))


def _retexture(dice: Dice, pictures: Pictures, rgb: Tensor, wanted: Tensor) -> Tensor:
    """Lay real texture over drawn objects, keeping some of their light and shade."""
    at = wanted.nonzero()[:, 0]
    if len(at) == 0:
        return rgb
    weights = dict.fromkeys(sorted(set(pictures.backgrounds)), 1.0)
    texture = draw_grounds(dice, pictures, weights, len(at), rgb.shape[-1])
    light = rgb[at].mean(dim=1, keepdim=True)
    strength = dice.uniform(0.4, 1.0, len(at))[:, None, None, None].to(rgb.device)
    textured = texture * (0.35 + 1.1 * light)
    rgb = rgb.clone()
    rgb[at] = torch.lerp(rgb[at], textured.clamp(0, 1), strength)
    return rgb


def _harmonise(dice: Dice, rgb: Tensor, ground: Tensor, wanted: Tensor) -> Tensor:
    """Move an object's mean colour some way towards its ground's."""
    share = (wanted * dice.uniform(0.1, 0.8, len(rgb)))[:, None, None, None].to(rgb.device)
    drift = ground.mean(dim=(2, 3), keepdim=True) - rgb.mean(dim=(2, 3), keepdim=True)
    return (rgb + share * drift).clamp(0, 1)


def _paste_decoys(dice: Dice, pictures: Pictures, scene: SceneConfig, ground: Tensor) -> Tensor:
    """Paste patches of other grounds, of a soft random outline, that stay ground."""
    at = dice.chance(scene.decoy, len(ground)).nonzero()[:, 0]
    if len(at) == 0:
        return ground
    side = ground.shape[-1]
    patches = draw_grounds(dice, pictures, scene.backgrounds, len(at), side)
    field = functional.interpolate(
        dice.normal(1.0, len(at), 1, 5, 5), size=side, mode="bicubic", align_corners=False
    )
    steep = dice.uniform(4, 40, len(at))[:, None, None, None]
    outline = torch.sigmoid((field - 0.7) * steep).to(ground.device)
    ground = ground.clone()
    ground[at] = torch.lerp(ground[at], patches, outline)
    return ground
