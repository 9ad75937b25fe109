"""ICC profiles made from what a file says of its colours in other words: primaries and a curve.

Little CMS then converts by them as by any other profile. Code points are those of ITU-T H.273.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_D65: Final = (0.3127, 0.3290)
_C: Final = (0.310, 0.316)


@dataclass(frozen=True, slots=True)
class Primaries:
    """The colours that a space is made of, each as x and y of CIE 1931.

    Attributes:
        red: The red one.
        green: The green one.
        blue: The blue one.
        white: All three at their highest.
    """

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float] = _D65

    def is_near(self, other: "Primaries", within: float = 0.005) -> bool:
        """Tell whether none differs by more from another's."""
        mine, theirs = (
            np.array((each.red, each.green, each.blue, each.white)) for each in (self, other)
        )
        return bool(np.abs(mine - theirs).max() <= within)


SRGB: Final = Primaries((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE_RGB: Final = Primaries((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
ADOBE_RGB_GAMMA: Final = 563 / 256
# 0.0 stands for sRGB's curve, any other number for a power.
SRGB_CURVE: Final = 0.0

PRIMARIES: Final = {
    1: SRGB,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: Primaries((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries((0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
# Pictures that name a camera's curve (1, 6, 14, 15) are shown by sRGB's, as everybody does.
CURVES: Final = {**dict.fromkeys((1, 2, 6, 13, 14, 15), SRGB_CURVE), 4: 2.2, 5: 2.8, 8: 1.0}
UNSPECIFIED: Final = 2

_BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_D50: Final = np.array((0.9642, 1.0, 0.8249))
_SRGB_PARAMETERS: Final = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_MOST_GAMMA: Final = 10.0


def rgb_profile(primaries: Primaries, curve: float) -> bytes:
    """Return an ICC profile of a display.

    Args:
        primaries: Its colours.
        curve: The power from a value, 0 to 1, to light; 0: sRGB's curve.

    Raises:
        ValueError: No colours come of such primaries, or of such a curve.
    """
    matrix = _to_d50(primaries)
    tags = {
        name: b"XYZ \0\0\0\0" + _fixed(column)
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), matrix.T.tolist(), strict=True)
    }
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(curve))
    return _profile(b"RGB ", tags)


def grey_profile(curve: float) -> bytes:
    """Return an ICC profile of grey values; `curve` as with `rgb_profile`.

    Raises:
        ValueError: There is no such curve.
    """
    return _profile(b"GRAY", {b"kTRC": _curve(curve)})


def _to_d50(primaries: Primaries) -> Floats:
    """Return the matrix from light of the primaries to XYZ under D50."""
    corners = np.array([_xyz(each) for each in (primaries.red, primaries.green, primaries.blue)]).T
    white = _xyz(primaries.white)
    try:
        matrix = corners * np.linalg.solve(corners, white)
    except np.linalg.LinAlgError as exc:
        raise ValueError("its primaries are no triangle") from exc
    cones, wanted = _BRADFORD @ white, _BRADFORD @ _D50
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(wanted / cones) @ _BRADFORD @ matrix
    # Nothing that is seen has coordinates beyond; the profile's numbers end at 32768.
    if not np.isfinite(adapted).all() or np.abs(adapted).max() > 2:  # noqa: PLR2004
        raise ValueError("its primaries are no colours")
    return np.asarray(adapted, np.float64)


def _xyz(point: tuple[float, float]) -> Floats:
    x, y = point
    if not 0 < y <= 1 or not 0 <= x <= 1:
        raise ValueError(f"a primary at ({x:g}, {y:g}) is no colour")
    return np.array((x / y, 1.0, (1 - x - y) / y))


def _curve(curve: float) -> bytes:
    if curve == SRGB_CURVE:
        return b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + _fixed(_SRGB_PARAMETERS)
    if not 1 / _MOST_GAMMA <= curve <= _MOST_GAMMA:
        raise ValueError(f"its gamma of {curve:g} is not within 0.1 and 10")
    return b"para\0\0\0\0" + struct.pack(">HH", 0, 0) + _fixed((curve,))


def _fixed(values: Sequence[float]) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Write a version 4 profile (ICC.1:2010) of those tags and the white point."""
    tags = {b"wtpt": b"XYZ \0\0\0\0" + _fixed(_D50.tolist()), **tags}
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s12s4s", at + len(body), b"", 0x04300000, b"mntr", space, b"XYZ ", bytes(12),
        b"acsp",
    )  # fmt: skip
    header += bytes(28) + _fixed(_D50.tolist()) + bytes(48)
    return header + table + body
