"""What a variant loses against full precision, measured on pictures with reference mattes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.errors import VerificationError
from export.measures import agreement, mean_agreement
from export.photos import Photo
from export.tensor_names import MATTE, PHOTO
from export.verification import open_session, run

BATCH = 5  # full batches and a rest are both tried

Mattes = NDArray[np.uint8]


@dataclass(frozen=True)
class Loss:
    """Means over pictures, at the model's input size."""

    pictures: int
    iou_lost: float  # full precision's IoU with the references, less the variant's
    mae_added: float  # likewise
    iou_with_fp32: float  # of the variant's mattes with full precision's own
    mean_difference: float  # between the two, in 1/255


@dataclass(frozen=True)
class Bounds:
    """The most that a variant may lose."""

    iou_lost: float
    iou_with_fp32: float  # at least
    mean_difference: float  # 1/255

    def broken_by(self, loss: Loss) -> list[str]:
        """Say in words which of them a loss breaks."""
        broken = []
        if loss.iou_lost > self.iou_lost:
            broken.append(f"loses {loss.iou_lost:.4f} of IoU (at most {self.iou_lost})")
        if loss.iou_with_fp32 < self.iou_with_fp32:
            broken.append(
                f"agrees with fp32 by IoU {loss.iou_with_fp32:.4f} (at least {self.iou_with_fp32})"
            )
        if loss.mean_difference > self.mean_difference:
            broken.append(
                f"differs from fp32 by {loss.mean_difference:.3f}/255 on average "
                f"(at most {self.mean_difference})"
            )
        return broken


class Judge:
    """Compares variants of one graph with it.

    Args:
        full: the ONNX file in full precision.
        photos: with reference mattes, of the graph's input size.

    Raises:
        VerificationError: the file cannot be loaded or run.
    """

    def __init__(self, full: Path, photos: Sequence[Photo]) -> None:
        self._photos = photos
        self._expected = self._mattes(full)
        self._iou, self._mae = self._agreement(self._expected)

    def loss(self, variant: Path) -> Loss:
        """Measure what a variant loses.

        Raises:
            VerificationError: the file cannot be loaded or run, or answers with no matte.
        """
        found = self._mattes(variant)
        iou, mae = self._agreement(found)
        own = [
            agreement(one / 255, other / 255)
            for one, other in zip(found, self._expected, strict=True)
        ]
        gap = np.abs(found.astype(np.int16) - self._expected)
        return Loss(
            pictures=len(self._photos),
            iou_lost=round(self._iou - iou, 5),
            mae_added=round(mae - self._mae, 5),
            iou_with_fp32=round(mean_agreement(own).iou, 5),
            mean_difference=round(float(gap.mean()), 4),
        )

    def _mattes(self, path: Path) -> Mattes:
        session = open_session(path)
        rgb = np.stack([photo.rgb for photo in self._photos])
        batches = [rgb[start : start + BATCH] for start in range(0, len(rgb), BATCH)]
        mattes = np.concatenate([run(session, MATTE, {PHOTO: batch}) for batch in batches])
        if mattes.dtype != np.uint8 or mattes.shape != (*rgb.shape[:3], 1):
            raise VerificationError(f"{path} answers {mattes.dtype} {mattes.shape}, no mattes")
        return np.asarray(mattes[..., 0])

    def _agreement(self, mattes: Mattes) -> tuple[float, float]:
        mean = mean_agreement(
            [
                agreement(matte / 255, photo.reference)
                for matte, photo in zip(mattes, self._photos, strict=True)
            ]
        )
        return mean.iou, mean.mae
