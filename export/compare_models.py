"""Compares exported models on sets of photos: prints tables, writes a contact sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from export.errors import PackageError
from export.evaluate import Judged, Model, Reader, judge, open_model, rows_as_table, table
from export.finegrain import read_finegrain
from export.measures import mean_agreement
from export.photos import read_photos
from export.sheet import write_judged_sheet


@dataclass(frozen=True)
class Wanted:
    """The sets of photos to judge by; at least one."""

    photos: Path | None = None  # folder of NAME.jpg with NAME.matte.png
    rendered: Path | None = None  # folder of the same form
    held_out: Path | None = None  # training folder
    finegrain: Path | None = None  # parquet file or folder of the public benchmark

    def readers(self) -> dict[str, Reader]:
        """Give what reads each set, by the set's name.

        Raises:
            PackageError: held-out pictures are wanted and torch is not installed.
            PicturesError: the training folder is not of the expected form.
        """
        readers: dict[str, Reader] = {}
        if self.photos:
            readers["photos"] = partial(read_photos, self.photos)
        if self.rendered:
            readers["rendered"] = partial(read_photos, self.rendered)
        if self.held_out:
            readers["held-out"] = _held_out_reader(self.held_out)
        if self.finegrain:
            readers["finegrain"] = partial(read_finegrain, self.finegrain)
        return readers


def _held_out_reader(folder: Path) -> Reader:
    try:
        from export.training.config import TrainingConfig  # noqa: PLC0415
        from export.training.held_out import read_held_out, resized  # noqa: PLC0415
    except ImportError as exc:
        raise PackageError(f"held-out pictures need torch and tqdm: {exc}") from exc
    return partial(resized, read_held_out(folder, TrainingConfig()))


def compare(models: Sequence[Path], wanted: Wanted, sheet: Path) -> str:
    """Judge models on every wanted set, all at the largest of their sizes.

    Args:
        models: ONNX files.
        wanted: sets of photos.
        sheet: picture to write; where several sets are wanted, each writes NAME-SET instead.

    Returns:
        Markdown: a table for each set and model, and for several models their means side by side.

    Raises:
        PicturesError: a set is not of the expected form.
        VerificationError: a model is not of the expected form.
        PackageError: a package that a set or the measures need is not installed.
    """
    distinct = list(dict.fromkeys(models))
    opened = dict(zip(_labels(distinct), map(open_model, distinct), strict=True))
    side = max(model.side for model in opened.values())
    readers = wanted.readers()
    parts = []
    for name, read in readers.items():
        judged = {label: judge(model, read, side) for label, model in opened.items()}
        parts += _tables(name, judged, opened, side)
        path = sheet if len(readers) == 1 else sheet.with_stem(f"{sheet.stem}-{name}")
        write_judged_sheet(judged, path)
        parts.append(f"sheet: {path}")
    return "\n\n".join(parts)


def _tables(
    name: str, judged: dict[str, list[Judged]], models: dict[str, Model], side: int
) -> list[str]:
    parts = []
    for label, mattes in judged.items():
        own = models[label].side
        parts.append(f"{name}: {label}, {own} px, judged at {side} px\n\n{table(mattes)}")
    if len(judged) > 1:
        means = [
            (label, mean_agreement([one.agreement for one in mattes]))
            for label, mattes in judged.items()
        ]
        parts.append(f"{name}: means\n\n{rows_as_table('model', means)}")
    return parts


def _labels(models: Sequence[Path]) -> list[str]:
    """Name distinct files by their names, or by as much of the paths as tells them apart."""
    longest = max(len(path.parts) for path in models)
    tried = (["/".join(path.parts[-n:]) for path in models] for n in range(1, longest + 1))
    return next(labels for labels in tried if len(set(labels)) == len(models))
