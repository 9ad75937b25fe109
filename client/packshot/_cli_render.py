"""`packshot render`: many photos at once, one bad one stopping no other."""

import sys
import time
from concurrent.futures import Future
from contextlib import suppress
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
from packshot._cli_batch import Interruption, run
from packshot._cli_output import printable, say, write_picture
from packshot._cli_specs import (
    ASPECT_FORMS,
    BACKGROUND_FORMS,
    SIZE_FORMS,
    Spec,
    parse_aspect,
    parse_background,
    parse_size,
)
from packshot._cli_targets import Job, Plan, plan
from packshot._options import Background, FitName, Photo
from packshot._request import to_request
from packshot._words import CONTENTS, FITS, FORMATS, PRIORITIES, SCENES, SHADOWS

_FAILED = 1
# How long a photo is brought again to a service that is full, s.
_PATIENCE_S = 60.0
# How many files of a kind are named before the rest are counted.
_SHOWN = 20
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
@click.option("--recursive", is_flag=True, help="Take the photos of folders in folders as well.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there; never a photo.")
@click.option(
    "--skip-existing",
    is_flag=True,
    help="Leave out photos whose packshot is there, so that a batch that was broken off goes on.",
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
    recursive: bool,  # noqa: FBT001
    overwrite: bool,  # noqa: FBT001
    skip_existing: bool,  # noqa: FBT001
    jobs: int,
    **options: Unpack[RenderOptions],
) -> None:
    """Render photos: files, folders, patterns, or - for standard input.

    Of a folder or a pattern the files are rendered that are pictures; others are named. The first
    Ctrl-C ends after the photos under way, the second at once.
    """
    if background_fit:
        options["background"] = _fitted(options.get("background"), background_fit)
    if require_compliance and not options.get("preset"):
        raise click.UsageError("--require-compliance needs a --preset to comply with")
    if overwrite and skip_existing:
        raise click.UsageError("--overwrite contradicts --skip-existing")
    try:
        to_request(b"", options)
    except ValueError as exc:
        raise click.UsageError(str(exc)) from exc
    try:
        work = plan(
            photos,
            output,
            options,
            recursive=recursive,
            overwrite=overwrite,
            skip_existing=skip_existing,
        )
    except click.UsageError as exc:
        raise click.UsageError(printable(exc.message)) from exc  # it names files
    if work.format:
        options["format"] = work.format
    _say_plan(work)
    interruption = Interruption()
    rendering = _Rendering(client, options, interruption, work, overwrite=overwrite)
    tally = _Tally(work, require_compliance=require_compliance)
    with tally.bar, interruption.in_force():
        left = run(
            work.jobs,
            rendering.render,
            tally.report,
            at_once=jobs,
            interruption=interruption,
            abandon=client.close,
        )
    if not work.to_stdout or interruption:
        say(tally.summary(left))
    sys.exit(interruption.status or (_FAILED if tally.failed else 0))


class _Outcome(NamedTuple):
    """What is said of a packshot that is written; without the picture, since there are many."""

    notes: tuple[str, ...]
    verdict: Verdict | None


class _NotBegunError(Exception):
    """The service had no room for a photo until somebody wanted an end."""


class _Rendering:
    """What is done for one photo."""

    def __init__(
        self,
        client: Client,
        options: RenderOptions,
        interruption: Interruption,
        work: Plan,
        *,
        overwrite: bool,
    ) -> None:
        self._client = client
        self._options = options
        self._interruption = interruption
        self._overwrite = overwrite
        # Read here, where Ctrl-C ends it: there is one photo then, and it is not under way yet.
        reads = any(job.source.path is None for job in work.jobs)
        self._standard_input = sys.stdin.buffer.read() if reads else b""

    def render(self, job: Job) -> _Outcome:
        """Render a photo and write its packshot."""
        packshot = self._render_patiently(job.source.path or self._standard_input)
        if target := job.target(packshot.format):
            packshot.save(target, overwrite=self._overwrite)
        else:
            write_picture(packshot.picture)
        return _Outcome(packshot.notes, packshot.verdict)

    def _render_patiently(self, photo: Photo) -> Packshot:
        """Render a photo, and come back when a full service says to, as long as that helps."""
        give_up_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self._client.render(photo, **self._options)
            except OverloadedError as error:
                delay_s = error.retry_after_s
                if delay_s is None or time.monotonic() + delay_s > give_up_s:
                    raise
                if self._interruption.wait(delay_s):
                    raise _NotBegunError from error


class _Tally:
    """What became of the photos."""

    def __init__(self, work: Plan, *, require_compliance: bool) -> None:
        self.failed = 0
        self._rendered = 0
        self._not_begun = 0
        self._skipped = work.skipped
        self._require_compliance = require_compliance
        # On standard error, since standard output may be the picture.
        hidden = work.to_stdout or not sys.stderr.isatty()
        self.bar = click.progressbar(
            length=len(work.jobs), label="rendering", file=sys.stderr, hidden=hidden
        )
        self._hidden = hidden

    def report(self, job: Job, future: Future[_Outcome]) -> None:
        """Say what there is to say of a photo, and count it."""
        try:
            outcome = future.result()
        except _NotBegunError:
            self._not_begun += 1
        except (PackshotError, OSError, ValueError, MemoryError) as exc:
            self._say(f"error: {job.source.name}: {str(exc) or 'it takes too much memory'}")
            self.failed += 1
        else:
            complies = self._say_outcome(job, outcome)
            if complies or not self._require_compliance:
                self._rendered += 1
            else:
                self.failed += 1
        with suppress(OSError):
            self.bar.update(1)

    def summary(self, left: int) -> str:
        """Say how many photos met which fate, of which so many were left."""
        parts = [f"{self._rendered} rendered", f"{self.failed} failed"]
        if self._skipped:
            parts.append(f"{self._skipped} there already")
        if left + self._not_begun:
            parts.append(f"{left + self._not_begun} not begun")
        return ", ".join(parts)

    def _say_outcome(self, job: Job, outcome: _Outcome) -> bool:
        """Say what is to be said of a packshot; return whether it complies with its preset."""
        for note in outcome.notes:
            self._say(f"note: {job.source.name}: {note}")
        verdict = outcome.verdict
        if verdict is None or verdict.complies:
            return True
        broken = " ".join(check.explanation for check in verdict.checks if not check.passed)
        self._say(f"breaks the rules of {verdict.preset}: {job.source.name}: {broken}")
        return False

    def _say(self, text: str) -> None:
        if not self._hidden:
            say("")  # the bar's line has no end
        say(text)


def _say_plan(work: Plan) -> None:
    """Name what is not rendered, and what is not named as its photo is."""
    for path, why in work.left_out[:_SHOWN]:
        say(f"left out: {path}: {why}")
    for job in work.kept_apart[:_SHOWN]:
        say(f"kept apart: {job.source.name}: the packshot is {job.stem}")
    for kind, count in (("left out", len(work.left_out)), ("kept apart", len(work.kept_apart))):
        if count > _SHOWN:
            say(f"{kind}: {count - _SHOWN} more")


def _fitted(background: Background | None, fit: FitName) -> BackgroundPicture:
    if not isinstance(background, BackgroundPicture):
        raise click.UsageError("--background-fit needs a --background that is a file")
    return replace(background, fit=fit)
