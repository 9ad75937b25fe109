"""Speed and quality of a model's variants: `python -m benchmarks precision`.

Every variant runs in a process of its own, whose peak memory is the variant's; within a round each
variant takes its turn, so that what disturbs the machine disturbs all alike. Ratios are medians
over rounds, each round's against the reference's.
"""

import argparse
import multiprocessing
import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import onnxruntime

from benchmarks.flags import add_flags
from benchmarks.limits.network import Runner, Setting, open_session
from benchmarks.memory import peak_resident_bytes
from benchmarks.pareto import pareto_front
from benchmarks.rounds import ratios
from benchmarks.table import as_table
from export.measures import agreement, mean_agreement
from export.photos import read_photos
from export.tensor_names import PHOTO

_PROVIDERS = ("CPU", "OpenVINO")


@dataclass(frozen=True)
class Contender:
    """A model on one of ONNX Runtime's execution providers."""

    path: Path
    provider: str

    @property
    def name(self) -> str:
        """What the tables call it: the model folder's name and the provider."""
        return f"{self.path.parent.parent.name}, {self.provider}"


class Turn(NamedTuple):
    """One contender's part of one round, for each photo."""

    wall_s: float
    cpu_s: float
    peak_mib: float  # of the process, since it began


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    add_flags(parser, "--repository")
    parser.add_argument("--models", nargs="+", default=["matte", "matte-fp16", "matte-int8"])
    parser.add_argument("--against", choices=["u2netp"], help="network that ratios refer to")
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos"))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--turn-s", type=float, default=0.4, help="least time of one turn")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure and print both tables."""
    files = [arguments.repository / name / "1" / "model.onnx" for name in arguments.models]
    if missing := [str(path) for path in files if not path.is_file()]:
        raise SystemExit(f"error: there is no {', '.join(missing)}")
    available = onnxruntime.get_available_providers()
    providers = [one for one in _PROVIDERS if f"{one}ExecutionProvider" in available]
    print(f"onnxruntime {onnxruntime.__version__}: {', '.join(providers)}; {os.cpu_count()} cores")
    judged = [Contender(path, provider) for path in files for provider in providers]
    # Random weights cut nothing, so a reference network is not judged.
    iou = {one: _iou_on_photos(one, arguments.photos) for one in judged}
    with tempfile.TemporaryDirectory() as scratch:
        contenders = judged
        if arguments.against:
            from benchmarks.u2netp import serve, write_stand_in  # noqa: PLC0415  needs Triton's client

            write_stand_in(Path(scratch) / "u2netp.onnx")
            file = serve(Path(scratch) / "u2netp.onnx", Path(scratch) / "models", Path("samples"))
            contenders = [*(Contender(file, provider) for provider in providers), *judged]
        for threads in dict.fromkeys(arguments.threads):
            _compare(contenders, threads, iou, arguments)


def _compare(
    contenders: Sequence[Contender],
    threads: int,
    iou: Mapping[Contender, float],
    arguments: argparse.Namespace,
) -> None:
    rows: list[dict[str, Any]] = []
    for batch in arguments.batches:
        setting = Setting(1, threads, batch)
        turns = measure(contenders, setting, arguments.rounds, arguments.turn_s)
        reference = [turn.wall_s for turn in turns[contenders[0]]]
        for one, taken in turns.items():
            walls = [turn.wall_s for turn in taken]
            rows.append(
                {
                    "model": one.name,
                    "threads": threads,
                    "batch": batch,
                    "images_per_s": 1 / median(walls),
                    "cpu_ms_per_image": 1000 * median(turn.cpu_s for turn in taken),
                    "times_faster": median(ratios(reference, walls)),
                    "peak_mib": max(turn.peak_mib for turn in taken),
                    "iou_on_photos": iou.get(one),
                }
            )
    lone = [row for row in rows if row["batch"] == arguments.batches[0] and row["iou_on_photos"]]
    front = pareto_front([row | {"p95_ms": -row["iou_on_photos"]} for row in lone])
    names = {row["model"] for row in front}
    for row in lone:
        row["on_front"] = "yes" if row["model"] in names else ""
    print(f"\n{as_table(rows)}", flush=True)


def measure(
    contenders: Sequence[Contender], setting: Setting, rounds: int, turn_s: float
) -> dict[Contender, list[Turn]]:
    """Run every contender once a round, each in a process of its own.

    Args:
        contenders: in the order of their turns.
        setting: for all of them.
        rounds: how often.
        turn_s: least time of a turn, s.

    Returns:
        Each contender's turns, one for each round.
    """
    turns: dict[Contender, list[Turn]] = {one: [] for one in contenders}
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pools = {}
        for one in contenders:
            pools[one] = ProcessPoolExecutor(1, spawn, _load, (one, setting))
            stack.enter_context(pools[one])
            pools[one].submit(_turn, 0.0).result()  # loaded and warm before the next one loads
        for _ in range(rounds):
            for one, pool in pools.items():
                turns[one].append(pool.submit(_turn, turn_s).result())
    return turns


_worker: dict[str, Runner] = {}  # of a worker process


def _load(contender: Contender, setting: Setting) -> None:
    provider = f"{contender.provider}ExecutionProvider"
    _worker["runner"] = Runner(contender.path, setting, provider, plans_memory=False)


def _turn(turn_s: float) -> Turn:
    wall_s, cpu_s = _worker["runner"].seconds_per_image(turn_s)
    return Turn(wall_s, cpu_s, peak_resident_bytes() / 2**20)


def _iou_on_photos(contender: Contender, folder: Path) -> float:
    provider = f"{contender.provider}ExecutionProvider"
    session = open_session(str(contender.path), os.cpu_count() or 1, provider)
    judged = []
    for photo in read_photos(folder, session.get_inputs()[0].shape[1]):
        matte = session.run(None, {PHOTO: photo.rgb[None]})[0][0, ..., 0]
        judged.append(agreement(matte / 255, photo.reference))
    return mean_agreement(judged).iou
