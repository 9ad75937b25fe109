"""Speed and quality of a model's variants: `python -m benchmarks precision`.

Every variant runs in a process of its own, one at a time, so that no other's idle threads spin on
the cores it is given; within a round each variant takes its turn, so that what disturbs the machine
disturbs all alike. Ratios are medians over rounds, each round's against the reference's.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from benchmarks.memory import peak_resident_bytes
from benchmarks.reference_networks import REFERENCE_NETWORKS, write_reference_network
from export.measures import agreement, mean_agreement
from export.photos import read_photos
from export.tensor_names import PHOTO

PROVIDERS = ("CPU", "OpenVINO")
_WARM_PASSES = 2


@dataclass(frozen=True)
class Contender:
    """A model on one of ONNX Runtime's execution providers."""

    path: Path
    provider: str

    @property
    def name(self) -> str:
        """What the tables call it: the model folder's name, or the file's."""
        folder = self.path.parent.parent.name if self.path.stem == "model" else self.path.stem
        return f"{folder}, {self.provider}"


@dataclass(frozen=True)
class Setting:
    """How a contender is run."""

    threads: int
    batch: int


class Turn(NamedTuple):
    """One contender's part of one round, for each photo."""

    wall_s: float
    cpu_s: float
    peak_mib: float  # of the process, since it began


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--repository", type=Path, default=Path("model_repository"))
    parser.add_argument("--models", nargs="+", default=["matte", "matte-fp16", "matte-int8"])
    parser.add_argument(
        "--against", choices=REFERENCE_NETWORKS, help="network that ratios refer to"
    )
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos"))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8, 16])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count() or 1])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--turn-s", type=float, default=0.4, help="least time of one turn")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure and print both tables."""
    with tempfile.TemporaryDirectory() as scratch:
        against = arguments.against
        reference = [write_reference_network(against, Path(scratch))] if against else []
        _compare(reference, arguments)


def _compare(reference: list[Path], arguments: argparse.Namespace) -> None:
    files = [arguments.repository / name / "1" / "model.onnx" for name in arguments.models]
    files = reference + files
    if missing := [str(path) for path in files if not path.is_file()]:
        raise SystemExit(f"there is no {', '.join(missing)}")
    available = onnxruntime.get_available_providers()
    providers = [one for one in PROVIDERS if f"{one}ExecutionProvider" in available]
    contenders = [Contender(path, provider) for path in files for provider in providers]
    print(f"onnxruntime {onnxruntime.__version__}: {', '.join(providers)}; {os.cpu_count()} cores")
    if "OpenVINO" not in providers:
        print("without OpenVINO: this onnxruntime has no such provider (group serving-openvino)")
    judged = [one for one in contenders if one.path not in reference]  # random weights cut nothing
    iou = {one: _iou_on_photos(one, arguments.photos) for one in judged}
    speed: dict[tuple[Contender, Setting], list[Turn]] = {}
    print("\n| model | threads | batch | images/s | CPU ms/image | times faster | peak MiB |")
    print("|---|---|---|---|---|---|---|")
    for threads in dict.fromkeys(arguments.threads):
        for batch in arguments.batches:
            setting = Setting(threads, batch)
            turns = measure(contenders, setting, arguments.rounds, arguments.turn_s)
            for contender, taken in turns.items():
                speed[contender, setting] = taken
                print(_row(contender, setting, taken, turns[contenders[0]]), flush=True)
    for threads in dict.fromkeys(arguments.threads):
        print(f"\nBy images/s, one photo at a time, {threads} threads\n")
        first = Setting(threads, arguments.batches[0])
        rates = {one: 1 / median(t.wall_s for t in speed[one, first]) for one in judged}
        print("\n".join(pareto_table(rates, iou)))


def pareto_table(rates: Mapping[Contender, float], iou: Mapping[Contender, float]) -> list[str]:
    """Return the table of speed and quality, fastest first, with the Pareto front marked."""
    lines = ["| model | images/s | IoU on photos | on the front |", "|---|---|---|---|"]
    best = float("-inf")
    for one in sorted(rates, key=lambda contender: -rates[contender]):
        front = iou[one] > best
        best = max(best, iou[one])
        lines.append(
            f"| {one.name} | {rates[one]:.1f} | {iou[one]:.4f} | {'yes' if front else ''} |"
        )
    return lines


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
            pools[one].submit(int).result()  # loaded and warm before the next one loads
        for _ in range(rounds):
            for one, pool in pools.items():
                turns[one].append(pool.submit(_turn, turn_s).result())
    return turns


_worker: dict[str, Any] = {}  # the session and the photos of a worker process


def _load(contender: Contender, setting: Setting) -> None:
    session = _open(contender, setting.threads)
    shape = [setting.batch, *session.get_inputs()[0].shape[1:]]
    photos = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for _ in range(_WARM_PASSES):
        session.run(None, {PHOTO: photos})
    _worker.update(session=session, photos=photos)


def _turn(turn_s: float) -> Turn:
    session, photos = _worker["session"], _worker["photos"]
    session.run(None, {PHOTO: photos})  # the caches were another's
    passes, start_s, cpu_start_s = 0, time.perf_counter(), time.process_time()
    while passes == 0 or time.perf_counter() - start_s < turn_s:
        session.run(None, {PHOTO: photos})
        passes += 1
    wall_s, cpu_s = time.perf_counter() - start_s, time.process_time() - cpu_start_s
    count = passes * len(photos)
    return Turn(wall_s / count, cpu_s / count, peak_resident_bytes() / 2**20)


def _open(contender: Contender, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # as Triton's backend here has it
    options.log_severity_level = 3
    # Idle threads of one contender must not spin through the next one's turn.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    name = f"{contender.provider}ExecutionProvider"
    settings = {"device_type": "CPU", "precision": "FP32", "num_of_threads": str(threads)}
    provider = (name, settings if contender.provider == "OpenVINO" else {})
    session = onnxruntime.InferenceSession(
        str(contender.path), options, providers=[provider], enable_fallback=0
    )
    if session.get_providers()[0] != name:
        raise SystemExit(f"{contender.name}: onnxruntime runs it on {session.get_providers()}")
    return session


def _iou_on_photos(contender: Contender, folder: Path) -> float:
    session = _open(contender, os.cpu_count() or 1)
    judged = []
    for photo in read_photos(folder, session.get_inputs()[0].shape[1]):
        matte = session.run(None, {PHOTO: photo.rgb[None]})[0][0, ..., 0]
        judged.append(agreement(matte / 255, photo.reference))
    return mean_agreement(judged).iou


def _row(contender: Contender, setting: Setting, taken: list[Turn], reference: list[Turn]) -> str:
    wall_s, cpu_s = median(t.wall_s for t in taken), median(t.cpu_s for t in taken)
    faster = median(r.wall_s / t.wall_s for t, r in zip(taken, reference, strict=True))
    return (
        f"| {contender.name} | {setting.threads} | {setting.batch} | {1 / wall_s:.1f} "
        f"| {cpu_s * 1e3:.1f} | {faster:.2f} | {max(t.peak_mib for t in taken):.0f} |"
    )
