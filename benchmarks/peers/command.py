"""The command `python -m benchmarks peers`: Packshot beside other servers.

Every contender is asked by the same closed loop, with the same photos, in turns; ratios are taken
within a round, so that what slows the machine slows both sides. While one is asked, all others
stand still.
"""

import argparse
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.errors import PeerError
from benchmarks.load.photos import Size, make_photos
from benchmarks.peers.contenders import (
    BENTOML,
    LITSERVE,
    OWN,
    PEERS,
    REMBG,
    TRITON,
    Contender,
    Contenders,
)
from benchmarks.peers.environments import is_installed, pins_of
from benchmarks.peers.models import U2NETP, make_repository, write_stand_in
from benchmarks.peers.summary import PACKSHOT, Cell, notes_on, summarise
from benchmarks.peers.turn import Turn, take_turn
from benchmarks.record import write_record
from benchmarks.table import as_table
from deploy.local.stack import best_model
from serving.host import has_nvidia_gpu

log = logging.getLogger(__name__)

# A turn goes on until there are so many answers for each caller: a batch that just misses the end
# of a short turn would be a third of its throughput otherwise.
_LEAST_ANSWERS = 3
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
    "Packshot's limit on waiting is lifted, as no peer has one",
)
_STAND_IN_NOTE = (
    "u2netp has random weights and answers with an ellipse: the published file was not at hand; "
    "a pass takes as long as with the published weights"
)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder for peers.json")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a smoke run: one round of a second, and only peers that are installed already",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*PEERS, TRITON),
        default=[*PEERS, TRITON],
        help="what to compare with (default: all)",
    )
    parser.add_argument(
        "--model",
        default=best_model(gpu=has_nvidia_gpu()),
        help="the project's model (default: %(default)s)",
    )
    parser.add_argument("--repository", type=Path, default=Path("model_repository"))
    parser.add_argument(
        "--u2netp",
        type=Path,
        default=Path("build/models/u2netp.onnx"),
        help="where `python -m export fetch u2netp` put it; without it one of random weights runs",
    )
    parser.add_argument("--samples", type=Path, default=Path("samples"), help="folder of photos")
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
        only = [one for one in only if one == TRITON or is_installed(one, arguments.environments)]
        notes += [
            f"{one} was skipped: --quick installs nothing"
            for one in set(arguments.only) - set(only)
        ]
    with tempfile.TemporaryDirectory() as name:
        rows = _measure(arguments, only, Path(name), notes)
    notes += notes_on(rows)
    settings = {
        key: value for key, value in vars(arguments).items() if key not in {"command", "out"}
    } | {f"{one}_pins": pins_of(one) for one in PEERS if one in only}
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
    if not among([LITSERVE, BENTOML], models):
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
    u2netp = _find_u2netp(arguments, only, scratch, notes)
    repository = scratch / "repository"
    make_repository(arguments.model, arguments.repository, repository, u2netp, arguments.samples)
    cells = plan(arguments, only, u2netp=u2netp is not None)
    total = sum(len(cell.contenders) for cell in cells) * arguments.rounds
    rows: list[dict[str, Any]] = []
    failed: set[tuple[str, str]] = set()
    with (
        Contenders(repository, u2netp, arguments.environments, scratch) as contenders,
        tqdm(total=total, unit="turn", desc="peers") as bar,
    ):
        for cell in cells:
            photos = _photos(arguments.samples, cell.photo_megapixels, scratch)
            turns = _compare(cell, contenders, photos, arguments, failed, notes, bar)
            rows += summarise(cell, turns, arguments.model)
    return rows


def _compare(
    cell: Cell,
    contenders: Contenders,
    photos: Sequence[bytes],
    arguments: argparse.Namespace,
    failed: set[tuple[str, str]],
    notes: list[str],
    bar: "tqdm[Any]",
) -> dict[tuple[str, str], list[Turn]]:
    """Take every contender's turns, forwards and backwards by turns; who fails is left out."""
    running: dict[tuple[str, str], Contender] = {}
    turns: dict[tuple[str, str], list[Turn]] = {}

    def leave_out(key: tuple[str, str], error: PeerError) -> None:
        notes.append(f"{key[0]} with {key[1]} was left out ({cell}): {error}")
        log.warning("%s", notes[-1])
        failed.add(key)
        running.pop(key, None)
        turns.pop(key, None)

    for key in cell.contenders:
        if key not in failed:
            bar.set_postfix_str(f"starting {key[0]}")
            try:
                running[key] = contenders.get(*key, cell.output, photos[0])
            except PeerError as error:
                leave_out(key, error)
    for number in range(arguments.rounds):
        order = list(running) if number % 2 == 0 else list(reversed(running))
        for key in order:
            bar.set_postfix_str(f"{cell}: {' '.join(key)}")
            try:
                turn = _take(running[key], photos, cell, arguments)
                turns.setdefault(key, []).append(turn)
            except PeerError as error:
                leave_out(key, error)
            bar.update()
    return {key: turns[key] for key in cell.contenders if key in turns}


def _take(
    contender: Contender, photos: Sequence[bytes], cell: Cell, arguments: argparse.Namespace
) -> Turn:
    with contender.awake():
        return take_turn(
            contender.caller_of(photos),
            contender.pids,
            cell.concurrency,
            arguments.seconds,
            arguments.warm_up_seconds,
            1 if arguments.quick else _LEAST_ANSWERS,
        )


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
    except PeerError as error:
        notes.append(f"rembg was left out: {error}")
        return None
    notes.append(_STAND_IN_NOTE)
    return path


def _photos(samples: Path, megapixels: float, scratch: Path) -> list[bytes]:
    folder = scratch / f"photos-{megapixels:g}"
    folder.mkdir(exist_ok=True)
    return [
        Path(each.path).read_bytes() for each in make_photos(samples, [Size(megapixels)], folder)
    ]
