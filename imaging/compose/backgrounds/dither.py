"""Rounding without bands: blue noise decides which way a value between two levels goes.

Noise of exactly one level's width makes the rounded values' mean the value itself, wherever it
lies (Roberts: Picture Coding Using Pseudo-Random Noise, IRE Transactions on Information Theory
1962). Arranged as blue noise (Ulichney: The void-and-cluster method for dither array generation,
SPIE 1913, 1993) what is left has no low frequencies that an eye could see.
"""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from imaging.types import Pixels

Levels = npt.NDArray[np.uint16]
_Floats = npt.NDArray[np.float32]
_Bools = npt.NDArray[np.bool_]

# Parts that a level is divided into.
PARTS = 256
TILE_PX = 64
# As in Ulichney's paper: the width of the filter that tells voids from clusters, and the share of
# the tile that is set at first.
_SIGMA_PX = 1.5
_FIRST_SHARE = 0.1


def noise_rows(width_px: int, channels: int) -> Levels:
    """Repeat the noise over a picture's width, alike in all channels: grey stays grey.

    Args:
        width_px: The picture's width.
        channels: How many channels `dither` gets.

    Returns:
        (TILE_PX, width_px, channels) uint16, 0 to PARTS - 1; it repeats itself from top to bottom.
    """
    repeated = np.tile(blue_noise(), (1, -(-width_px // TILE_PX)))[:, :width_px]
    return np.repeat(repeated[:, :, None].astype(np.uint16), channels, axis=2)


def dither(levels: Levels, noise: Levels) -> Pixels:
    """Round to whole levels, up or down as the noise says.

    Args:
        levels: (H, W, C) uint16, in parts of a level, 0 to 255 PARTS.
        noise: (TILE_PX, W, C) uint16 of `noise_rows`; the picture's row 0 meets its row 0.

    Returns:
        (H, W, C) uint8, less than 1 level away; exact where a level is whole.
    """
    pixels = np.empty(levels.shape, np.uint8)
    for top in range(0, levels.shape[0], TILE_PX):
        strip = slice(top, top + TILE_PX)
        total = cv2.add(levels[strip], noise[: levels[strip].shape[0]])
        # Rounds to the nearest; with half a level less one half part it cuts off and meets no tie.
        pixels[strip] = cv2.convertScaleAbs(
            total, alpha=1 / PARTS, beta=(1 - PARTS) / (2 * PARTS)
        ).reshape(pixels[strip].shape)
    return pixels


@cache
def blue_noise() -> Pixels:
    """Make the tile of thresholds by void and cluster; always the same.

    Returns:
        (TILE_PX, TILE_PX) uint8, read only: each of 0 to 255 equally often, and the places below
        any threshold evenly spread, across the tile's borders too.
    """
    places = TILE_PX * TILE_PX
    first = _first_pattern()
    ones = int(first.sum())
    ranks = np.empty(places, np.int64)
    pattern, crowd = first.copy(), _crowd(first)
    for rank in reversed(range(ones)):
        at = _tightest(crowd, pattern)
        ranks[at] = rank
        _put(pattern, crowd, at, value=False)
    pattern, crowd = first, _crowd(first)
    # The zeros' tightest cluster, the paper's third phase, is the ones' largest void.
    for rank in range(ones, places):
        at = _emptiest(crowd, pattern)
        ranks[at] = rank
        _put(pattern, crowd, at, value=True)
    thresholds = (ranks * PARTS // places).astype(np.uint8).reshape(TILE_PX, TILE_PX)
    thresholds.flags.writeable = False
    return thresholds


def _first_pattern() -> _Bools:
    """Scatter the first ones and move them out of clusters into voids until they lie evenly."""
    places = TILE_PX * TILE_PX
    pattern = np.zeros(places, np.bool_)
    chance = np.random.default_rng(0)
    pattern[chance.choice(places, int(places * _FIRST_SHARE), replace=False)] = True
    crowd = _crowd(pattern)
    while True:
        cluster = _tightest(crowd, pattern)
        _put(pattern, crowd, cluster, value=False)
        void = _emptiest(crowd, pattern)
        _put(pattern, crowd, void, value=True)
        if void == cluster:
            return pattern


def _tightest(crowd: _Floats, pattern: _Bools) -> int:
    return int(np.argmax(np.where(pattern, crowd.ravel(), -1)))


def _emptiest(crowd: _Floats, pattern: _Bools) -> int:
    return int(np.argmin(np.where(pattern, np.float32(np.inf), crowd.ravel())))


def _put(pattern: _Bools, crowd: _Floats, at: int, *, value: bool) -> None:
    """Set one place and keep what surrounds every place up to date."""
    pattern[at] = value
    row, column = TILE_PX - at // TILE_PX, TILE_PX - at % TILE_PX
    spread = _bell()[row : row + TILE_PX, column : column + TILE_PX]
    if value:
        crowd += spread
    else:
        crowd -= spread


def _crowd(pattern: _Bools) -> _Floats:
    """Tell how crowded each place is, (TILE_PX, TILE_PX): the ones around it, nearer ones more."""
    crowd = np.zeros((TILE_PX, TILE_PX), np.float32)
    for at in np.flatnonzero(pattern):
        _put(pattern, crowd, int(at), value=True)
    return crowd


@cache
def _bell() -> _Floats:
    """Make a Gaussian around place 0 of a tile that goes on beyond its borders, twice each way."""
    away = np.minimum(np.arange(TILE_PX), TILE_PX - np.arange(TILE_PX))
    slope = np.exp(-(away**2) / (2 * _SIGMA_PX**2))
    return np.tile(np.outer(slope, slope), (2, 2)).astype(np.float32)
