"""Packs of training pictures, small enough to travel: lossy WebP, straight colours, alpha inside.

A pack is a safetensors file. Each tensor is one encoded picture, its name ``USE|FOLDER|STEM``:

- ``photo``: a whole photo, a teacher's sure matte as its alpha;
- ``ground``: a photo that holds no product, or none that counts;
- ``object``: an object with its own alpha.

What training makes of a picture (squares, cutouts, grounds) is made where it is read.
"""

import io
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import safetensors.numpy
from PIL import Image
from safetensors import SafetensorError

from export.errors import PicturesError
from export.training.cutouts import Pixels
from export.training.modelled import modelled_objects
from export.training.taught import is_empty, is_sure, read_matte

PHOTO, GROUND, OBJECT = "photo", "ground", "object"
PHOTO_FOLDERS: Final = ("fashion", "groceries", "iconic", "clothes")
PHOTO_SIDE: Final = 384  # longest, pixels
GROUND_SIDE: Final = 352
OBJECT_SIDE: Final = 320
LANDSCAPE_SIDE: Final = 1200
QUALITY: Final = {PHOTO: 68, GROUND: 60, OBJECT: 74}  # of WebP's 0 to 100
ALPHA_QUALITY: Final = 85
SUFFIX: Final = ".safetensors"
MANY: Final = frozenset({"fashion", "clothes", "emoji", "renders"})  # dealt to both packs


@dataclass(frozen=True)
class Wanted:
    """A picture to pack: where it lies and what it is for."""

    use: str
    path: Path
    matte: Path | None = None  # folder of mattes

    @property
    def name(self) -> str:
        """Give the tensor's name."""
        return f"{self.use}|{self.path.parent.name}|{self.path.stem}"


def list_pictures(folder: Path, mattes: Path, objects: Path | None) -> list[Wanted]:
    """List what can be packed of a training folder, all uses mixed evenly.

    Args:
        folder: of training pictures, see ``docs/training.md``.
        mattes: folder of a larger network's mattes of the photos.
        objects: folder of modelled objects with alpha; None: none.

    Raises:
        PicturesError: a matte does not fit its photo, or nothing is found.
    """
    photos = [path for name in PHOTO_FOLDERS for path in sorted((folder / name).glob("*.jpg"))]
    with ThreadPoolExecutor() as workers:
        uses = list(workers.map(lambda path: _use_of(path, mattes), photos))
    found = [
        Wanted(use, path, mattes if use == PHOTO else None)
        for path, use in zip(photos, uses, strict=True)
        if use
    ]
    found += [Wanted(GROUND, path) for path in sorted((folder / "landscapes").glob("*.jpg"))]
    for name in ("emoji", "renders"):
        pictures = (path for path in (folder / name).iterdir() if path.suffix in {".png", ".webp"})
        found += [Wanted(OBJECT, path) for path in sorted(pictures)]
    if objects is not None:
        found += [Wanted(OBJECT, path) for path in modelled_objects(objects)]
    if not found:
        raise PicturesError(f"{folder} holds no pictures to pack")
    return found


def _use_of(photo: Path, mattes: Path) -> str:
    with Image.open(photo) as image:
        size = image.height, image.width
    matte = read_matte(mattes, photo, size)
    if matte is not None and is_sure(matte):
        return PHOTO
    if photo.parent.name == "groceries" and matte is not None and is_empty(matte):
        return GROUND
    return ""


def write_pack(wanted: Iterable[Wanted], path: Path) -> int:
    """Encode pictures into a pack.

    Returns:
        The pack's size in bytes.

    Raises:
        PicturesError: a picture cannot be read.
    """
    chosen = list(wanted)
    with ThreadPoolExecutor() as workers:
        encoded = list(workers.map(_encoded, chosen))
    path.parent.mkdir(parents=True, exist_ok=True)
    safetensors.numpy.save_file(
        {
            one.name: np.frombuffer(data, np.uint8)
            for one, data in zip(chosen, encoded, strict=True)
        },
        path,
    )
    return path.stat().st_size


def _encoded(wanted: Wanted) -> bytes:
    try:
        with Image.open(wanted.path) as image:
            whole = image.convert("RGBA" if wanted.use == OBJECT else "RGB")
    except (OSError, ValueError) as exc:
        raise PicturesError(f"{wanted.path} cannot be read: {exc}") from exc
    if wanted.matte is not None:
        matte = read_matte(wanted.matte, wanted.path, (whole.height, whole.width))
        if matte is None:
            raise PicturesError(f"{wanted.path} has no matte in {wanted.matte}")
        whole.putalpha(Image.fromarray(matte))
    longest = _longest(wanted)
    scale = min(1.0, longest / max(whole.size))
    size = (round(whole.width * scale), round(whole.height * scale))
    # Channel by channel: colours below a matte of zero are the photo's ground and stay.
    channels = [one.resize(size, Image.Resampling.LANCZOS) for one in whole.split()]
    small = Image.merge(whole.mode, channels)
    data = io.BytesIO()
    small.save(
        data,
        "webp",
        quality=QUALITY[wanted.use],
        alpha_quality=ALPHA_QUALITY,
        method=4,
        exact=wanted.use == PHOTO,  # colours below a matte of zero are the photo's ground
    )
    return data.getvalue()


def _longest(wanted: Wanted) -> int:
    if wanted.path.parent.name == "landscapes":
        return LANDSCAPE_SIDE
    return {PHOTO: PHOTO_SIDE, GROUND: GROUND_SIDE, OBJECT: OBJECT_SIDE}[wanted.use]


def read_pack(path: Path) -> dict[str, bytes]:
    """Read a pack's encoded pictures by name.

    Raises:
        PicturesError: the file is missing, still being written, or no pack.
    """
    try:
        return {name: one.tobytes() for name, one in safetensors.numpy.load_file(path).items()}
    except (OSError, SafetensorError, ValueError) as exc:
        raise PicturesError(f"{path} is no pack: {exc}") from exc


def decoded(data: bytes, mode: str) -> Pixels:
    """Decode a picture of a pack, (H, W, 3) or (H, W, 4) uint8.

    Raises:
        PicturesError: the bytes are no picture.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert(mode))
    except (OSError, ValueError) as exc:
        raise PicturesError(f"a picture of a pack cannot be read: {exc}") from exc


def deal(pictures: list[Wanted]) -> tuple[list[Wanted], list[Wanted]]:
    """Deal pictures into a pack to begin with and one that may come later.

    The first holds all kinds: all grounds, modelled objects and rare photos, and every second of
    what there is most of.
    """
    first: list[Wanted] = []
    second: list[Wanted] = []
    many: defaultdict[str, int] = defaultdict(int)
    for one in pictures:
        folder = one.path.parent.name
        many[folder] += 1
        later = one.use != GROUND and folder in MANY and many[folder] % 2 == 0
        (second if later else first).append(one)
    return first, second
