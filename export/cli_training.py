"""The commands that train: ``train``, ``pictures`` and ``keep``."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from export.default_paths import PHOTOS, PICTURES, RUN, WEIGHTS

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  its only name


def declare_training(commands: Commands) -> None:
    """Declare the commands and their options."""
    train = commands.add_parser("train", help="train the default network; goes on after a stop")
    train.add_argument("--pictures", type=Path, default=PICTURES, help="folder to train on")
    train.add_argument("--seed", type=int, help="decides weights and pictures")
    train.add_argument("--start", help="weights to go on from: best.pt of another run's folder")
    train.add_argument(
        "--teacher", help="weights that mask the photos without masks they are sure of"
    )
    train.add_argument(
        "--encoder",
        help="published weights that the network lite begins with; see docs/training.md",
    )
    train.add_argument("--network", help="what to train: matte (the default) or lite")
    train.add_argument("--mattes", help="folder of a larger network's mattes of the photos")
    train.add_argument(
        "--objects", help="folder of modelled objects with alpha, Fluent Emoji in 3D"
    )
    train.add_argument(
        "--bank", type=Path, help="file that keeps the pictures as read and rendered"
    )
    train.add_argument("--steps", type=int, help="length of the run")
    train.add_argument("--minutes", type=float, help="length by the clock instead of by steps")
    train.add_argument("--device", help="where to train: cpu (the default) or cuda")
    train.add_argument(
        "--mixed-precision",
        action=argparse.BooleanOptionalAction,
        help="bfloat16 where it does no harm: for GPUs and for CPUs with AMX",
    )
    train.add_argument(
        "--workers", type=int, help="threads that share each batch; 1 for a run beside another"
    )
    train.add_argument("--into", type=Path, default=RUN, help="folder of checkpoints and log")
    train.set_defaults(run=_train)

    pictures = commands.add_parser("pictures", help="draw a contact sheet of what training sees")
    pictures.add_argument("--pictures", type=Path, default=PICTURES, help="folder to train on")
    pictures.add_argument("--seed", type=int, default=20, help="decides the pictures")
    pictures.add_argument("--count", type=int, default=48, help="how many")
    pictures.add_argument("--side", type=int, default=256, help="of each, pixels")
    pictures.add_argument("--sheet", type=Path, default=Path("build/pictures.png"))
    pictures.set_defaults(run=_pictures)

    keep = commands.add_parser("keep", help="keep a run's best weights, with their card")
    keep.add_argument("name", help="of the model")
    keep.add_argument(
        "--run",
        dest="folders",
        type=Path,
        nargs="+",
        default=[RUN],
        help="folder of the run; of several the weights are averaged",
    )
    keep.add_argument(
        "--start-counts",
        type=int,
        default=0,
        help="as how many runs what the first run went on from counts in the average",
    )
    keep.add_argument(
        "--side", type=int, help="that the model is to be asked at, pixels; by default the trained"
    )
    keep.add_argument("--photos", type=Path, default=PHOTOS, help="photos with reference mattes")
    keep.add_argument("--weights", type=Path, default=WEIGHTS, help="folder to write to")
    keep.set_defaults(run=_keep)


def _train(options: argparse.Namespace) -> None:
    from export.training.bank import read_or_make  # noqa: PLC0415
    from export.training.config import TrainingConfig  # noqa: PLC0415
    from export.training.loop import Training  # noqa: PLC0415
    from export.training.teacher import with_labels  # noqa: PLC0415

    asked = {
        name: getattr(options, name)
        for name in (
            "seed",
            "network",
            "steps",
            "minutes",
            "device",
            "mixed_precision",
            "teacher",
            "workers",
        )
        if getattr(options, name) is not None
    }
    config = replace(TrainingConfig(), **asked)
    if options.encoder:
        config = config.with_encoder(options.encoder)
    if options.mattes:
        config = config.with_mattes(options.mattes)
    if options.objects:
        config = config.with_objects(options.objects)
    if options.start:
        config = config.going_on_from(options.start)
    pictures, held_out = read_or_make(options.pictures, config, options.bank)
    if config.teacher:
        pictures = with_labels(pictures, Path(config.teacher), config.stages[-1].side)
    result = Training(config, options.into, pictures, held_out).run()
    print(f"held-out pictures: IoU {result.iou:.4f}, MAE {result.mae:.4f}")


def _pictures(options: argparse.Namespace) -> None:
    from export.training.config import TrainingConfig  # noqa: PLC0415
    from export.training.sheet import draw_samples, write_picture_sheet  # noqa: PLC0415
    from export.training.sources import read_pictures  # noqa: PLC0415

    config = replace(TrainingConfig(), seed=options.seed)
    pictures, _ = read_pictures(options.pictures, config)
    samples = draw_samples(pictures, config.scene, config.seed, options.count, options.side)
    write_picture_sheet(samples, options.sheet)
    print(f"{len(samples)} pictures: {options.sheet}")


def _keep(options: argparse.Namespace) -> None:
    from export.best_weights import save_best_weights  # noqa: PLC0415

    card = save_best_weights(
        options.name,
        options.folders,
        options.photos,
        options.weights,
        start_counts=options.start_counts,
        side=options.side,
    )
    for pictures, measures in card.measures.items():
        print(pictures, ", ".join(f"{name} {value:.4f}" for name, value in measures.items()))
