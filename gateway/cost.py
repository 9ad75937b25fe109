"""What a render costs by what is asked, before it is done: seconds of one core of one machine.

The figures are those of `gateway.pipeline.cost`, and the model's pass. On another machine each is
off by about the same factor, which admission learns (`gateway.admission.pace`); what matters here
is how they compare.
"""

from typing import Final

from gateway.options.render_options import RenderOptions
from gateway.pipeline.backgrounds.file import BackgroundFile
from gateway.pipeline.charge import picture_weight
from gateway.pipeline.cost import Work, estimate_s

# A photo of good quality has about so many pixels to a byte of its file.
_PIXELS_PER_BYTE: Final = 2


def render_cost_s(
    options: RenderOptions, photo_pixels: float, picture_pixels: float, pass_s: float
) -> float:
    """Estimate what a render takes, s of one core.

    Args:
        options: What is asked for.
        photo_pixels: Pixels of the photo, and of a background picture.
        picture_pixels: Pixels of the finished picture.
        pass_s: What a pass of the model takes, s.
    """
    work = Work(
        photo_px=round(photo_pixels),
        background_px=0,  # it is among the photo's
        picture_px=round(picture_pixels),
        background=options.background,
        staging=options.staging,
        content=options.content,
        picture_format=options.picture_format,
        quality=options.quality,
        is_judged=options.preset is not None,
    )
    return pass_s + estimate_s(work)


def cost_by_bytes_s(
    options: RenderOptions, photo_bytes: int, max_pixels: int, pass_s: float
) -> float:
    """Estimate what a render takes while no header has been read, s of one core."""
    file = options.background.file if isinstance(options.background, BackgroundFile) else b""
    photo = float(min(photo_bytes * _PIXELS_PER_BYTE, max_pixels))
    behind = min(len(file) * _PIXELS_PER_BYTE, max_pixels)
    return render_cost_s(options, photo + behind, _framed_pixels(options) or photo, pass_s)


def cost_by_pixels_s(options: RenderOptions, charged_pixels: int, pass_s: float) -> float:
    """Estimate what a render takes once headers have been read, s of one core.

    Args:
        options: What is asked for.
        charged_pixels: By `gateway.pipeline.charge.charged_pixels`.
        pass_s: What a pass of the model takes, s.
    """
    weight = picture_weight(options.picture_format)
    framed = _framed_pixels(options)
    # Without a frame of known size the picture has about the photo's.
    photo = charged_pixels - weight * framed if framed else charged_pixels / (1 + weight)
    return render_cost_s(options, photo, framed or photo, pass_s)


def _framed_pixels(options: RenderOptions) -> int:
    """Return the pixels of a frame whose size is asked for; 0 where it is not."""
    return options.frame.width_px * options.frame.height_px if options.frame else 0
