"""Weights stored in fewer bits than they are computed with. Needs numpy alone.

A layer of many weights is stored as 8-bit codes with a scale for each output channel, every other
one in half precision. Arithmetic is not changed: weights are restored when a file is read. A scale
has the 11 significant bits of half precision, so that a code times its scale is exact in 32 bits,
and codes can be found again in the weights that they stand for.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGE: Final = 20_000  # weights from which a layer is stored in codes
LARGEST_CODE: Final = 127
CODES: Final = "/codes"  # ends the name of stored codes
SCALES: Final = "/scales"
MATRIX: Final = 2  # dimensions from which a constant is stored in fewer bits
_SCALE_BITS: Final = 11

Floats = NDArray[np.float32]


class Codes(NamedTuple):
    """Weights as codes and scales."""

    codes: NDArray[np.int8]  # shape of the weights, in [-127, 127]
    scales: Floats  # of the output channels, in a shape that multiplies the codes

    def values(self) -> Floats:
        """Give the weights that the codes stand for."""
        return self.codes.astype(np.float32) * self.scales


def codes_of(values: Floats, axis: int = 0) -> Codes:
    """Round weights to codes.

    Args:
        values: weights of a layer, finite.
        axis: of its output channels.
    """
    others = tuple(one for one in range(values.ndim) if one != axis % values.ndim)
    largest = np.abs(values).max(axis=others, keepdims=True)
    # A channel without weights gets any scale.
    scales = _round_up(np.where(largest > 0, largest / np.float32(LARGEST_CODE), 1))
    return Codes(np.rint(values / scales).astype(np.int8), scales)


def round_weights(values: Floats) -> Floats:
    """Round weights to what is stored of them, output channels first; vectors stay as they are."""
    if _is_large(values):
        return codes_of(values).values()
    return values if values.ndim < MATRIX else values.astype(np.float16).astype(np.float32)


def exact_codes(values: Floats) -> Codes | None:
    """Find the codes that weights were rounded to, whichever axis their output channels are.

    Returns:
        None where the weights are few, or are not codes times scales.
    """
    if not _is_large(values):
        return None
    for axis in (0, values.ndim - 1):
        found = codes_of(values, axis)
        if np.array_equal(found.values(), values):
            return found
    return None


def pack_state(state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Round the weights of a network to what a file stores: codes and scales, or halves.

    Args:
        state: weights by name; those of layers have their output channels first.
    """
    packed: dict[str, NDArray[Any]] = {}
    for name, values in state.items():
        if _is_large(values):
            codes = codes_of(values)
            packed |= {name + CODES: codes.codes, name + SCALES: codes.scales}
        else:
            floating = np.issubdtype(values.dtype, np.floating)
            packed[name] = values.astype(np.float16) if floating else values
    return packed


def unpack_state(packed: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Give the weights that a file stores, floats in 32 bits.

    Raises:
        KeyError: codes lack their scales.
    """
    state: dict[str, NDArray[Any]] = {}
    for name, values in packed.items():
        if name.endswith(CODES):
            of = name.removesuffix(CODES)
            state[of] = Codes(values, packed[of + SCALES]).values()
        elif not name.endswith(SCALES):
            floating = np.issubdtype(values.dtype, np.floating)
            state[name] = values.astype(np.float32) if floating else values
    return state


def _is_large(values: NDArray[Any]) -> bool:
    return values.ndim >= MATRIX and values.size >= LARGE


def _round_up(scales: Floats) -> Floats:
    """Round positive numbers up to 11 significant bits."""
    fractions, exponents = np.frexp(scales.astype(np.float64))
    steps = 2.0**_SCALE_BITS
    return np.ldexp(np.ceil(fractions * steps) / steps, exponents).astype(np.float32)
