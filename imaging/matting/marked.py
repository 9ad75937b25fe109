"""The steps around the network for a photo of which a caller has said where its product is."""

from imaging.matting.marks import Marks
from imaging.matting.own_cut import own_cut
from imaging.matting.prepare import to_model_input
from imaging.matting.refine import cut_out
from imaging.matting.region import part_of, put_back
from imaging.types import Cut, Photo, Pixels


def to_marked_input(photo: Photo, marks: Marks, width_px: int, height_px: int) -> Pixels:
    """Make the model's input of the part of a photo that it is to see; as `to_model_input`."""
    return to_model_input(part_of(photo, marks.window), width_px, height_px)


def cut_out_marked(matte: Pixels, seen: Pixels, photo: Photo, marks: Marks, *, cleans: bool) -> Cut:
    """Cut the product out by the matte of a part of its photo; otherwise as `cut_out`.

    Args:
        matte: (h, w) uint8, 255 product, of the marks' part of the photo.
        seen: (h', w', 3) uint8, that part as the network saw it.
        photo: The whole photo.
        marks: What the caller says.
        cleans: As `cut_out` takes it.

    Returns:
        The cut, of the whole photo's size; its confidence is that of the part.
    """
    part = part_of(photo, marks.window)
    return put_back(cut_out(matte, seen, part, cleans=cleans, marks=marks), marks.window, photo)


def own_marked_cut(photo: Photo, marks: Marks) -> Cut:
    """Return the cut that a photo's file brings, as far as the caller leaves it; as `own_cut`."""
    return put_back(own_cut(part_of(photo, marks.window), marks), marks.window, photo)
