"""Where the packshots of `packshot render` go, and what must not happen to the files there."""

import os
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import click

from packshot._cli_photos import STREAM, Source, find
from packshot._files import identity, is_stream, kind_of, probe_folder
from packshot._options import FORMAT_OF, FormatName, RenderOptions
from packshot._words import FORMATS

_SUFFIX_OF = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "avif": ".avif"}
_SHOWN = 5

STANDARD_OUTPUT = {STREAM, "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}

# A photo and its packshot's path in the output folder, without its suffix.
_Named = tuple[Source, Path]


@dataclass(frozen=True, slots=True)
class Job:
    """One photo and where its packshot goes.

    Attributes:
        source: The photo.
        stem: The packshot's path without its suffix, which the format decides; None: it is `file`.
        file: The packshot's path; None with a stem, or for standard output.
    """

    source: Source
    stem: Path | None = None
    file: Path | None = None

    @property
    def folder(self) -> Path | None:
        """The folder that the packshot is written to, by a link too; None for standard output."""
        if self.stem is not None:
            return self.stem.parent
        if self.file is not None and self.file.is_symlink():
            return Path(os.path.realpath(self.file)).parent
        return self.file and self.file.parent

    def target(self, picture_format: str) -> Path | None:
        """Return the packshot's path; None for standard output."""
        if self.stem is None:
            return self.file
        return self.stem.with_name(self.stem.name + _SUFFIX_OF[picture_format])


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        jobs: The photos to render.
        skipped: How many have a packshot already.
        left_out: What is no photo, or is not looked into, and why.
        kept_apart: Photos that would have shared a packshot's name, and the packshots' names.
        format: The format that the output's name asks for.
        to_stdout: Whether the one packshot goes to standard output.
    """

    jobs: list[Job]
    skipped: int
    left_out: list[tuple[Path, str]]
    kept_apart: list[tuple[Source, str]]
    format: FormatName | None
    to_stdout: bool


def plan(
    photos: tuple[str, ...],
    output: str,
    options: RenderOptions,
    *,
    recursive: bool,
    overwrite: bool,
    skip_existing: bool,
) -> Plan:
    """Find the photos and decide where each packshot goes; make the folders for them.

    Args:
        photos: Files, folders, patterns, or - for standard input.
        output: A folder, a file, or - for standard output.
        options: What the packshots shall look like.
        recursive: Whether folders in folders are searched.
        overwrite: Whether files that are there are replaced; a photo never is.
        skip_existing: Whether a photo whose packshot is there is left.

    Raises:
        click.UsageError: There is no photo, the output does not suit them, or a file is in the way.
    """
    to_stdout = output in STANDARD_OUTPUT
    if to_stdout and sys.stdout is None:
        raise click.UsageError("standard output is closed")
    file = None if to_stdout else _file(output, options)
    folder = None if to_stdout or file else Path(output)
    found = find(photos, folder, recursive=recursive)
    sources, apart = found.sources, list[Job]()
    if folder is None:
        if len(sources) != 1:
            raise click.UsageError(f"{len(sources)} photos cannot go into one file, {output}")
        jobs = [Job(sources[0], file=file)]
    else:
        if any(source.path is None for source in sources):
            raise click.UsageError("standard input needs a file, or -, as its output")
        jobs, apart = _named(sources, folder)
    picture_format = FORMAT_OF[file.suffix.lower()] if file and not options.get("format") else None
    formats = _formats(options, picture_format)
    there = _there(jobs, formats, overwrite=overwrite)
    if there and not skip_existing:
        files = "1 file is" if len(there) == 1 else f"{len(there)} files are"
        raise click.UsageError(
            f"{files} there already: {_listed(path for _, path in there)}; --overwrite replaces "
            "them, --skip-existing leaves their photos out"
        )
    done = {job.source for job, _ in there}
    jobs = [job for job in jobs if job.source not in done]
    for parent in {parent for job in jobs if (parent := job.folder)}:
        _made(parent)
    kept_apart = [(job.source, " or ".join(map(str, map(job.target, formats)))) for job in apart]
    return Plan(jobs, len(done), found.left_out, kept_apart, picture_format, to_stdout)


def _file(output: str, options: RenderOptions) -> Path | None:
    """Return the file that an output names; None for a folder.

    Raises:
        click.UsageError: It is neither, or its name contradicts the format.
    """
    if not output:
        raise click.UsageError("the output's name is empty")  # a shell's variable that is not set
    path = Path(output)
    if os.path.isdir(path) or output.endswith(("/", os.sep)):  # noqa: PTH112  unlike Path's it is False where nothing may be seen
        return None
    try:
        kind = kind_of(path.stat().st_mode)
    except FileNotFoundError:
        kind = None
        if not path.suffix:
            return None
    except (OSError, ValueError) as exc:
        raise click.UsageError(f"{output} cannot be written: {_reason(exc)}") from exc
    if kind or is_stream(path):
        raise click.UsageError(
            f"{output} is {kind or 'an open file'}, not a file to replace; - is standard output"
        )
    picture_format = FORMAT_OF.get(path.suffix.lower())
    if picture_format is None:
        what = "a file, not a folder" if path.exists() else "no name of a packshot"
        raise click.UsageError(
            f"{output} is {what}: that of a packshot ends with {', '.join(FORMAT_OF)}, that of a "
            "folder to be made with /"
        )
    if options.get("format") not in {None, picture_format}:
        raise click.UsageError(f"{output} contradicts --format {options.get('format')}")
    return path


def _formats(options: RenderOptions, of_file: FormatName | None) -> Collection[str]:
    """Return the formats that packshots may come in."""
    if chosen := options.get("format") or of_file:
        return (chosen,)
    if options.get("background") == "transparent" or options.get("content") in {"mask", "alpha"}:
        return ("png",)
    return FORMATS if options.get("preset") else ("jpeg",)


def _named(sources: list[Source], folder: Path) -> tuple[list[Job], list[Job]]:
    """Name each packshot after its photo, by more of the photo's path where two would share a name.

    Returns:
        All jobs, and those of them that were kept apart.

    Raises:
        click.UsageError: Some photos cannot be kept apart.
    """
    case_tells = _made(folder)
    named = [(source, source.place.with_suffix("")) for source in sources]
    apart: set[int] = set()
    # With its suffix one can share the name of another without.
    for rename in (_with_folders, _with_suffixes, _with_suffixes):
        for group in _sharing(named, case_tells=case_tells):
            apart.update(group)
            for index, place in zip(group, rename([named[i] for i in group]), strict=True):
                named[index] = (named[index][0], place)
    if groups := _sharing(named, case_tells=case_tells):
        names = _listed(named[index][0].name for index in groups[0])
        raise click.UsageError(f"{names} would share the name {folder / named[groups[0][0]][1]}")
    jobs = [Job(source, stem=folder / place) for source, place in named]
    return jobs, [jobs[index] for index in sorted(apart)]


def _sharing(named: list[_Named], *, case_tells: bool) -> list[list[int]]:
    """Return the photos that share a place, by their indices."""
    groups = defaultdict(list)
    for index, (_, place) in enumerate(named):
        name = str(place)
        groups[name if case_tells else normalize("NFC", name).casefold()].append(index)
    return [group for group in groups.values() if len(group) > 1]


def _with_folders(group: list[_Named]) -> list[Path]:
    """Keep so much of the folders as tells the photos apart."""
    folders = [Path(os.path.abspath((source.path or Path()).parent)) for source, _ in group]  # noqa: PTH100  links stay
    if len(set(folders)) == 1:
        return [place for _, place in group]
    common = os.path.commonpath(folders)
    return [
        folder.relative_to(common) / place.name
        for folder, (_, place) in zip(folders, group, strict=True)
    ]


def _with_suffixes(group: list[_Named]) -> list[Path]:
    """Keep the photos' own suffixes."""
    return [place.with_name(source.place.name) for source, place in group]


def _there(jobs: list[Job], formats: Iterable[str], *, overwrite: bool) -> list[tuple[Job, Path]]:
    """Return the jobs whose packshots are there and are not to be replaced.

    Raises:
        click.UsageError: A photo would be replaced, or something that is no file.
    """
    photos = {identity(job.source.path) for job in jobs if job.source.path}
    kept, originals = [], []
    for job in jobs:
        for target in filter(None, map(job.target, formats)):
            found = _stat(target)
            if found is None:
                continue
            if (found.st_dev, found.st_ino) in photos:
                originals.append(target)
            elif kind := kind_of(found.st_mode):
                raise click.UsageError(f"{target} is {kind}, not a file to replace")
            elif not overwrite:
                kept.append((job, target))
                break
            elif not os.access(target, os.W_OK):
                raise click.UsageError(f"{target} cannot be replaced: Permission denied")
    if originals:
        raise click.UsageError(
            f"{_listed(originals)}: photos to render, and no packshot replaces a photo; "
            "name another folder or file"
        )
    return kept


def _stat(target: Path) -> os.stat_result | None:
    """Look at a file; None if there is none.

    Raises:
        click.UsageError: It can never be written, since its name is too long, say.
    """
    try:
        return target.stat()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as exc:
        raise click.UsageError(f"{target} cannot be written: {_reason(exc)}") from exc


def _made(folder: Path) -> bool:
    """Make a folder that is missing; return whether case tells files in it apart.

    Raises:
        click.UsageError: It cannot be made, or no file can be made in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as exc:
        raise click.UsageError(f"the folder {folder} cannot be made: {_reason(exc)}") from exc
    try:
        return probe_folder(folder)
    except OSError as exc:
        raise click.UsageError(f"nothing can be written to {folder}: {_reason(exc)}") from exc


def _reason(exc: Exception) -> str:
    return (exc.strerror if isinstance(exc, OSError) else None) or str(exc)


def _listed(paths: Iterable[Path | str]) -> str:
    """List the first few of many."""
    names = [str(path) for path in paths]
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
