"""The photos that are sent: of several sizes, made from a folder of samples, drawn by weight."""

import argparse
import io
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from PIL import Image

from benchmarks.errors import LoadError

# A camera's usual; below it a shop's photo would show its blocks.
_JPEG_QUALITY = 90
# Weights are told apart in so many parts of one.
_FINEST_WEIGHT = 1000
_LEAST_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """One size of the mix."""

    megapixels: float  # width times height
    weight: float = 1.0  # how often it is drawn, relative to the others

    def __str__(self) -> str:
        return f"{self.megapixels:g}:{self.weight:g}"


# What a shop gets: mostly pictures that have been through an app or a browser, some straight from a
# phone's camera.
DEFAULT_MIX = (Size(0.5, 20), Size(1, 40), Size(4, 30), Size(12, 10))


def parse_size(text: str) -> Size:
    """Read `MEGAPIXELS[:WEIGHT]`, as a flag's type."""
    megapixels, _, weight = text.partition(":")
    try:
        size = Size(float(megapixels), float(weight or 1))
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is not MEGAPIXELS[:WEIGHT]") from exc
    if not (size.megapixels > 0 and size.weight >= _LEAST_WEIGHT):
        raise argparse.ArgumentTypeError(
            f"{text!r}: megapixels are above 0, and a weight is at least {_LEAST_WEIGHT}"
        )
    return size


@dataclass(frozen=True, slots=True)
class Photo:
    """A file to be sent."""

    path: str  # the file
    weight: float  # how often it is drawn, relative to the others


def make_photos(samples: Path, sizes: Sequence[Size], folder: Path) -> list[Photo]:
    """Write every sample in every size as JPEG.

    Raises:
        LoadError: The folder has no photo.
    """
    sources = sorted(samples.glob("*.jpg"))
    if not sources:
        raise LoadError(f"{samples} has no photo, *.jpg")
    photos = []
    for source in sources:
        for size in sizes:
            path = folder / f"{source.stem}-{size.megapixels:g}mp.jpg"
            path.write_bytes(scaled_photo(source, size.megapixels))
            photos.append(Photo(str(path), size.weight / len(sources)))
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
        counts = _whole([photo.weight for photo in photos])
        files = [Path(photo.path).read_bytes() for photo in photos]
        self._deck = [file for file, count in zip(files, counts, strict=True) for _ in range(count)]
        self._left: list[bytes] = []
        self._rng = rng

    def draw(self) -> bytes:
        """Draw one file's bytes."""
        if not self._left:
            self._left = self._rng.sample(self._deck, len(self._deck))
        return self._left.pop()


def _whole(weights: Sequence[float]) -> list[int]:
    """Bring weights to the smallest whole numbers in the same proportion."""
    finest = Fraction(1, _FINEST_WEIGHT)
    fractions = [
        max(Fraction(weight).limit_denominator(_FINEST_WEIGHT), finest) for weight in weights
    ]
    denominator = math.lcm(*(each.denominator for each in fractions))
    numerators = [int(each * denominator) for each in fractions]
    common = math.gcd(*numerators)
    return [each // common for each in numerators]
