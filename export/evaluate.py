"""Judges an exported model by photos with reference mattes. Needs ONNX Runtime, not torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from export.errors import VerificationError
from export.measures import Agreement, agreement, mean_agreement
from export.photos import Photo, read_photos
from export.verification import open_session

LABEL_HEIGHT_PX = 16


@dataclass(frozen=True)
class Judged:
    """A photo, the model's matte of it, (S, S) float32 in [0, 1], and how well they agree."""

    photo: Photo
    matte: NDArray[np.float32]
    agreement: Agreement


def evaluate(model: Path, folder: Path) -> list[Judged]:
    """Let a model cut every photo of a folder.

    Args:
        model: ONNX file, one uint8 photo in, one uint8 matte out.
        folder: of photos with reference mattes.

    Raises:
        PicturesError: the folder is not of that form.
        VerificationError: the model cannot be loaded or is not of that form.
    """
    session = open_session(model)
    photo, side = session.get_inputs()[0], session.get_inputs()[0].shape[1]
    if photo.type != "tensor(uint8)" or not isinstance(side, int):
        raise VerificationError(f"{model} takes {photo.type} {photo.shape}, not a uint8 photo")
    judged = []
    for one in read_photos(folder, side):
        answer = session.run(None, {photo.name: one.rgb[None]})[0]  # (1, S, S, 1)
        matte = answer[0, :, :, 0].astype(np.float32) / 255.0
        judged.append(Judged(one, matte, agreement(matte, one.reference)))
    return judged


def table(judged: list[Judged]) -> str:
    """Lay the measures out as a table, the mean last."""
    rows = [(one.photo.name, one.agreement) for one in judged]
    rows.append(("mean", mean_agreement([one.agreement for one in judged])))
    width = max(len(name) for name, _ in rows)
    lines = [f"| {'photo':<{width}} | IoU   | MAE   |", f"|{'-' * (width + 2)}|-------|-------|"]
    lines += [f"| {name:<{width}} | {one.iou:.3f} | {one.mae:.3f} |" for name, one in rows]
    return "\n".join(lines)


def write_sheet(judged: list[Judged], path: Path) -> None:
    """Write a contact sheet: photo, reference, matte and their difference, a row each."""
    side = judged[0].photo.rgb.shape[0]
    sheet = Image.new("RGB", (4 * side, len(judged) * (side + LABEL_HEIGHT_PX)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, one in enumerate(judged):
        y = row * (side + LABEL_HEIGHT_PX)
        label = f"{one.photo.name}  IoU {one.agreement.iou:.3f}  MAE {one.agreement.mae:.3f}"
        draw.text((4, y + 2), label, fill="black")
        greys = (one.photo.reference, one.matte, np.abs(one.matte - one.photo.reference))
        pictures = [Image.fromarray(one.photo.rgb)]
        pictures += [Image.fromarray((grey * 255).astype(np.uint8)) for grey in greys]
        for column, picture in enumerate(pictures):
            sheet.paste(picture, (column * side, y + LABEL_HEIGHT_PX))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
