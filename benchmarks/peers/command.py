"""The command `python -m benchmarks peers`: Packshot beside other servers.

Every contender is asked by the same closed loop, with the same photos, in turns; ratios are taken
within a round, so that what slows the machine slows both sides. While one is asked, all others
stand still.
"""

import argparse
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.errors import BenchmarkError
from benchmarks.flags import add_flags
from benchmarks.load.photos import Photo, Size, make_photos
from benchmarks.peers.contenders import (
    BENTOML,
    HTTP,
    LITSERVE,
    OWN,
    PEERS,
    REMBG,
    TRITON,
    Contender,
    Contenders,
)
from benchmarks.peers.environments import is_installed, pins_of
from benchmarks.peers.summary import PACKSHOT, Cell, Turn, notes_on, summarise
from benchmarks.record import settings_of, write_record
from benchmarks.table import as_table
from benchmarks.u2netp import U2NETP, serve, write_stand_in
from deploy.local.stack import best_model
from serving.errors import ServingError
from serving.host import has_nvidia_gpu

log = logging.getLogger(__name__)

# A turn goes on until there are so many answers for each caller: a batch that just misses the end
# of a short turn would be a third of its throughput otherwise.
_LEAST_ANSWERS = 4
_TABLE = (
    *("peer", "model", "photo_megapixels", "output", "concurrency", "images_per_s"),
    *("p50_ms", "p95_ms", "p99_ms", "memory_bytes", "cpu_s_per_image"),
    *("ratio_to_packshot", "ratio_to_packshot_default", "p95_ratio_to_packshot", "spread"),
)
_SETTINGS_NOTES = (
    "ratio_to_packshot: the peer's images/s as a multiple of Packshot's with the same model",
    "PNG: rembg writes Pillow's default, level 6; Packshot and the others level 1",
    "JPEG: quality 90, no chroma subsampling, everywhere",
    "the peers scale the matte up; Packshot also refines edges and cleans their colours",
    "triton is bare: tensors in, mattes out, no codec; its processor time is the server's alone",
    "http is Packshot by its HTTP face, which is one process more",
    "Packshot's limit on waiting is lifted, as no peer has one",
)
_STAND_IN_NOTE = (
    "u2netp has random weights and answers with an ellipse: the published file was not at hand; "
    "a pass takes as long as with the published weights"
)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    add_flags(parser, "--out", "--quick", "--repository", "--samples")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*PEERS, TRITON, HTTP),
        default=[*PEERS, TRITON],
        help="what to compare with (default: %(default)s)",
    )
    parser.add_argument(
        "--model",
        default=best_model(gpu=has_nvidia_gpu()),
        help="the project's model (default: %(default)s)",
    )
    parser.add_argument(
        "--u2netp",
        type=Path,
        default=Path("build/models/u2netp.onnx"),
        help="where `python -m export fetch u2netp` put it; without it one of random weights runs",
    )
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4], help="for JPEG")
    parser.add_argument("--png-concurrency", type=int, nargs="+", default=[4, 8])
    parser.add_argument("--jpeg-concurrency", type=int, nargs="+", default=[4])
    parser.add_argument("--seconds", type=float, default=5, help="of each turn")
    parser.add_argument("--warm-up-seconds", type=float, default=1.5, help="before each turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contender")
    parser.add_argument(
        "--environments", type=Path, default=Path(".peers"), help="folder that peers are put into"
    )


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure, print the table and write the record."""
    notes = list(_SETTINGS_NOTES)
    only = list(arguments.only)
    if arguments.quick:
        arguments.rounds, arguments.seconds, arguments.warm_up_seconds = 1, 1.0, 0.5
        arguments.megapixels = arguments.megapixels[:1]
        arguments.png_concurrency = arguments.png_concurrency[:1]
        absent = [one for one in PEERS if not is_installed(one, arguments.environments)]
        notes += [f"{one} was skipped: --quick installs nothing" for one in only if one in absent]
        only = [one for one in only if one not in absent]
    with tempfile.TemporaryDirectory() as name:
        rows = _measure(arguments, only, Path(name), notes)
    notes += notes_on(rows)
    settings = settings_of(arguments) | {
        f"{one}_pins": pins_of(one) for one in PEERS if one in only
    }
    write_record(arguments.out / "peers.json", "peers", settings, rows, notes=notes)
    print(as_table(rows, _TABLE))
    staged = [row for row in rows if row["peer"] == PACKSHOT]
    stages = [key for row in staged[:1] for key in row if key.startswith("stage_")]
    print(f"\nwhere Packshot's time goes\n{as_table(staged, (*_TABLE[1:5], *stages))}")
    print("\n".join(f"note: {note}" for note in notes))


def plan(arguments: argparse.Namespace, only: Sequence[str], *, u2netp: bool) -> list[Cell]:
    """List what is compared.

    Args:
        arguments: The flags.
        only: What to compare with.
        u2netp: Whether there is a U²-NetP.
    """

    def among(peers: Sequence[str], models: Sequence[str]) -> tuple[tuple[str, str], ...]:
        asked = [peer for peer in peers if peer in {PACKSHOT, *only}]
        return tuple((peer, model) for model in models for peer in asked)

    models = [arguments.model, *([U2NETP] if u2netp else [])]
    png = (*among(OWN, models), *among([REMBG], models[1:]))
    cells = [Cell("png", 1, concurrency, png) for concurrency in arguments.png_concurrency]
    if not among([LITSERVE, BENTOML, HTTP], models):
        return cells
    for number, megapixels in enumerate(arguments.megapixels):
        # The larger network hides all else; one size of photo shows that, and a smoke run need not.
        shown = models if number == 0 and not arguments.quick else models[:1]
        jpeg = among([*OWN, LITSERVE, BENTOML], shown)
        cells += [
            Cell("jpeg", megapixels, concurrency, jpeg)
            for concurrency in arguments.jpeg_concurrency
        ]
    return cells


def _measure(
    arguments: argparse.Namespace, only: Sequence[str], scratch: Path, notes: list[str]
) -> list[dict[str, Any]]:
    """Measure every cell; what could not be measured is told in the notes."""
    repository, model = scratch / "repository", arguments.model
    if not (arguments.repository / model / "config.pbtxt").is_file():
        raise BenchmarkError(f"{arguments.repository} has no model {model}")
    shutil.copytree(arguments.repository / model, repository / model)
    u2netp = _find_u2netp(arguments, only, scratch, notes)
    if u2netp:
        serve(u2netp, repository, arguments.samples)
    cells = plan(arguments, only, u2netp=u2netp is not None)
    total = sum(len(cell.contenders) for cell in cells) * arguments.rounds
    rows: list[dict[str, Any]] = []
    failed: set[tuple[str, str]] = set()
    with (
        ExitStack() as exits,
        tqdm(total=total, unit="turn", desc="peers") as bar,
    ):
        environments = arguments.environments
        contenders = Contenders(repository, u2netp, environments, scratch, exits, http=HTTP in only)
        for cell in cells:
            folder = scratch / f"photos-{cell.photo_megapixels:g}"
            photos = make_photos(arguments.samples, [Size(cell.photo_megapixels)], folder)
            turns = _compare(cell, contenders, photos, arguments, failed, notes, bar)
            rows += summarise(cell, turns, model)
    return rows


def _compare(
    cell: Cell,
    contenders: Contenders,
    photos: Sequence[Photo],
    arguments: argparse.Namespace,
    failed: set[tuple[str, str]],
    notes: list[str],
    bar: "tqdm[Any]",
) -> dict[tuple[str, str], list[Turn]]:
    """Take every contender's turns, forwards and backwards by turns; who fails is left out."""
    running: dict[tuple[str, str], Contender] = {}
    turns: dict[tuple[str, str], list[Turn]] = {}

    def leave_out(key: tuple[str, str], error: ServingError) -> None:
        notes.append(f"{key[0]} with {key[1]} was left out ({cell}): {error}")
        log.warning("%s", notes[-1])
        failed.add(key)
        running.pop(key, None)
        turns.pop(key, None)

    for key in cell.contenders:
        if key not in failed:
            bar.set_postfix_str(f"starting {key[0]}")
            try:
                running[key] = contenders.get(*key, cell.output, Path(photos[0].path).read_bytes())
            except ServingError as error:
                leave_out(key, error)
    least = cell.concurrency * (1 if arguments.quick else _LEAST_ANSWERS)
    for number in range(arguments.rounds):
        order = list(running) if number % 2 == 0 else list(reversed(running))
        for key in order:
            bar.set_postfix_str(f"{cell}: {' '.join(key)}")
            try:
                phase = running[key].take_turn(
                    photos=tuple(photos),
                    concurrency=cell.concurrency,
                    duration_s=arguments.warm_up_seconds + arguments.seconds,
                    least_answers=least,
                )
                turns.setdefault(key, []).append(Turn.of(phase, arguments.warm_up_seconds))
            except ServingError as error:
                leave_out(key, error)
            bar.update()
    return {key: turns[key] for key in cell.contenders if key in turns}


def _find_u2netp(
    arguments: argparse.Namespace, only: Sequence[str], scratch: Path, notes: list[str]
) -> Path | None:
    """Return the U²-NetP that rembg and the others run; None where nobody needs it."""
    if REMBG not in only:
        return None
    folder = scratch / "rembg"
    folder.mkdir()
    # By the name that rembg looks for, in a folder that holds nothing else.
    path = folder / "u2netp.onnx"
    if arguments.u2netp.is_file():
        path.symlink_to(arguments.u2netp.resolve())
        return path
    log.info("making a stand-in for U²-NetP, for there is no %s", arguments.u2netp)
    try:
        write_stand_in(path)
    except BenchmarkError as error:
        notes.append(f"rembg was left out: {error}")
        return None
    notes.append(_STAND_IN_NOTE)
    return path
