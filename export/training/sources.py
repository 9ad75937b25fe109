"""Reads a folder of training pictures into memory, a held-out part of it apart.

The folder's form is described in ``docs/training.md``: ``fashion/`` photos with label masks,
``groceries/``, ``clothes/`` and ``landscapes/`` photos without, ``iconic/`` products on white,
``emoji/`` and ``renders/`` with alpha. Folders that are missing are an error, not a smaller diet.
"""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from export.errors import PicturesError
from export.training.config import STUDIO, SceneConfig, TrainingConfig
from export.training.cutouts import (
    cut_out,
    fill_behind,
    grown,
    mask_on_white,
    smooth_edges,
)
from export.training.foliage import draw_foliage
from export.training.modelled import modelled_objects
from export.training.objects.banks import RENDERERS, render_bank
from export.training.objects.props import PROPS
from export.training.shapes import draw_shape
from export.training.split import held_out, object_name
from export.training.squares import squash, tiles
from export.training.taught import is_empty, is_sure, is_whole, read_matte

FOLDERS = ("fashion", "groceries", "iconic", "clothes", "landscapes", "emoji", "renders")
BODY_LABELS = frozenset({0, 19, 41})  # ground, hair, skin: no garment by themselves
GARMENT_SMALLEST_PX = 80
TAUGHT_FAINT = 25  # of 255: what a teacher sees this much of is no ground

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """Pictures in memory, all uint8, channels first.

    ``masked``: (N, 4, S, S), whole photos squashed to squares, their matte as fourth channel.
    ``cutouts``: by kind, (K, 4, C, C), colours spread past the edge, alpha fourth.
    ``backgrounds``: by kind, (M, 3, S, S).
    """

    masked: Tensor
    cutouts: dict[str, Tensor]
    backgrounds: dict[str, Tensor]

    def to(self, device: torch.device) -> "Pictures":
        """Move everything to a device."""
        return Pictures(
            self.masked.to(device),
            {kind: bank.to(device) for kind, bank in self.cutouts.items()},
            {kind: bank.to(device) for kind, bank in self.backgrounds.items()},
        )


class Kept(NamedTuple):
    """One picture made from a file: what it is for, of what kind, and its pixels."""

    use: str  # "masked", "cutout" or "background"
    kind: str
    pixels: Pixels


def read_pictures(folder: Path, config: TrainingConfig) -> tuple[Pictures, Pictures]:
    """Read a folder of training pictures.

    Args:
        folder: of the form that ``docs/training.md`` describes.
        config: sizes in memory, number of drawn shapes, seed of those.

    Returns:
        The pictures to train on and those held out for validation.

    Raises:
        PicturesError: a folder is missing or empty, or a file is no picture.
    """
    train: list[Kept] = []
    held: list[Kept] = []
    with ThreadPoolExecutor() as workers:
        for name in FOLDERS:
            files = _files(folder / name)
            read = workers.map(partial(_read, name, config=config), files)
            progress = tqdm(read, desc=f"reading {name}", total=len(files), mininterval=5)
            for path, pictures in zip(files, progress, strict=True):
                key = object_name(path.stem) if name == "renders" else path.stem
                (held if held_out(key) else train).extend(pictures)
    for path in modelled_objects(Path(config.objects)) if config.objects else ():
        pixels = _open(path, "RGBA")
        kept = _cutout("modelled", pixels[..., :3], pixels[..., 3], config)
        (held if held_out(path.stem) else train).extend(kept)
    for side, count in ((train, config.drawn_shapes), (held, max(config.drawn_shapes // 10, 1))):
        rng = np.random.default_rng((config.seed, count))
        side += [Kept("cutout", "shape", draw_shape(rng, config.cutout_side)) for _ in range(count)]
    for side, count in ((train, config.drawn_grounds), (held, max(config.drawn_grounds // 10, 1))):
        rng = np.random.default_rng((config.seed, count, 1))
        side += [
            Kept("background", "foliage", draw_foliage(rng, config.photo_side))
            for _ in range(count)
        ]
    for side, count in (
        (train, config.rendered_objects),
        (held, max(config.rendered_objects // 10, 1)),
    ):
        for kind in sorted((config.scene.cutouts.keys() | PROPS) & RENDERERS.keys()):
            bank = render_bank(kind, config.seed, count, config.cutout_side)
            side += [Kept("cutout", kind, pixels) for pixels in bank]
    return _gather(train, config.scene), _gather(held, config.scene)


def _gather(kept: list[Kept], scene: SceneConfig) -> Pictures:
    banks: defaultdict[tuple[str, str], list[Pixels]] = defaultdict(list)
    for use, kind, pixels in kept:
        banks[use, kind].append(pixels)
    stacked = {
        key: torch.from_numpy(np.stack(bank)).permute(0, 3, 1, 2).contiguous()
        for key, bank in banks.items()
    }
    masked = [bank for (use, _), bank in stacked.items() if use == "masked"]
    needed = {("masked", "fashion")}
    needed |= {("cutout", kind) for kind in scene.cutouts}
    needed |= {("background", kind) for kind in scene.backgrounds if kind != STUDIO}
    if lacking := needed - stacked.keys():
        names = ", ".join(sorted(f"{use} {kind}" for use, kind in lacking))
        raise PicturesError(f"too few pictures to hold some out: none left of {names}")
    return Pictures(
        torch.cat(masked),
        {kind: bank for (use, kind), bank in stacked.items() if use == "cutout"},
        {kind: bank for (use, kind), bank in stacked.items() if use == "background"},
    )


def _files(folder: Path) -> list[Path]:
    found = sorted(
        path
        for path in folder.glob("*")
        if path.suffix in {".jpg", ".png", ".webp"} and not path.name.endswith(".labels.png")
    )
    if not found:
        raise PicturesError(f"{folder} holds no pictures")
    return found


def _read(name: str, path: Path, config: TrainingConfig) -> list[Kept]:
    side = config.photo_side
    if name in {"groceries", "clothes"}:
        return _read_unmasked(name, path, config)
    if name == "landscapes":
        return [Kept("background", name, tile) for tile in tiles(_open(path, "RGB"), side)]
    if name == "fashion":
        return _read_fashion(path, config)
    if name == "iconic":
        return _read_iconic(path, config)
    pixels = _open(path, "RGBA")
    kind = "emoji" if name == "emoji" else "render"
    return _cutout(kind, pixels[..., :3], pixels[..., 3], config)


def _cutout(
    kind: str, rgb: Pixels, alpha: Pixels, config: TrainingConfig, smallest_px: int = 1
) -> list[Kept]:
    cutout = cut_out(rgb, alpha, config.cutout_side, smallest_px)
    return [] if cutout is None else [Kept("cutout", kind, cutout)]


def _read_fashion(path: Path, config: TrainingConfig) -> list[Kept]:
    rgb = _open(path, "RGB")
    labels = _open(path.with_suffix(".labels.png"), "L")
    if labels.shape != rgb.shape[:2]:
        raise PicturesError(f"{path}: photo and labels differ in size")
    person = smooth_edges(labels != 0, 2.5)
    taught = _taught(path, rgb, config)
    behind = labels != 0
    if taught is not None and is_sure(taught):
        person, behind = taught, behind | (taught > TAUGHT_FAINT)
    street = fill_behind(rgb, grown(behind))
    kept = [
        Kept("masked", "fashion", _masked(rgb, person, config)),
        Kept("background", "street", squash(street, config.photo_side)),
        *_cutout("person", rgb, person, config),
    ]
    for label in sorted(set(np.unique(labels).tolist()) - BODY_LABELS):
        alpha = smooth_edges(labels == label, 2.0)
        kept += _cutout("garment", rgb, alpha, config, GARMENT_SMALLEST_PX)
    return kept


def _read_unmasked(name: str, path: Path, config: TrainingConfig) -> list[Kept]:
    """Read a photo without a mask: a ground, and a product where a teacher is sure of one."""
    rgb = _open(path, "RGB")
    taught = _taught(path, rgb, config)
    ground = Kept("background", name, squash(rgb, config.photo_side))
    if taught is None or not is_sure(taught):
        # A shelf on which the teacher half sees a product is no plain ground.
        hesitates = taught is not None and name == "groceries" and not is_empty(taught)
        return [] if hesitates else [ground]
    whole = Kept("masked", name, _masked(rgb, taught, config))
    kept = [whole] if name == "groceries" else [ground, whole]
    if is_whole(taught):
        kept += _cutout("garment" if name == "clothes" else "iconic", rgb, taught, config)
    return kept


def _read_iconic(path: Path, config: TrainingConfig) -> list[Kept]:
    rgb = _open(path, "RGB")
    taught = _taught(path, rgb, config)
    if taught is not None and is_sure(taught):
        whole = Kept("masked", "iconic", _masked(rgb, taught, config))
        return [whole, *_cutout("iconic", rgb, taught, config)]
    mask = mask_on_white(rgb)
    return [] if mask is None else _cutout("iconic", rgb, smooth_edges(mask, 1.2), config)


def _taught(path: Path, rgb: Pixels, config: TrainingConfig) -> Pixels | None:
    """Give a teacher's matte of a photo where the run has a teacher that left one."""
    height, width = rgb.shape[:2]
    return read_matte(Path(config.mattes), path, (height, width)) if config.mattes else None


def _masked(rgb: Pixels, alpha: Pixels, config: TrainingConfig) -> Pixels:
    return squash(np.concatenate([rgb, alpha[..., None]], axis=2), config.photo_side)


def _open(path: Path, mode: str) -> Pixels:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert(mode))
    except (OSError, ValueError) as exc:
        raise PicturesError(f"{path} cannot be read: {exc}") from exc
