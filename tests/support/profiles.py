"""ICC profiles made by hand (ICC.1), and what their colours are in sRGB (IEC 61966-2-1)."""

import struct
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

GAMMA: Final = 563 / 256  # 2.2 as the profile's eight fractional bits hold it

# Columns are the primaries' XYZ under D50.
DISPLAY_P3: Final = np.array(
    [[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]]
)
SRGB: Final = np.array(
    [[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]]
)
_D50: Final = (0.9642, 1.0, 0.8249)


def rgb_profile(primaries: Floats) -> bytes:
    """Return a display profile of three primaries and one gamma."""
    gamma = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(GAMMA * 256))
    colorants = {b"rXYZ": 0, b"gXYZ": 1, b"bXYZ": 2}
    tags = {tag: _xyz(primaries[:, column].tolist()) for tag, column in colorants.items()}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma)
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def linear_grey_profile() -> bytes:
    """Return a grey profile whose values are light itself."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": b"curv\0\0\0\0" + struct.pack(">I", 0)})


def red_cyan_profile() -> bytes:
    """Return a CMYK profile of a press that has a red ink in place of the cyan one."""
    even = bytes(range(256))
    nodes = b""
    for node in range(16):  # the first ink's steps are the slowest
        cyan, others = node & 8, node & 7
        nodes += bytes((20, 128, 128) if others else (140, 200, 180) if cyan else (255, 128, 128))
    identity = struct.pack(">9i", *(65536 * int(i % 4 == 0) for i in range(9)))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + even * 4 + nodes + even * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def in_srgb(rgb: npt.NDArray[np.uint8], primaries: Floats) -> Floats:
    """Return what colours of `rgb_profile` are in sRGB, 0 to 255."""
    light = (rgb / 255) ** GAMMA @ primaries.T @ np.linalg.inv(SRGB).T
    return in_srgb_curve(light)


def in_srgb_curve(light: Floats) -> Floats:
    """Return light, 0 to 1, by sRGB's curve, 0 to 255."""
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = b"made by a test\0"
    description = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78)
    copyright_ = b"text\0\0\0\0none\0"
    tags = {b"desc": description, b"cprt": copyright_, b"wtpt": _xyz(_D50), **tags}
    at = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s12s4s", at + len(body), b"", 0x02400000, kind, space,
                         connection, bytes(12), b"acsp")  # fmt: skip
    header += bytes(28) + struct.pack(">3i", *(round(value * 65536) for value in _D50)) + bytes(48)
    return header + table + body
