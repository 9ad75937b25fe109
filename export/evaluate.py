"""Judges exported models by photos with reference mattes. Needs ONNX Runtime, not torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from PIL import Image

from export.errors import VerificationError
from export.measures import FullAgreement, full_agreement, mean_agreement
from export.photos import Photo, read_photos
from export.verification import open_session

COLUMNS = {
    "IoU": "iou",
    "bIoU": "boundary_iou",
    "MAE": "mae",
    "S": "s_measure",
    "wF": "weighted_f",
    "mE": "e_measure",
}

Reader = Callable[[int], list[Photo]]  # gives a set of photos, always in one order, at a size


@dataclass(frozen=True)
class Judged:
    """A photo, the model's matte of it, (S, S) float32 in [0, 1], and how well they agree."""

    photo: Photo
    matte: NDArray[np.float32]
    agreement: FullAgreement


class Model(NamedTuple):
    """An exported model, open to be asked."""

    path: Path
    session: ort.InferenceSession
    photo: str  # name of its input
    side: int  # height and width of the photos it takes, pixels

    def cut(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the matte of a photo of the model's size, (S, S) in [0, 1].

        Raises:
            VerificationError: the model does not answer with a uint8 matte of that size.
        """
        matte = self.session.run(None, {self.photo: rgb[None]})[0]
        if matte.dtype != np.uint8 or matte.shape != (1, self.side, self.side, 1):
            raise VerificationError(f"{self.path} answers {matte.dtype} {matte.shape}, no matte")
        return np.asarray(matte[0, :, :, 0], np.float32) / np.float32(255)


def open_model(path: Path) -> Model:
    """Open an ONNX file, one uint8 photo in, one uint8 matte out.

    Raises:
        VerificationError: it cannot be loaded or is not of that form.
    """
    session = open_session(path)
    photo = session.get_inputs()[0]
    shape = photo.shape
    square = len(shape) == 4 and isinstance(shape[1], int) and shape[1:] == [shape[1], shape[1], 3]  # noqa: PLR2004
    if photo.type != "tensor(uint8)" or not square:
        raise VerificationError(f"{path} takes {photo.type} {shape}, not a square uint8 photo")
    return Model(path, session, photo.name, shape[1])


def evaluate(path: Path, folder: Path) -> list[Judged]:
    """Let one model cut every photo of a folder, and judge it at its own size.

    Raises:
        PicturesError: the folder is not of the form that `export.photos` reads.
        VerificationError: the model cannot be loaded or is not of the expected form.
        PackageError: the library of measures is not installed.
    """
    model = open_model(path)
    return judge(model, partial(read_photos, folder), model.side)


def judge(model: Model, read: Reader, side: int) -> list[Judged]:
    """Let a model cut a set of photos at its own size and judge the mattes at another.

    A larger matte is judged as the gateway enlarges it, linearly; that way models of several sizes
    are held to one reference.

    Args:
        model: open.
        read: gives the photos.
        side: height and width at which mattes are judged, pixels.
    """
    shown = read(side)
    seen = shown if side == model.side else read(model.side)
    judged = []
    for small, photo in zip(seen, shown, strict=True):
        matte = _resized(model.cut(small.rgb), side)
        judged.append(Judged(photo, matte, full_agreement(matte, photo.reference)))
    return judged


def _resized(matte: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    if len(matte) == side:
        return matte
    larger = Image.fromarray(matte).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(larger).clip(0, 1)


def table(judged: Sequence[Judged]) -> str:
    """Lay the measures out as a Markdown table, a photo a row, the mean last."""
    rows = [(one.photo.name, one.agreement) for one in judged]
    rows.append(("mean", mean_agreement([one.agreement for one in judged])))
    return rows_as_table("photo", rows)


def rows_as_table(heading: str, rows: Sequence[tuple[str, FullAgreement]]) -> str:
    """Lay named measures out as a Markdown table."""
    width = max(len(heading), *(len(name) for name, _ in rows))
    lines = [
        f"| {heading:<{width}} |" + "".join(f" {name:<5} |" for name in COLUMNS),
        f"|{'-' * (width + 2)}|" + "-------|" * len(COLUMNS),
    ]
    for name, one in rows:
        figures = "".join(f" {getattr(one, field):.3f} |" for field in COLUMNS.values())
        lines.append(f"| {name:<{width}} |{figures}")
    return "\n".join(lines)
