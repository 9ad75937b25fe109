"""Where in a photo the product is, from what callers write to the interface's messages."""

import re
from operator import index
from typing import SupportsIndex

from packshot._options import Region
from packshot.v1 import packshot_pb2 as pb

_PERCENT = re.compile(r"(\d+(?:\.\d+)?)%", re.ASCII)
_PIXELS = re.compile(r"(\d+)(?:px)?", re.ASCII)
_FORMS = (
    "left, top, width and height in pixels or percent, such as '10,20,300,400' and '0,0,50%,100%'"
)
# What the interface's fields can hold.
_MOST_PX = 2**32 - 1


def to_region(region: Region) -> pb.Region:
    """Read a region.

    Args:
        region: Left, top, width and height: four of them, or a text with commas in between; each
            is a number of pixels, or a text such as "25%" or "30px". Left and width are of one
            unit, unless one of them is 0, and so are top and height.

    Raises:
        ValueError: It is none of that, or empty.
    """
    try:
        x, y, width, height = map(_read, region.split(",") if isinstance(region, str) else region)
    except (TypeError, ValueError):
        raise ValueError(f"region is {region!r}; allowed: {_FORMS}") from None
    left, right = _edges(region, x, width)
    top, bottom = _edges(region, y, height)
    return pb.Region(left=left, top=top, right=right, bottom=bottom)


def _read(part: int | str) -> tuple[float, bool]:
    """Return a length and whether it is in percent."""
    if isinstance(part, SupportsIndex):
        pixels = index(part)
    elif not isinstance(part, str):
        raise TypeError(part)
    elif percent := _PERCENT.fullmatch(part.strip()):
        return float(percent[1]), True
    elif text := _PIXELS.fullmatch(part.strip()):
        pixels = int(text[1])
    else:
        raise ValueError(part)
    if not 0 <= pixels <= _MOST_PX:
        raise ValueError(part)
    return pixels, False


def _edges(
    region: Region, begin: tuple[float, bool], size: tuple[float, bool]
) -> tuple[pb.Coordinate, pb.Coordinate]:
    if not size[0]:
        raise ValueError(f"region is {region!r}, which is empty")
    if begin[0] and begin[1] != size[1]:
        raise ValueError(
            f"region is {region!r}; a place and the size from there are both in pixels or both in "
            "percent"
        )
    end = begin[0] + size[0]
    if end > _MOST_PX:
        raise ValueError(f"region is {region!r}; allowed: {_FORMS}")
    return _coordinate(begin[0], in_percent=size[1]), _coordinate(end, in_percent=size[1])


def _coordinate(place: float, *, in_percent: bool) -> pb.Coordinate:
    return pb.Coordinate(percent=place) if in_percent else pb.Coordinate(px=int(place))
