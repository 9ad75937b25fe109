"""`packshot render`: many photos at once, one bad one stopping no other."""

import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import NamedTuple, Unpack

import click

from packshot import (
    BackgroundPicture,
    Client,
    OverloadedError,
    Packshot,
    PackshotError,
    RenderOptions,
    Verdict,
)
from packshot._cli_photos import STREAM, Job, plan
from packshot._cli_specs import (
    ASPECT_FORMS,
    BACKGROUND_FORMS,
    SIZE_FORMS,
    Spec,
    parse_aspect,
    parse_background,
    parse_size,
)
from packshot._options import Background, FitName, Photo
from packshot._request import to_request
from packshot._words import CONTENTS, CUTS, FITS, FORMATS, PRIORITIES, SCENES, SHADOWS

_FAILED = 1
# How long a photo is brought again to a service that is full, s.
_PATIENCE_S = 60.0
_SHARE = click.FloatRange(0, 1)


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
    type=Spec(parse_background),
    metavar=BACKGROUND_FORMS,
    help="What stands behind the product; white if not given. A COLOR is #RRGGBB or white, a KIND "
    f"{', '.join(SCENES)}.",
)
@click.option(
    "--background-fit",
    type=click.Choice(list(FITS)),
    help="How a background FILE meets a frame of another shape; fill if not given.",
)
@click.option("--preset", metavar="NAME", help="A marketplace's preset, from `packshot presets`.")
@click.option(
    "--require-compliance",
    is_flag=True,
    help="Count a packshot that breaks the preset's rules as failed; it is written all the same.",
)
@click.option("--square", is_flag=True, help="Centre the product in a square frame.")
@click.option(
    "--size",
    type=Spec(parse_size),
    metavar=SIZE_FORMS,
    help="The frame's size in pixels; a side that is missing follows from the rest.",
)
@click.option(
    "--aspect",
    type=Spec(parse_aspect),
    metavar=ASPECT_FORMS,
    help="The frame's width over its height.",
)
@click.option("--crop", is_flag=True, help="Cut off what is around the product, margins aside.")
@click.option(
    "--margin",
    metavar="LENGTHS",
    help="Least space around the product, such as 30px or 5% of the product; two lengths for above "
    "and below, left and right, four from above clockwise.",
)
@click.option(
    "--scale",
    type=click.FloatRange(0.05, 1),
    help="Share of the frame that the product takes along the tighter side.",
)
@click.option(
    "--position",
    metavar="center|original|X% Y%",
    help="Where the product goes in what space it has.",
)
@click.option(
    "--max-upscale",
    type=click.FloatRange(1, 8),
    help="Largest factor by which the photo may be enlarged; 2 if not given.",
)
@click.option("--shadow", type=click.Choice(list(SHADOWS)), help="The product's shadow.")
@click.option("--shadow-opacity", type=_SHARE, help="How dark it is at its darkest.")
@click.option(
    "--light-angle",
    type=click.FloatRange(-80, 80),
    help="Where the light comes from, degrees clockwise from straight above; -35 if not given.",
)
@click.option("--reflection", type=_SHARE, help="Strength of the mirror image below the product.")
@click.option(
    "--color-match",
    type=_SHARE,
    help="How far the product's colours move towards the background's; 0 if not given.",
)
@click.option(
    "--cut",
    type=click.Choice(list(CUTS)),
    help="Where the cut comes from: the photo's own transparency, the model, or the photo's own "
    "where it is a cut; auto if not given.",
)
@click.option(
    "--clean/--no-clean",
    default=None,
    help="Whether stray islands and small holes of the cut are cleaned; they are if not given.",
)
@click.option(
    "--content",
    type=click.Choice(list(CONTENTS)),
    help="The picture, or the matte: in grey, or as the alpha channel of a black picture.",
)
@click.option("--format", type=click.Choice(list(FORMATS)), help="The file's format.")
@click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG, WebP and AVIF.")
@click.option("--dpi", type=click.IntRange(1, 2400), help="The resolution that the file states.")
@click.option("--keep-metadata", is_flag=True, help="Put the photo's EXIF data into the file.")
@click.option("--model", help="The model to cut with.")
@click.option(
    "--priority",
    type=click.Choice(list(PRIORITIES)),
    help="Who waits: interactive work goes before bulk work; interactive if not given.",
)
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
    background_fit: FitName | None,
    require_compliance: bool,  # noqa: FBT001  click passes it by name
    jobs: int,
    **options: Unpack[RenderOptions],
) -> None:
    """Render photos: files, folders, globs, or - for standard input."""
    if background_fit:
        options["background"] = _fitted(options.get("background"), background_fit)
    if require_compliance and not options.get("preset"):
        raise click.UsageError("--require-compliance needs a --preset to comply with")
    try:
        to_request(b"", options)
    except ValueError as exc:
        raise click.UsageError(str(exc)) from exc
    work = plan(photos, output)
    if options.get("format") is None:
        options["format"] = work[0].format
    failed = 0
    with (
        ThreadPoolExecutor(min(jobs, len(work))) as pool,
        # On standard error, since standard output may be the picture.
        click.progressbar(
            length=len(work), label="rendering", file=sys.stderr, hidden=output == STREAM
        ) as bar,
    ):
        futures = {pool.submit(_render_one, client, job, options): job for job in work}
        for future in as_completed(futures):
            complies = _report(futures[future], future)
            failed += complies is None or (require_compliance and not complies)
            bar.update(1)
    if output != STREAM:
        click.echo(f"{len(work) - failed} rendered, {failed} failed", err=True)
    sys.exit(_FAILED if failed else 0)


class _Outcome(NamedTuple):
    """What is said of a packshot that is written; without the picture, since there are many."""

    notes: tuple[str, ...]
    verdict: Verdict | None


def _render_one(client: Client, job: Job, options: RenderOptions) -> _Outcome:
    photo = job.source or sys.stdin.buffer.read()
    packshot = _render_patiently(client, photo, options)
    if job.file:
        packshot.save(job.file)
    elif job.folder and job.source:
        suffix = packshot.format.replace("jpeg", "jpg")
        packshot.save(job.folder / f"{job.source.stem}.{suffix}")
    else:
        sys.stdout.buffer.write(packshot.picture)
    return _Outcome(packshot.notes, packshot.verdict)


def _render_patiently(client: Client, photo: Photo, options: RenderOptions) -> Packshot:
    """Render a photo, and come back when a full service says to, for as long as that helps."""
    give_up_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return client.render(photo, **options)
        except OverloadedError as error:
            if error.retry_after_s is None or time.monotonic() + error.retry_after_s > give_up_s:
                raise
            time.sleep(error.retry_after_s)


def _report(job: Job, future: Future[_Outcome]) -> bool | None:
    """Say what there is to say of a photo; return whether it complies, None if it failed."""
    try:
        notes, verdict = future.result()
    except (PackshotError, OSError, ValueError) as exc:
        click.echo(f"\nerror: {job.name}: {exc}", err=True)
        return None
    for note in notes:
        click.echo(f"\nnote: {job.name}: {note}", err=True)
    if verdict is None or verdict.complies:
        return True
    broken = " ".join(check.explanation for check in verdict.checks if not check.passed)
    click.echo(f"\nbreaks the rules of {verdict.preset}: {job.name}: {broken}", err=True)
    return False


def _fitted(background: Background | None, fit: FitName) -> BackgroundPicture:
    if not isinstance(background, BackgroundPicture):
        raise click.UsageError("--background-fit needs a --background that is a file")
    return replace(background, fit=fit)
