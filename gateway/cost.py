"""What a render costs by what is asked, before it is done: seconds of one core of one machine.

The figures were measured on the machine that `docs/load.md` names, per million pixels. On another
machine each is off by about the same factor, which admission learns (`gateway.admission.pace`).
What matters here is how they compare: a marble scene of 16 megapixels is worth 25 plain renders.
"""

from typing import Final

from gateway.pipeline.backgrounds.file import BackgroundFile
from gateway.pipeline.charge import picture_weight
from gateway.pipeline.encode import PictureFormat
from gateway.pipeline.look import Blur, Content, Scene, SceneKind
from gateway.renderer import RenderOptions

# What any render takes besides its pixels: messages, the network's input and its answer.
_FIXED_S: Final = 0.01
# Decoding, preparing and refining; per million pixels of the photo.
_PHOTO_S: Final = 0.03
# Composing; per million pixels of the picture.
_PLAIN_S: Final = 0.012
_BLUR_S: Final = 0.02
_STUDIO_S: Final = 0.06
_SCENE_S: Final = 0.17
# Textures and light are made at a size of their own first.
_STUDIO_FIXED_S: Final = 0.1
_SCENE_FIXED_S: Final = 0.25
# Encoding; per million pixels of the picture.
_ENCODE_S: Final = {
    PictureFormat.JPEG: 0.01,
    PictureFormat.PNG: 0.06,
    PictureFormat.WEBP: 0.08,
    PictureFormat.AVIF: 0.1,
}
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
    fixed_s, each_s = _FIXED_S, _PLAIN_S
    if options.content is Content.PICTURE:
        match options.background:
            case Blur():
                each_s = _BLUR_S
            case Scene(kind=SceneKind.STUDIO):
                fixed_s, each_s = _FIXED_S + _STUDIO_FIXED_S, _STUDIO_S
            case Scene():
                fixed_s, each_s = _FIXED_S + _SCENE_FIXED_S, _SCENE_S
    each_s += _ENCODE_S[options.picture_format]
    return pass_s + fixed_s + (photo_pixels * _PHOTO_S + picture_pixels * each_s) / 1e6


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
