"""The cost of a render, estimated from its options: seconds of one core of one machine.

The figures are those of `imaging.cost`, and the model's pass. On another machine each is
off by about the same factor, which admission learns (`gateway.admission.throughput`). Only their
ratios matter here.
"""

from dataclasses import replace
from typing import Final

from gateway.rendering.render_options import RenderOptions
from imaging.compose.backgrounds.file import BackgroundFile
from imaging.cost import Work, estimate_s
from imaging.decode.pixels_held import sure_picture_pixels

# A photo of good quality has about so many pixels to a byte of its file.
_PIXELS_PER_BYTE: Final = 2
# And a mask, a PNG of two values.
_MASK_PIXELS_PER_BYTE: Final = 64


def work_of(
    options: RenderOptions,
    photo_px: int,
    background_px: int,
    picture_px: int,
    masks_px: int = 0,
) -> Work:
    """Return what a render is asked to do.

    Args:
        options: What is asked for.
        photo_px: Pixels of the photo.
        background_px: Pixels of the background picture; 0 for none.
        picture_px: Pixels of the finished picture; 0 while they are not known.
        masks_px: Pixels of the masks together.
    """
    return Work(
        photo_px,
        background_px,
        picture_px,
        options.background,
        options.staging,
        options.content,
        options.picture_format,
        options.quality,
        is_judged=options.preset is not None,
        masks_px=masks_px,
        is_marked=bool(options.marked_by),
    )


def cost_of(work: Work, pass_s: float) -> float:
    """Estimate what a render takes once headers have been read, s of one core.

    Args:
        work: What it is asked to do; a picture of unknown size is taken for one of the photo's.
        pass_s: What a pass of the model takes, s.
    """
    return pass_s + estimate_s(replace(work, picture_px=work.picture_px or work.photo_px))


def cost_by_bytes_s(
    options: RenderOptions, photo_bytes: int, max_pixels: int, pass_s: float
) -> float:
    """Estimate what a render takes while no header has been read, s of one core."""
    file = options.background.file if isinstance(options.background, BackgroundFile) else b""
    photo_px, background_px = (
        min(size_bytes * _PIXELS_PER_BYTE, max_pixels) for size_bytes in (photo_bytes, len(file))
    )
    picture_px = sure_picture_pixels((photo_px, 1), options.frame)
    masks_px = sum(
        min(len(each.file) * _MASK_PIXELS_PER_BYTE, max_pixels) for each in options.masks.files
    )
    return cost_of(work_of(options, photo_px, background_px, picture_px, masks_px), pass_s)
