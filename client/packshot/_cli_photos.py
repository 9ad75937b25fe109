"""The photos of `packshot render` and where their packshots go."""

from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

import click

from packshot._options import FormatName

STREAM = "-"

_FORMATS: dict[str, FormatName] = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".png": "png",
    ".webp": "webp",
    ".avif": "avif",
}
_PHOTO_SUFFIXES = {*_FORMATS, ".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif"}


@dataclass(frozen=True, slots=True)
class Job:
    """One photo and where its packshot goes.

    Attributes:
        source: The photo's path; None for standard input.
        folder: The folder for the packshot, which is then named after the photo.
        file: The packshot's own path, where the caller gave one.
    """

    source: Path | None
    folder: Path | None = None
    file: Path | None = None

    @property
    def name(self) -> str:
        """What messages call the photo."""
        return str(self.source or "standard input")

    @property
    def format(self) -> FormatName | None:
        """The format that the packshot's own path asks for."""
        return _FORMATS.get(self.file.suffix.lower()) if self.file else None


def plan(photos: tuple[str, ...], output: str) -> list[Job]:
    """Find the photos and decide where each packshot goes.

    Args:
        photos: Files, folders, globs, or - for standard input.
        output: A folder, a file, or - for standard output.

    Raises:
        click.UsageError: There is no photo, or the output does not suit them.
    """
    sources = list(_sources(photos))
    if output == STREAM or (Path(output).suffix and not Path(output).is_dir()):
        if len(sources) != 1:
            raise click.UsageError(f"{len(sources)} photos cannot go into one file, {output}")
        return [Job(sources[0], file=None if output == STREAM else Path(output))]
    if None in sources:
        raise click.UsageError("standard input needs a file, or -, as its output")
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    names = [source.stem for source in sources if source]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise click.UsageError(f"several photos are named {', '.join(twice)}")
    return [Job(source, folder=folder) for source in sources]


def _sources(photos: tuple[str, ...]) -> Iterator[Path | None]:
    for photo in photos:
        path = Path(photo)
        if photo == STREAM:
            yield None
        elif path.is_dir():
            found = sorted(
                child for child in path.iterdir() if child.suffix.lower() in _PHOTO_SUFFIXES
            )
            if not found:
                raise click.UsageError(f"the folder {photo} holds no photo")
            yield from found
        elif path.exists() or not has_magic(photo):
            yield path  # one that is missing fails on its own, beside the others
        else:
            matches = sorted(glob(photo))  # noqa: PTH207  the pattern may be absolute
            if not matches:
                raise click.UsageError(f"nothing matches {photo}")
            yield from map(Path, matches)
