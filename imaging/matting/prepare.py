"""Second step: the photo to the model's input."""

from imaging.compose.blend import composite_over
from imaging.resample import resample
from imaging.types import WHITE, Photo, Pixels


def to_model_input(photo: Photo, width_px: int, height_px: int) -> Pixels:
    """Squash a photo to the size at which the network sees it.

    Args:
        photo: The decoded photo. Where it is transparent the network sees white.
        width_px: The model's input width.
        height_px: The model's input height.

    Returns:
        (1, height_px, width_px, 3) uint8, sRGB.
    """
    rgb = resample(photo.rgb, width_px, height_px)
    if photo.alpha is not None:
        rgb = composite_over(rgb, resample(photo.alpha, width_px, height_px), WHITE)
    return rgb[None]
