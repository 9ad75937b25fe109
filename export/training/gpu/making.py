"""Makes the bank's pictures: from those of a pack, and by rendering. Runs in worker processes."""

import zlib
from typing import Final, NamedTuple

import numpy as np

from export.training.cutouts import Pixels, cut_out, fill_behind, grown
from export.training.foliage import draw_foliage
from export.training.gpu.bank import CUTOUT, GROUND, PHOTO
from export.training.gpu.packs import OBJECT, decoded
from export.training.gpu.packs import PHOTO as PACKED_PHOTO
from export.training.objects.banks import RENDERERS
from export.training.objects.surfaces import draw_surface
from export.training.shapes import draw_shape
from export.training.split import held_out, object_name
from export.training.squares import squash, tiles
from export.training.taught import is_whole

PHOTO_SIDE: Final = 384  # of whole photos and grounds in memory
CUTOUT_SIDE: Final = 320
FOLIAGE, SURFACE, SHAPE = "foliage", "surface", "shape"
OBJECT_KINDS: Final = {"emoji": "emoji", "renders": "render", "assets": "modelled"}
CUTOUT_KINDS: Final = {
    "fashion": "person",
    "clothes": "garment",
    "groceries": "iconic",
    "iconic": "iconic",
}
CLOSE: Final = "clothes"  # grounds that are seen from near
BEHIND: Final = 25  # of 255: what a teacher sees this much of is painted over
# Shares of what is rendered while training runs.
RENDERED: Final[dict[tuple[str, str], float]] = {
    (CUTOUT, "vehicle"): 0.09,
    (CUTOUT, "animal"): 0.09,
    (CUTOUT, "package"): 0.11,
    (CUTOUT, "glass"): 0.05,
    (CUTOUT, "jewel"): 0.05,
    (CUTOUT, "furniture"): 0.09,
    (CUTOUT, "flacon"): 0.09,
    (CUTOUT, "ware"): 0.14,
    (CUTOUT, "device"): 0.12,
    (CUTOUT, SHAPE): 0.06,
    (CUTOUT, "plinth"): 0.04,
    (CUTOUT, "prop"): 0.04,
    (GROUND, FOLIAGE): 0.01,
    (GROUND, SURFACE): 0.03,
}


class Made(NamedTuple):
    """A picture for the bank: its use and kind there, and its pixels (H, W, C) uint8."""

    use: str
    kind: str
    pixels: Pixels


def is_held_out(name: str) -> bool:
    """Say whether a pack's picture judges and never teaches; by the name that it always had."""
    _, folder, stem = name.split("|")
    return held_out(object_name(stem) if folder == "renders" else stem)


def make_from_pack(name: str, data: bytes) -> list[Made]:
    """Make what a pack's picture is good for.

    Raises:
        PicturesError: it cannot be decoded.
    """
    use, folder, _ = name.split("|")
    if use == OBJECT:
        pixels = decoded(data, "RGBA")
        return _cutouts(OBJECT_KINDS[folder], pixels)
    if use != PACKED_PHOTO:
        pixels = decoded(data, "RGB")
        large = folder == "landscapes"
        squares = tiles(pixels, PHOTO_SIDE) if large else [squash(pixels, PHOTO_SIDE)]
        return [Made(GROUND, folder, square) for square in squares]
    pixels = decoded(data, "RGBA")
    alpha = pixels[..., 3]
    made = [Made(PHOTO, folder, squash(pixels, PHOTO_SIDE))]
    if is_whole(alpha) or folder == "fashion":
        made += _cutouts(CUTOUT_KINDS[folder], pixels)
    if folder == "fashion":
        street = fill_behind(pixels[..., :3], grown(alpha > BEHIND))
        made.append(Made(GROUND, "street", squash(street, PHOTO_SIDE)))
    if folder == "clothes":
        made.append(Made(GROUND, CLOSE, squash(pixels[..., :3], PHOTO_SIDE)))
    return made


def render(use: str, kind: str, seed: tuple[int, ...], count: int) -> list[Made]:
    """Render pictures of one kind; a seed decides them."""
    rng = np.random.default_rng((*seed, zlib.crc32(kind.encode())))
    if kind == FOLIAGE:
        return [Made(use, kind, draw_foliage(rng, PHOTO_SIDE)) for _ in range(count)]
    if kind == SURFACE:
        return [Made(use, kind, draw_surface(rng, PHOTO_SIDE)) for _ in range(count)]
    draw = draw_shape if kind == SHAPE else RENDERERS[kind]
    return [Made(use, kind, draw(rng, CUTOUT_SIDE)) for _ in range(count)]


def _cutouts(kind: str, pixels: Pixels) -> list[Made]:
    cutout = cut_out(pixels[..., :3], pixels[..., 3], CUTOUT_SIDE)
    return [] if cutout is None else [Made(CUTOUT, kind, cutout)]
