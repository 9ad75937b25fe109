"""What a request says of where the product is, and of what is wrong with its cut."""

from typing import Final

from gateway.rendering.decoding.mask_files import MaskFile, MaskFiles
from gateway.rpc.requests.checks import within
from imaging.decode.formats import PhotoFormat, format_of
from imaging.errors import InvalidOptionError
from imaging.matting.marks import ERASE, KEEP
from imaging.matting.own_cut import CutChoice
from imaging.matting.region import BEGIN, END, Coordinate, Region
from packshot.v1 import packshot_pb2 as pb

_SIDES: Final = (("left", BEGIN), ("top", BEGIN), ("right", END), ("bottom", END))


def read_region(request: pb.RenderRequest) -> Region | None:
    """Read the region; None if the request has none.

    Raises:
        InvalidOptionError: A coordinate is out of range. Whether the box is one of the photo's is
            known only with its size.
    """
    if not request.HasField("region"):
        return None
    left, top, right, bottom = (
        _read_coordinate(f"region.{name}", getattr(request.region, name))
        if request.region.HasField(name)  # type: ignore[arg-type]  # they are its fields
        else unset
        for name, unset in _SIDES
    )
    return Region(left, top, right, bottom)


def read_masks(request: pb.RenderRequest, cut: CutChoice) -> MaskFiles:
    """Read the masks, whose files are not decoded yet.

    Raises:
        InvalidOptionError: One is no PNG file, or is to keep what no mask can keep.
    """
    hints = request.hints
    # Each reading of a field is a copy of the file.
    keep, erase = (
        _read_mask(field, file)
        for field, file in ((KEEP, hints.keep_mask), (ERASE, hints.erase_mask))
    )
    if keep and cut is CutChoice.KEEP:
        raise InvalidOptionError(
            f"cut is keep, the photo's own transparency, to which {KEEP} can add nothing: leave "
            "one of them unset",
            field=KEEP,
        )
    return MaskFiles(keep, erase)


def _read_coordinate(field: str, coordinate: pb.Coordinate) -> Coordinate:
    if coordinate.WhichOneof("kind") == "percent":
        return Coordinate(
            share=within(f"{field}.percent", coordinate.percent, 0.0, 100.0) / 100,
        )
    return Coordinate(coordinate.px)


def _read_mask(field: str, file: bytes) -> MaskFile | None:
    if not file:
        return None
    if format_of(file) is not PhotoFormat.PNG:
        raise InvalidOptionError(
            f"{field} is no PNG file: its {len(file)} bytes begin with {file[:8].hex(' ')}",
            field=field,
            figures={"allowed": "PNG", "value_bytes": len(file)},
        )
    return MaskFile(file, field)
