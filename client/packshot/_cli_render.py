"""`packshot render`: many photos at once, one bad one stopping no other."""

import sys
from dataclasses import replace
from typing import Unpack

import click

from packshot import (
    BackgroundPicture,
    Client,
    RenderOptions,
)
from packshot._cli_batch import Interruption, run
from packshot._cli_output import printable, say
from packshot._cli_rendering import Rendering, Tally, say_plan
from packshot._cli_specs import (
    ASPECT_FORMS,
    BACKGROUND_FORMS,
    REGION_FORMS,
    SIZE_FORMS,
    Spec,
    parse_aspect,
    parse_background,
    parse_mask,
    parse_region,
    parse_size,
)
from packshot._cli_targets import plan
from packshot._options import Background, FitName
from packshot._request import to_request
from packshot._words import CONTENTS, CUTS, FITS, FORMATS, PRIORITIES, SCENES, SHADOWS

_FAILED = 1
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
@click.option(
    "--max-pixels",
    type=click.IntRange(256),
    help="Most pixels of the picture; a larger one is made smaller in its own proportions.",
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
    "--region",
    type=Spec(parse_region),
    metavar=REGION_FORMS,
    help="Where in the upright photo the product is: left, top, width and height, in pixels or, as "
    "25%,0,50%,100%, in percent of the photo.",
)
@click.option(
    "--keep-mask",
    type=Spec(parse_mask),
    metavar="FILE",
    help="A PNG, stretched to the photo: what is white in it, or opaque, stays product.",
)
@click.option(
    "--erase-mask",
    type=Spec(parse_mask),
    metavar="FILE",
    help="A PNG, stretched to the photo: what is white in it, or opaque, goes.",
)
@click.option(
    "--clean/--no-clean",
    default=None,
    help="Whether stray islands and small holes of the cut are cleaned; they are if not given.",
)
@click.option(
    "--content",
    # Layers are two files, and a command writes one.
    type=click.Choice([content for content in CONTENTS if content != "layers"]),
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
    say_plan(work)
    interruption = Interruption()
    rendering = Rendering(client, options, interruption, work, overwrite=overwrite)
    tally = Tally(work, require_compliance=require_compliance)
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


def _fitted(background: Background | None, fit: FitName) -> BackgroundPicture:
    if not isinstance(background, BackgroundPicture):
        raise click.UsageError("--background-fit needs a --background that is a file")
    return replace(background, fit=fit)
