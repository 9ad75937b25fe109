"""The command line of the export package.

Each command imports what it needs when it runs: ``evaluate`` works where torch is not installed.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from export.errors import ExportError
from export.measures import mean_agreement

PICTURES = Path("../shared/training")
PHOTOS = Path("../shared/photos")
RUN = Path("build/training")
REPOSITORY = Path("model_repository")
WEIGHTS = Path(__file__).parent / "weights"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what was asked, 1 when it could not, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    for chatty in ("onnx_ir", "onnxscript", "torch.onnx"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    try:
        options.run(options)
    except ExportError as exc:
        print(f"export: {exc}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m export", description="Train, build and judge the models that Triton serves."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train the default network; goes on after a stop")
    train.add_argument("--pictures", type=Path, default=PICTURES, help="folder to train on")
    train.add_argument("--seed", type=int, help="decides weights and pictures")
    train.add_argument("--start", help="weights to go on from: best.pt of another run's folder")
    train.add_argument("--steps", type=int, help="length of the run")
    train.add_argument("--minutes", type=float, help="length by the clock instead of by steps")
    train.add_argument("--device", help="where to train: cpu (the default) or cuda")
    train.add_argument(
        "--mixed-precision",
        action=argparse.BooleanOptionalAction,
        help="bfloat16 where it does no harm: for GPUs and for CPUs with AMX",
    )
    train.add_argument("--into", type=Path, default=RUN, help="folder of checkpoints and log")
    train.set_defaults(run=_train)

    keep = commands.add_parser("keep", help="keep a run's best weights, with their card")
    keep.add_argument("name", help="of the model")
    keep.add_argument("--run", dest="folder", type=Path, default=RUN, help="folder of the run")
    keep.add_argument("--photos", type=Path, default=PHOTOS, help="photos with reference mattes")
    keep.add_argument("--weights", type=Path, default=WEIGHTS, help="folder to write to")
    keep.set_defaults(run=_keep)

    build = commands.add_parser("build", help="build a model folder for Triton from weights")
    build.add_argument("name", help="of the model")
    build.add_argument("--repository", type=Path, default=REPOSITORY)
    build.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of weights and cards")
    build.add_argument("--photos", type=Path, default=PHOTOS, help="real photos to verify on")
    build.add_argument("--kind", choices=["auto", "cpu", "gpu"], default="auto")
    build.add_argument("--max-batch-size", type=int, default=16)
    build.set_defaults(run=_build)

    evaluate = commands.add_parser("evaluate", help="judge a model by photos with mattes")
    evaluate.add_argument("--photos", type=Path, default=PHOTOS, help="NAME.jpg, NAME.matte.png")
    evaluate.add_argument("--model", type=Path, default=REPOSITORY / "matte/1/model.onnx")
    evaluate.add_argument("--sheet", type=Path, default=Path("build/evaluation.png"))
    evaluate.set_defaults(run=_evaluate)
    return parser


def _train(options: argparse.Namespace) -> None:
    from export.training.config import TrainingConfig  # noqa: PLC0415
    from export.training.loop import Training  # noqa: PLC0415
    from export.training.sources import read_pictures  # noqa: PLC0415

    asked = {
        name: getattr(options, name)
        for name in ("seed", "steps", "minutes", "device", "mixed_precision")
        if getattr(options, name) is not None
    }
    config = replace(TrainingConfig(), **asked)
    if options.start:
        config = config.going_on_from(options.start)
    pictures, held_out = read_pictures(options.pictures, config)
    result = Training(config, options.into, pictures, held_out).run()
    print(f"held-out pictures: IoU {result.iou:.4f}, MAE {result.mae:.4f}")


def _keep(options: argparse.Namespace) -> None:
    from export.keep import keep  # noqa: PLC0415

    card = keep(options.name, options.folder, options.photos, options.weights)
    for pictures, measures in card.measures.items():
        print(pictures, ", ".join(f"{name} {value:.4f}" for name, value in measures.items()))


def _build(options: argparse.Namespace) -> None:
    from export.build import build  # noqa: PLC0415
    from export.triton_config import Kind  # noqa: PLC0415

    built = build(
        options.name,
        options.repository,
        options.photos,
        weights=options.weights,
        kind=Kind(options.kind),
        max_batch_size=options.max_batch_size,
    )
    seen = built.verified
    print(
        f"{built.folder}: {built.onnx_bytes / 1e6:.1f} MB; on {seen.pictures} pictures at most "
        f"{seen.largest_difference}/255 from the network, {seen.differing_share:.2%} of pixels"
    )


def _evaluate(options: argparse.Namespace) -> None:
    from export.evaluate import evaluate, table, write_sheet  # noqa: PLC0415

    judged = evaluate(options.model, options.photos)
    print(table(judged))
    write_sheet(judged, options.sheet)
    mean = mean_agreement([one.agreement for one in judged])
    print(f"mean IoU {mean.iou:.4f}, MAE {mean.mae:.4f}; sheet: {options.sheet}")
