"""Builds the variants of a model folder: NAME-fp16 and NAME-int8 beside NAME.

Each is measured against full precision on pictures held out of training before it takes its place,
and carries what was measured in its card.
"""

import json
import logging
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import onnx

from export.errors import VerificationError
from export.precision.half import write_half
from export.precision.integers import KEPT_IN_FLOAT, Calibration, IntegerRecipe, write_integers
from export.precision.loss import Bounds, Judge, Loss
from export.precision.names import INSTANCES, Precision
from export.precision.pictures import PrecisionPictures
from export.triton_config import MatteModelConfig

log = logging.getLogger(__name__)


BOUNDS = {
    Precision.FP16: Bounds(iou_lost=0.001, iou_with_fp32=0.99, mean_difference=0.25),
    Precision.INT8: Bounds(iou_lost=0.01, iou_with_fp32=0.95, mean_difference=2.0),
}
AIM = Bounds(iou_lost=0.003, iou_with_fp32=0.97, mean_difference=1.0)  # of the search for int8


@dataclass(frozen=True)
class Variant:
    """A model folder in another precision."""

    folder: Path
    onnx_bytes: int
    how: str
    loss: Loss


def build_variant(
    full: Path, precision: Precision, pictures: PrecisionPictures, config: MatteModelConfig
) -> Variant:
    """Build ``NAME-PRECISION`` beside the model folder NAME.

    Args:
        full: the model folder in full precision.
        precision: of the variant: fp16 or int8.
        pictures: to calibrate on and to judge by.
        config: of the model in full precision; the variant's differs in its name and instances.

    Raises:
        VerificationError: the variant loses more than its bounds allow, or cannot be run.
    """
    source = full / "1" / "model.onnx"
    name = f"{config.name}-{precision}"
    judge = Judge(source, pictures.held_out)
    with tempfile.TemporaryDirectory() as scratch:
        model = Path(scratch) / "model.onnx"
        if precision is Precision.FP16:
            how = "all arithmetic in half precision"
            write_half(source, model)
            loss = judge.loss(model)
        else:
            recipe, loss = _search(source, model, judge, pictures)
            how = str(recipe)
        if broken := BOUNDS[precision].broken_by(loss):
            raise VerificationError(f"{name} ({how}) {', '.join(broken)}")
        card = _write_card(source, model, name, precision, how, loss)
        folder = full.parent / name
        (folder / "1").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model, folder / "1" / "model.onnx")
    instances = INSTANCES.get(precision, config.instances)
    replace(config, name=name, card=card, instances=instances).write(folder / "config.pbtxt")
    return Variant(folder, (folder / "1" / "model.onnx").stat().st_size, how, loss)


def _search(
    source: Path, into: Path, judge: Judge, pictures: PrecisionPictures
) -> tuple[IntegerRecipe, Loss]:
    """Find the fastest recipe that loses no more than the aim, else the most faithful one.

    Of one recipe's calibrations the one wins whose mattes differ least from full precision's.
    """
    best: list[tuple[IntegerRecipe, Loss]] = []
    for parts in KEPT_IN_FLOAT:
        for calibration in Calibration:
            recipe = IntegerRecipe(parts, calibration)
            tried = into.with_name("tried.onnx")
            write_integers(source, tried, recipe, pictures.calibration)
            loss = judge.loss(tried)
            log.info("int8, %s: %s", recipe, loss)
            if not best or loss.mean_difference < best[0][1].mean_difference:
                best = [(recipe, loss)]
                tried.replace(into)
        if not AIM.broken_by(best[0][1]):
            break
    return best[0]


def _write_card(
    source: Path, model: Path, name: str, precision: Precision, how: str, loss: Loss
) -> str:
    """Give a variant its source's card, with what sets the two apart; return it as JSON."""
    metadata = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
    card = json.loads(metadata.get("card", "{}"))
    card |= {"precision": str(precision), "made": how, "lost_to_precision": asdict(loss)}
    card["measures"] = card.get("measures", {}) | {"against fp32": asdict(loss)}
    metadata |= {"model": name, "precision": str(precision), "card": json.dumps(card)}
    variant = onnx.load(model)
    variant.graph.doc_string = ""
    variant.producer_name = "packshot"
    del variant.metadata_props[:]
    onnx.helper.set_model_props(variant, metadata)
    onnx.save(variant, model)
    return metadata["card"]
