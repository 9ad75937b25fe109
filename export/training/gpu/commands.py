"""The commands: pack pictures to travel, train, draw what training sees, measure the pace."""

import argparse
import logging
import shlex
from dataclasses import fields, replace
from pathlib import Path

from export.training.gpu.config import DeviceConfig

SIMPLE = {int: int, float: float, str: str}
SPECIAL = {"packs", "sides", "scenes"}


def main(arguments: list[str]) -> None:
    """Run one command."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parser = argparse.ArgumentParser(prog="python -m export.training.gpu")
    commands = parser.add_subparsers(required=True)
    pack = commands.add_parser("pack", help="pack a folder of training pictures to travel")
    pack.add_argument("--pictures", type=Path, required=True, help="folder, see docs/training.md")
    pack.add_argument("--mattes", type=Path, required=True, help="a larger network's mattes")
    pack.add_argument("--objects", type=Path, help="modelled objects with alpha")
    pack.add_argument("--into", type=Path, default=Path("pack"), help="pack_a and pack_b go here")
    pack.set_defaults(run=_pack)
    for name, run, text in (
        ("train", _train, "train by the clock"),
        ("sheet", _sheet, "draw what training sees"),
        ("pace", _pace, "measure steps and composing, in variants"),
    ):
        own = commands.add_parser(name, help=text)
        _declare(own)
        own.add_argument("--into", type=Path, default=Path("build/gpu"))
        own.set_defaults(run=run)
    options = parser.parse_args(arguments)
    options.command = "python -m export.training.gpu " + shlex.join(arguments)
    options.run(options)


def _declare(parser: argparse.ArgumentParser) -> None:
    """Declare each simple setting of the configuration, by its name."""
    for one in fields(DeviceConfig):
        option = "--" + one.name.replace("_", "-")
        kind = type(getattr(DeviceConfig(), one.name))
        if kind is bool:
            parser.add_argument(option, action=argparse.BooleanOptionalAction)
        elif one.name not in SPECIAL:
            parser.add_argument(option, type=kind)
    parser.add_argument("--packs", nargs="+", help="folders of packs; those that come are read")
    parser.add_argument("--side", type=int, help="of all pictures, instead of the schedule's")
    parser.add_argument("--sides", nargs="+", help="the schedule, as 0.3:256 1:320")


def _config(options: argparse.Namespace) -> DeviceConfig:
    given = {
        one.name: getattr(options, one.name)
        for one in fields(DeviceConfig)
        if one.name not in SPECIAL and getattr(options, one.name, None) is not None
    }
    config = replace(DeviceConfig(), **given)
    if options.packs:
        config = replace(config, packs=tuple(options.packs))
    if options.side:
        config = replace(config, sides=((1.0, options.side),))
    if options.sides:
        stages = (stage.split(":") for stage in options.sides)
        config = replace(config, sides=tuple((float(end), int(side)) for end, side in stages))
    return config


def _pack(options: argparse.Namespace) -> None:
    from export.training.gpu.packs import deal, list_pictures, write_pack  # noqa: PLC0415

    listed = list_pictures(options.pictures, options.mattes, options.objects)
    for name, part in zip(("a", "b"), deal(listed), strict=True):
        path = options.into / f"pack_{name}" / f"pictures_{name}.safetensors"
        print(f"{path}: {len(part)} pictures, {write_pack(part, path):,} bytes")


def _train(options: argparse.Namespace) -> None:
    from export.training.gpu.run import DeviceRun  # noqa: PLC0415

    found = DeviceRun(_config(options), options.into, options.command).train()
    print(f"held-out pictures: {found}")


def _sheet(options: argparse.Namespace) -> None:
    from export.training.gpu.sheet import draw_sheet  # noqa: PLC0415

    draw_sheet(_config(options), options.into / "sheet.png")


def _pace(options: argparse.Namespace) -> None:
    from export.training.gpu.pace import measure_pace  # noqa: PLC0415

    measure_pace(_config(options))
