"""`packshot render`: many photos at once, one bad one stopping no other."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Any

import click

from packshot import Client, Packshot, PackshotError

_STREAM = "-"
_PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".avif"}
_PHOTO_SUFFIXES = _PICTURE_SUFFIXES | {".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif"}
_FAILED = 1


@dataclass(frozen=True, slots=True)
class _Job:
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
        return str(self.source or "standard input")


class _SizeType(click.ParamType[tuple[int, int]]):
    """`N` or `WIDTHxHEIGHT`."""

    name = "N|WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        width, _, height = str(value).partition("x")
        try:
            return int(width), int(height or width)
        except ValueError:
            self.fail(f"{value!r} is neither N nor WIDTHxHEIGHT", param, ctx)


@click.command()
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="DIR|FILE",
    help="Folder for the packshots, a file for a single one, or - for standard output.",
)
@click.option(
    "--background",
    default="white",
    show_default=True,
    metavar="transparent|white|#RRGGBB",
    help="What stands behind the product.",
)
@click.option("--square", is_flag=True, help="Centre the product in a square frame.")
@click.option("--size", type=_SizeType(), help="The frame's size in pixels.")
@click.option("--fill", type=click.FloatRange(0.05, 1), help="Share of the frame to fill.")
@click.option("--format", "picture_format", type=click.Choice(["png", "jpeg", "webp", "avif"]))
@click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG, WebP and AVIF.")
@click.option("--dpi", type=click.IntRange(1, 2400), help="The resolution that the file states.")
@click.option("--keep-metadata", is_flag=True, help="Put the photo's EXIF data into the file.")
@click.option("--model", help="The model to cut with.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    help="Photos under way at once.",
)
@click.pass_obj
def render(
    client: Client,
    /,
    photos: tuple[str, ...],
    output: str,
    picture_format: str | None,
    jobs: int,
    **options: Any,
) -> None:
    """Render photos: files, folders, globs, or - for standard input."""
    work = _plan(photos, output)
    if picture_format is None and output != _STREAM and work[0].file:
        suffix = work[0].file.suffix.lower().lstrip(".").replace("jpg", "jpeg")
        picture_format = suffix if f".{suffix}" in _PICTURE_SUFFIXES else None
    failed = 0
    with (
        ThreadPoolExecutor(min(jobs, len(work))) as pool,
        # On standard error, since standard output may be the picture.
        click.progressbar(
            length=len(work), label="rendering", file=sys.stderr, hidden=output == _STREAM
        ) as bar,
    ):
        futures = {
            pool.submit(_render_one, client, job, format=picture_format, **options): job
            for job in work
        }
        for future in as_completed(futures):
            try:
                notes = future.result()
            except (PackshotError, OSError, ValueError) as exc:
                failed += 1
                click.echo(f"\nerror: {futures[future].name}: {exc}", err=True)
            else:
                for note in notes:
                    click.echo(f"\nnote: {futures[future].name}: {note}", err=True)
            bar.update(1)
    if output != _STREAM:
        click.echo(f"{len(work) - failed} rendered, {failed} failed", err=True)
    sys.exit(_FAILED if failed else 0)


def _plan(photos: tuple[str, ...], output: str) -> list[_Job]:
    """Find the photos and decide where each packshot goes."""
    sources = list(_sources(photos))
    if output == _STREAM or (Path(output).suffix and not Path(output).is_dir()):
        if len(sources) != 1:
            raise click.UsageError(f"{len(sources)} photos cannot go into one file, {output}")
        return [_Job(sources[0], file=None if output == _STREAM else Path(output))]
    if None in sources:
        raise click.UsageError("standard input needs a file, or -, as its output")
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    names = [source.stem for source in sources if source]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise click.UsageError(f"several photos are named {', '.join(twice)}")
    return [_Job(source, folder=folder) for source in sources]


def _sources(photos: tuple[str, ...]) -> Iterator[Path | None]:
    for photo in photos:
        path = Path(photo)
        if photo == _STREAM:
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


def _render_one(client: Client, job: _Job, **options: Any) -> tuple[str, ...]:
    photo = job.source or sys.stdin.buffer.read()
    packshot: Packshot = client.render(photo, **options)
    if job.file:
        packshot.save(job.file)
    elif job.folder and job.source:
        suffix = packshot.format.replace("jpeg", "jpg")
        packshot.save(job.folder / f"{job.source.stem}.{suffix}")
    else:
        sys.stdout.buffer.write(packshot.picture)
    return packshot.notes
