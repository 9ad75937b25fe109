"""IS-Net's public weights as a model of this service, in the form that suits the machine.

The file is fetched once (`export/fetch.py`). Its graph is put behind the wire contract and held to
the file; then it takes the side and the precision that were chosen by measurement, docs/models.md,
and is held to its own mattes at full size. torch is not needed.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from PIL import Image

from export.errors import VerificationError
from export.import_model import VERSION, RawAnswer, card_metadata, count_parameters
from export.photos import read_pixels, squash_photo
from export.precision.half import write_half
from export.precision.names import Precision
from export.precision.ranges import read_ranges, write_integers_by
from export.recipes import PUBLIC_MODELS
from export.tensor_names import MATTE, PHOTO
from export.triton_config import Kind, MatteModelConfig
from export.verification import open_session, run, verify
from export.wrap import find_ports, read_onnx, wrap

NAME: Final = "isnet"
RANGES: Final = Path(__file__).parent / "precision" / "isnet_ranges.json"
SIDES: Final = tuple(range(512, 1025, 64))  # whose every level is a whole number of pixels
# Of a product that fills a third of a photo: a cut that has lost a fiftieth of it.
LARGEST_MEAN_DIFFERENCE: Final = 2.0  # 1/255
_REAL_PHOTOS: Final = 1

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Form:
    """What the model is built as.

    Attributes:
        side: Height and width of its input, pixels, of SIDES.
        precision: Of its arithmetic.
        kind: Where Triton puts it.
        max_batch_size: Largest batch that Triton may form.
    """

    side: int
    precision: Precision
    kind: Kind
    max_batch_size: int


# By the curves in docs/models.md. On a CPU a batch gains nothing and makes all of it late.
FORMS: Final = {
    Kind.CPU: Form(768, Precision.INT8, Kind.CPU, 1),
    Kind.GPU: Form(768, Precision.FP16, Kind.GPU, 8),
}


@dataclass(frozen=True)
class Built:
    """What was built.

    Attributes:
        folder: The model's, in Triton's repository.
        mean_difference: Between its mattes and those of the file at full size and precision, 1/255.
    """

    folder: Path
    mean_difference: float


def build_isnet(file: Path, repository: Path, pictures: Path, form: Form, name: str) -> Built:
    """Make ``REPOSITORY/NAME`` from the published file; a folder of that name is replaced.

    Args:
        file: as fetched.
        repository: Triton's model repository.
        pictures: a folder of real photos to compare on.
        form: what to build.
        name: of the model in Triton.

    Raises:
        ModelFileError: the file cannot take that side.
        PicturesError: there are no photos to compare on.
        VerificationError: what was built answers otherwise than the file.
    """
    recipe = PUBLIC_MODELS[NAME].recipe
    metadata = card_metadata(file, name, recipe)
    real = read_pixels(pictures, recipe.side)[:_REAL_PHOTOS]
    with tempfile.TemporaryDirectory() as scratch:
        full, small, model = (Path(scratch) / f"{part}.onnx" for part in ("full", "small", "model"))
        for path, side in ((full, recipe.side), (small, form.side)):
            raw = read_onnx(file)
            ports = find_ports(raw, recipe)
            wrap(raw, ports, recipe, path, metadata, side=side)
        verify(full, RawAnswer(file, ports, recipe), recipe.side, real, batch_sizes=(1,))
        _write_precision(small, model, form.precision)
        difference = _mean_difference(model, form.side, full, real)
        if difference > LARGEST_MEAN_DIFFERENCE:
            raise VerificationError(
                f"at {form.side} pixels in {form.precision} the mattes differ from the file's by "
                f"{difference:.2f}/255 on average (at most {LARGEST_MEAN_DIFFERENCE})"
            )
        card = json.loads(metadata["card"]) | {
            "side": form.side,
            "precision": str(form.precision),
            "parameters": count_parameters(full),
            "measures": {"against the published file": {"mean_difference": round(difference, 4)}},
        }
        _name_card(model, metadata | {"card": json.dumps(card)})
        folder = _put(model, form, repository, name, json.dumps(card))
    return Built(folder, difference)


def _write_precision(source: Path, into: Path, precision: Precision) -> None:
    match precision:
        case Precision.FP32:
            shutil.copyfile(source, into)
        case Precision.FP16:
            write_half(source, into)
        case Precision.INT8:
            write_integers_by(source, into, read_ranges(RANGES))


def _mean_difference(model: Path, side: int, full: Path, real: list[Pixels]) -> float:
    """Compare mattes of photos at two sides, at the larger one; in 1/255."""
    built, reference = open_session(model), open_session(full)
    gaps = []
    for photo in real:
        small = squash_photo(Image.fromarray(photo), side)
        matte = run(built, MATTE, {PHOTO: small[None]})[0, :, :, 0]
        enlarged = Image.fromarray(matte).resize(photo.shape[:2], Image.Resampling.BILINEAR)
        wanted = run(reference, MATTE, {PHOTO: photo[None]})[0, :, :, 0]
        gaps.append(np.abs(np.asarray(enlarged, np.int16) - wanted).mean())
    return float(np.mean(gaps))


def _name_card(model: Path, metadata: dict[str, str]) -> None:
    graph = onnx.load(model)
    del graph.metadata_props[:]
    onnx.helper.set_model_props(graph, metadata)
    onnx.save(graph, model)


def _put(model: Path, form: Form, repository: Path, name: str, card: str) -> Path:
    """Put a model in place of what was there, whole."""
    folder, aside = repository / name, repository / f".{name}.new"
    shutil.rmtree(aside, ignore_errors=True)
    (aside / VERSION).mkdir(parents=True)
    shutil.move(model, aside / VERSION / "model.onnx")
    MatteModelConfig(
        name, form.side, max_batch_size=form.max_batch_size, kind=form.kind, card=card
    ).write(aside / "config.pbtxt")
    if folder.exists():
        shutil.rmtree(folder)
    aside.rename(folder)
    return folder
