"""The photos that are sent: of several sizes, made from a folder of samples, drawn by weight."""

import argparse
import io
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.errors import BenchmarkError

# A camera's usual; below it a shop's photo would show its blocks.
_JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Size:
    """One size of the mix."""

    megapixels: float  # width times height
    weight: int = 1  # how often it is drawn, relative to the others

    def __str__(self) -> str:
        return f"{self.megapixels:g}:{self.weight}"


# What a shop gets: mostly pictures that have been through an app or a browser, some straight from a
# phone's camera.
DEFAULT_MIX = (Size(0.5, 20), Size(1, 40), Size(4, 30), Size(12, 10))


def parse_size(text: str) -> Size:
    """Read `MEGAPIXELS[:WEIGHT]`, as a flag's type."""
    megapixels, _, weight = text.partition(":")
    try:
        size = Size(float(megapixels), int(weight or 1))
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is not MEGAPIXELS[:WEIGHT]") from exc
    if not (size.megapixels > 0 and size.weight > 0):
        raise argparse.ArgumentTypeError(f"{text!r}: megapixels and weights are above 0")
    return size


@dataclass(frozen=True, slots=True)
class Photo:
    """A file to be sent."""

    path: str  # the file
    weight: int = 1  # how often it is drawn, relative to the others


def make_photos(samples: Path, sizes: Sequence[Size], folder: Path) -> list[Photo]:
    """Write every sample in every size as JPEG into a folder, which is made if missing.

    Raises:
        BenchmarkError: The folder has no photo.
    """
    sources = sorted(samples.glob("*.jpg"))
    if not sources:
        raise BenchmarkError(f"{samples} has no photo, *.jpg")
    folder.mkdir(parents=True, exist_ok=True)
    photos = []
    for source in sources:
        for size in sizes:
            path = folder / f"{source.stem}-{size.megapixels:g}mp.jpg"
            path.write_bytes(scaled_photo(source, size.megapixels))
            photos.append(Photo(str(path), size.weight))
    return photos


def scaled_photo(source: Path, megapixels: float) -> bytes:
    """Return a photo scaled to a number of megapixels, as a JPEG file."""
    with Image.open(source) as photo:
        factor = (megapixels * 1e6 / (photo.width * photo.height)) ** 0.5
        size = round(photo.width * factor), round(photo.height * factor)
        buffer = io.BytesIO()
        photo.convert("RGB").resize(size).save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


class Mix:
    """Draws photos like cards: in an order by chance, but each as often as its weight says.

    With independent draws the few large photos of a mix would be twice as many in one phase as in
    another, and its throughput would tell of the draws.
    """

    def __init__(self, photos: Sequence[Photo], rng: random.Random) -> None:
        common = math.gcd(*(photo.weight for photo in photos))
        self._deck: list[bytes] = []
        for photo in photos:
            self._deck += [Path(photo.path).read_bytes()] * (photo.weight // common)
        self._left: list[bytes] = []
        self._rng = rng

    def draw(self) -> bytes:
        """Draw one file's bytes."""
        if not self._left:
            self._left = self._rng.sample(self._deck, len(self._deck))
        return self._left.pop()
