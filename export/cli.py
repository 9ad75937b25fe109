"""The command line of the export package.

Each command imports what it needs when it runs: ``evaluate`` works where torch is not installed.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from export.cli_training import declare_training
from export.default_paths import DOWNLOADS, MODEL, PHOTOS, PICTURES, REPOSITORY, SAMPLES, WEIGHTS
from export.errors import ExportError
from export.recipes import PUBLIC_MODELS, read_recipe

if TYPE_CHECKING:
    from export.build import Built

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  its only name


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
    declare_training(commands)
    _declare_build(commands)
    _declare_fetch(commands)
    _declare_isnet(commands)
    _declare_import(commands)
    _declare_evaluate(commands)
    return parser


def _declare_build(commands: Commands) -> None:
    build = commands.add_parser("build", help="build a model folder for Triton from weights")
    build.add_argument("name", help="of the model")
    build.add_argument("--repository", type=Path, default=REPOSITORY)
    build.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of weights and cards")
    build.add_argument("--photos", type=Path, default=PHOTOS, help="real photos to verify on")
    build.add_argument("--kind", choices=["auto", "cpu", "gpu"], default="auto")
    build.add_argument("--max-batch-size", type=int, default=16)
    build.add_argument(
        "--precision",
        nargs="+",
        choices=["fp32", "fp16", "int8"],
        default=["fp32", "fp16", "int8"],
        help="what to build beside fp32: NAME-fp16 and NAME-int8 are models of their own",
    )
    build.add_argument(
        "--pictures", type=Path, default=PICTURES, help="training folder, to choose int8 by"
    )
    build.add_argument(
        "--bank", type=Path, help="file that a training run left of that folder, read instead of it"
    )
    build.add_argument("--accelerator", choices=["openvino"], help="what runs the models on a CPU")
    build.set_defaults(run=_build)


def _declare_fetch(commands: Commands) -> None:
    fetch = commands.add_parser("fetch", help="download a published model, its licence first")
    fetch.add_argument("name", choices=PUBLIC_MODELS, help=", ".join(PUBLIC_MODELS))
    fetch.add_argument("--into", type=Path, default=DOWNLOADS, help="folder to download to")
    fetch.add_argument(
        "--accept-licence", action="store_true", help="say that you accept the licence as shown"
    )
    fetch.set_defaults(run=_fetch)


def _declare_isnet(commands: Commands) -> None:
    isnet = commands.add_parser(
        "isnet", help="fetch IS-Net's public weights, terms first, and build the model isnet"
    )
    isnet.add_argument(
        "--accept", action="store_true", help="accept the terms as shown, for scripts"
    )
    isnet.add_argument("--into", type=Path, default=DOWNLOADS, help="folder to download to")
    isnet.add_argument("--repository", type=Path, default=REPOSITORY)
    isnet.add_argument("--photos", type=Path, default=SAMPLES, help="real photos to verify on")
    isnet.add_argument("--kind", choices=["auto", "cpu", "gpu"], default="auto")
    isnet.add_argument("--side", type=int, help="of its input: 512 to 1024 in steps of 64")
    isnet.add_argument("--precision", choices=["fp32", "fp16", "int8"])
    isnet.add_argument("--name", default="isnet", help="of the model in Triton")
    isnet.set_defaults(run=_isnet)

    ranges = commands.add_parser("ranges", help="measure the ranges that isnet's int8 is built by")
    ranges.add_argument("model", type=Path, help="isnet in fp32, model.onnx")
    ranges.add_argument("--pictures", type=Path, default=PICTURES, help="training folder")
    ranges.add_argument("--count", type=int, default=24, help="pictures to measure on")
    ranges.set_defaults(run=_ranges)


def _declare_import(commands: Commands) -> None:
    importing = commands.add_parser(
        "import", help="build a model folder from somebody else's model"
    )
    importing.add_argument("file", type=Path, help=".onnx, or weights: .pth, .pt, .safetensors")
    importing.add_argument("--name", required=True, help="of the model in Triton")
    recipe = importing.add_mutually_exclusive_group(required=True)
    recipe.add_argument("--recipe", choices=PUBLIC_MODELS, help="of a published model")
    recipe.add_argument("--recipe-file", type=Path, help="TOML, for any other model")
    importing.add_argument("--repository", type=Path, default=REPOSITORY)
    importing.add_argument("--photos", type=Path, default=SAMPLES, help="real photos to verify on")
    importing.add_argument("--kind", choices=["auto", "cpu", "gpu"], default="auto")
    importing.add_argument("--max-batch-size", type=int, default=4)
    importing.set_defaults(run=_import)


def _declare_evaluate(commands: Commands) -> None:
    evaluate = commands.add_parser("evaluate", help="judge models by photos with mattes")
    evaluate.add_argument(
        "--photos",
        type=Path,
        help=f"NAME.jpg with NAME.matte.png; without any set named: {PHOTOS}",
    )
    evaluate.add_argument(
        "--rendered",
        type=Path,
        nargs="?",
        const=SAMPLES,
        help="the project's rendered photos, never trained on",
    )
    evaluate.add_argument(
        "--held-out", type=Path, help="training folder: its held-out part; needs torch"
    )
    evaluate.add_argument(
        "--finegrain",
        type=Path,
        help="local copy of finegrain/finegrain-product-masks-lite, parquet; needs pyarrow",
    )
    evaluate.add_argument(
        "--model",
        type=Path,
        action="append",
        help="ONNX file; several are compared at the largest one's size",
    )
    evaluate.add_argument("--sheet", type=Path, default=Path("build/evaluation.png"))
    evaluate.set_defaults(run=_evaluate)


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
        cpu_accelerator=options.accelerator,
    )
    seen = built.verified
    print(
        f"{built.folder}: {built.onnx_bytes / 1e6:.1f} MB; on {seen.pictures} pictures at most "
        f"{seen.largest_difference}/255 from the network, {seen.differing_share:.2%} of pixels"
    )
    _build_variants(built, options)


def _build_variants(built: "Built", options: argparse.Namespace) -> None:
    from export.precision.names import Precision  # noqa: PLC0415
    from export.precision.pictures import read_precision_pictures  # noqa: PLC0415
    from export.precision.variants import build_variant  # noqa: PLC0415

    wanted = [one for one in Precision if one in options.precision and one != Precision.FP32]
    if not wanted:
        return
    pictures = read_precision_pictures(options.pictures, built.config.side, options.bank)
    for precision in wanted:
        variant = build_variant(built.folder, precision, pictures, built.config)
        lost = variant.loss
        print(
            f"{variant.folder}: {variant.onnx_bytes / 1e6:.1f} MB; on {lost.pictures} held-out "
            f"pictures IoU lost {lost.iou_lost:+.4f}, MAE added {lost.mae_added:+.4f}, "
            f"{lost.mean_difference:.2f}/255 from fp32; {variant.how}"
        )


def _fetch(options: argparse.Namespace) -> None:
    from export.fetch import fetch, notice  # noqa: PLC0415

    model = PUBLIC_MODELS[options.name]
    path = fetch(model, options.into, accept_licence=options.accept_licence)
    print(notice(model))
    print(f"{path}: next, python -m export import {path} --name {model.name} --recipe {model.name}")


def _isnet(options: argparse.Namespace) -> None:
    from export.errors import ModelFileError  # noqa: PLC0415
    from export.fetch import fetch, notice  # noqa: PLC0415
    from export.isnet import FORMS, NAME, SIDES, build_isnet  # noqa: PLC0415
    from export.precision.names import Precision  # noqa: PLC0415
    from export.triton_config import Kind  # noqa: PLC0415
    from serving.host import has_nvidia_gpu  # noqa: PLC0415

    kind = Kind(options.kind)
    if kind is Kind.AUTO:
        kind = Kind.GPU if has_nvidia_gpu() else Kind.CPU
    form = FORMS[kind]
    if options.side:
        if options.side not in SIDES:
            raise ModelFileError(f"side is {options.side}; it can be {', '.join(map(str, SIDES))}")
        form = replace(form, side=options.side)
    if options.precision:
        form = replace(form, precision=Precision(options.precision))
    model = PUBLIC_MODELS[NAME]
    print(notice(model))
    accepted = options.accept or _agrees()
    file = fetch(model, options.into, accept_licence=accepted)
    built = build_isnet(file, options.repository, options.photos, form, options.name)
    print(
        f"{built.folder}: {form.side}x{form.side} pixels, {form.precision}, for the "
        f"{form.kind.name}; on average {built.mean_difference:.2f}/255 from the published file"
    )
    print(f"next: make serve, then packshot render PHOTO -o out --model {options.name}")


def _agrees() -> bool:
    """Ask on a terminal; who cannot be asked has not agreed."""
    if not sys.stdin.isatty():
        return False
    return input("Type yes to accept these terms and fetch the weights: ").strip() == "yes"


def _ranges(options: argparse.Namespace) -> None:
    from export.isnet import RANGES  # noqa: PLC0415
    from export.precision.ranges import measure_and_write  # noqa: PLC0415

    count = measure_and_write(options.model, options.pictures, options.count, RANGES)
    print(f"{RANGES}: the ranges of {count} activations")


def _import(options: argparse.Namespace) -> None:
    from export.import_model import import_model  # noqa: PLC0415
    from export.triton_config import Kind  # noqa: PLC0415

    known = options.recipe is not None
    imported = import_model(
        options.file,
        options.name,
        PUBLIC_MODELS[options.recipe].recipe if known else read_recipe(options.recipe_file),
        options.repository,
        options.photos,
        kind=Kind(options.kind),
        max_batch_size=options.max_batch_size,
    )
    print(
        f"{imported.folder}: on {imported.verified.pictures} pictures at most "
        f"{imported.verified.largest_difference}/255 from the file; "
        f"largest batch {imported.max_batch_size}"
    )
    if imported.max_batch_size < options.max_batch_size:
        print("photos go one at a time: in batches this graph fails or answers otherwise")


def _evaluate(options: argparse.Namespace) -> None:
    from export.compare_models import Wanted, compare  # noqa: PLC0415

    sets = {
        name: path
        for name in ("photos", "rendered", "held_out", "finegrain")
        if (path := getattr(options, name)) is not None
    }
    wanted = Wanted(**(sets or {"photos": PHOTOS}))
    print(compare(options.model or [MODEL], wanted, options.sheet))
