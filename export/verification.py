"""Holds an exported model to the network it came from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from export.errors import VerificationError
from export.tensor_names import MATTE, PHOTO

LARGEST_DIFFERENCE = 1  # of 255: two orders of the same sums may round to either side
BATCH_SIZES = (1, 3, 8)

RUN_ERRORS = (
    ort_state.Fail,
    ort_state.InvalidArgument,
    ort_state.NotImplemented,
    ort_state.RuntimeException,
)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Verified:
    """What a verification saw."""

    pictures: int
    largest_difference: int  # in 1/255
    differing_share: float  # of all matte pixels


def open_session(path: Path) -> ort.InferenceSession:
    """Open an ONNX file on the CPU.

    Raises:
        VerificationError: ONNX Runtime cannot load it.
    """
    try:
        return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as exc:  # ONNX Runtime's own errors share no public base
        raise VerificationError(f"{path} cannot be loaded: {exc}") from exc


def run(
    session: ort.InferenceSession, output: str, inputs: dict[str, NDArray[Any]]
) -> NDArray[Any]:
    """Run a graph for one of its outputs.

    Raises:
        VerificationError: ONNX Runtime cannot run it on these inputs.
    """
    try:
        answer: NDArray[Any] = session.run([output], inputs)[0]
    except RUN_ERRORS as exc:
        raise VerificationError(f"ONNX Runtime cannot run the graph: {exc}") from exc
    return answer


def verify(
    path: Path,
    answer: Callable[[Pixels], Pixels],
    side: int,
    real: Iterable[Pixels],
    *,
    batch_sizes: tuple[int, ...] = BATCH_SIZES,
) -> Verified:
    """Compare an ONNX file's mattes with the network's, on random and real photos.

    Args:
        path: of the ONNX file.
        answer: the network behind the same contract, (N, H, W, 3) uint8 to (N, H, W, 1) uint8.
        side: height and width of the photos, pixels.
        real: photos (side, side, 3) uint8.
        batch_sizes: to try, as many random photos as the largest.

    Returns:
        How far the two differ at most.

    Raises:
        VerificationError: they differ by more than LARGEST_DIFFERENCE.
    """
    session = open_session(path)
    rng = np.random.default_rng(0)
    random = rng.integers(0, 256, (max(batch_sizes), side, side, 3), np.uint8)
    photos = np.concatenate([random, *(photo[None] for photo in real)])
    gaps = []
    for size in batch_sizes:
        for start in range(0, len(photos) - size + 1, size):
            batch = photos[start : start + size]
            served = run(session, MATTE, {PHOTO: batch})
            expected = answer(batch)
            if served.shape != expected.shape or served.dtype != np.uint8:
                raise VerificationError(f"{path} answers {served.dtype} {served.shape}")
            gaps.append(np.abs(served.astype(np.int16) - expected.astype(np.int16)).ravel())
    gap = np.concatenate(gaps)
    seen = Verified(len(photos), int(gap.max()), float((gap > 0).mean()))
    if seen.largest_difference > LARGEST_DIFFERENCE:
        raise VerificationError(
            f"{path} differs from the network by {seen.largest_difference}/255 "
            f"(at most {LARGEST_DIFFERENCE}/255 is rounding)"
        )
    return seen
