"""The photos that `packshot render` finds in files, folders and patterns."""

import os
import sys
from dataclasses import dataclass, field
from glob import has_magic
from pathlib import Path

import click

from packshot._files import PART_PREFIX, PART_SUFFIX, identity, kind_of, read_file
from packshot._options import PICTURE_SUFFIXES

STREAM = "-"
STANDARD_INPUT = {STREAM, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}

_MAGICS = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
)
_BRANDS = {
    *(b"avif", b"avis", b"mif1", b"msf1"),
    *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
}
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}
_HEAD_BYTES = 32
# What systems put beside the files of people.
_SYSTEM_NAMES = {".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class Source:
    """A photo.

    Attributes:
        path: Where it is; None for standard input.
        place: Its path in the output folder, with the photo's own name.
    """

    path: Path | None
    place: Path = Path(STREAM)

    @property
    def name(self) -> str:
        """What messages call the photo."""
        return "standard input" if self.path is None else str(self.path)


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        sources: The photos, each once.
        left_out: What is no photo, or is not looked into, and why.
    """

    sources: list[Source] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)


def find(photos: tuple[str, ...], output: Path | None, *, recursive: bool) -> Found:
    """Find the photos that arguments name.

    A file that is named itself is always taken. Of what a folder or a pattern holds, the files that
    are pictures by their suffix or by their first bytes are.

    Args:
        photos: Files, folders, patterns, or - for standard input.
        output: The folder that packshots go into, which is not searched.
        recursive: Whether folders in folders are searched.

    Raises:
        click.UsageError: There is no photo, or a folder cannot be read.
    """
    search = _Search(output, recursive=recursive)
    for photo in photos:
        search.take(photo)
    found = search.found
    if not found.sources:
        hints = "".join(f"; {path}: {why}" for path, why in found.left_out[:3])
        raise click.UsageError(f"{', '.join(photos[:3])} holds no photo{hints}")
    return found


class _Search:
    def __init__(self, output: Path | None, *, recursive: bool) -> None:
        self.found = Found()
        self._recursive = recursive
        self._output = identity(output) if output else None
        self._seen: set[str] = set()
        self._pending: list[tuple[Path, Path]] = []

    def take(self, photo: str) -> None:
        """Find the photos of one argument."""
        path = Path(photo)
        if not photo:
            raise click.UsageError("a photo's name is empty")  # a shell's variable that is not set
        if photo in STANDARD_INPUT:
            if sys.stdin is None:
                raise click.UsageError("standard input is closed")
            self._add(None, Path(STREAM))
        elif _is_folder(path):
            self._search(path, Path())
        elif os.path.lexists(path) or not has_magic(photo):
            self._add(path, Path(path.name))  # one that is missing fails on its own
        else:
            self._pattern(photo)
        while self._pending:
            self._search(*self._pending.pop())

    def _search(self, folder: Path, place: Path) -> None:
        try:
            children = sorted(folder.iterdir())
        except OSError as exc:
            reason = f"cannot be read: {exc.strerror}"
            if place == Path():
                raise click.UsageError(f"the folder {folder} {reason}") from exc
            self.found.left_out.append((folder, reason))
            return
        if not children:
            self.found.left_out.append((folder, "an empty folder"))
        for child in children:
            self._judge(child, place / child.name)

    def _pattern(self, pattern: str) -> None:
        """Find what a pattern matches; with ** in it, photos keep their sub-folders."""
        parts = Path(pattern).parts
        plain = next(index for index, part in enumerate(parts) if has_magic(part))
        base, rest = Path(*parts[:plain]), Path(*parts[plain:])
        deep = "**" in parts
        try:
            # `glob.glob` would follow links to folders, and links can lead in circles.
            matches = sorted(base.glob(str(rest / "*" if rest.name == "**" else rest)))
        except (ValueError, OSError) as exc:
            raise click.UsageError(f"{pattern}: {exc}") from exc
        shown = [path for path in matches if not _is_hidden(path.relative_to(base), rest)]
        for path in shown:
            # What is in a folder, ** finds by itself.
            if not (deep and (_is_folder(path) or self._is_output(path, base))):
                self._judge(path, path.relative_to(base) if deep else Path(path.name))
        if not shown:
            raise click.UsageError(f"nothing matches {pattern}")

    def _judge(self, path: Path, place: Path) -> None:
        """Judge what a folder or a pattern holds."""
        if _is_of_the_system(path.name):
            return
        try:
            mode = path.stat().st_mode
            kind = kind_of(mode)
            if kind == "a folder":
                self._sub_folder(path, place)
            elif kind:
                self.found.left_out.append((path, kind))
            # One of a photo's name is taken whatever it holds, so that a broken one is told of.
            elif path.suffix.lower() in PICTURE_SUFFIXES or _is_picture(
                read_file(path, _HEAD_BYTES)
            ):
                self._add(path, place)
            else:
                self.found.left_out.append((path, "not a picture"))
        except OSError as exc:
            if path.suffix.lower() in PICTURE_SUFFIXES:
                self._add(path, place)  # it fails where photos are read, and counts
            else:
                self.found.left_out.append((path, exc.strerror or str(exc)))

    def _sub_folder(self, path: Path, place: Path) -> None:
        if self._output and self._output == identity(path):
            return
        if path.is_symlink():
            self.found.left_out.append((path, "a link to a folder"))
        elif not self._recursive:
            self.found.left_out.append((path, "a folder; --recursive takes its photos"))
        else:
            self._pending.append((path, place))  # a deep tree would be too deep a recursion

    def _is_output(self, path: Path, base: Path) -> bool:
        """Tell whether what was found below a folder lies in the output folder."""
        between = path.parents[: len(path.relative_to(base).parents) - 1]
        return self._output is not None and self._output in map(identity, between)

    def _add(self, path: Path | None, place: Path) -> None:
        """Take a photo, unless it is there under the same name."""
        name = STREAM if path is None else os.path.join(os.path.realpath(path.parent), path.name)  # noqa: PTH118  Path would take the name for a pattern's
        if name not in self._seen:
            self._seen.add(name)
            self.found.sources.append(Source(path, place))


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  unlike Path's it is False where nothing may be seen


def _is_hidden(path: Path, pattern: Path) -> bool:
    """Tell whether a name begins with a dot where the pattern asks for none, as shells do."""
    asked = any(part.startswith(".") for part in pattern.parts)
    return not asked and any(part.startswith(".") for part in path.parts)


def _is_of_the_system(name: str) -> bool:
    part = name.startswith(PART_PREFIX) and name.endswith(PART_SUFFIX)
    return part or name in _SYSTEM_NAMES or name.startswith("._")


def _is_picture(head: bytes) -> bool:
    """Tell by a file's first bytes whether it is in a format that photos come in."""
    if head.startswith(_MAGICS):
        return True
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    if head[:2] == b"BM":
        # Two letters alone could begin a text.
        return int.from_bytes(head[14:18], "little") in _BMP_HEADERS
    return head[4:8] == b"ftyp" and head[8:12] in _BRANDS
