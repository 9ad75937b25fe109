"""The command `python -m benchmarks sweep`: the best configuration under a latency objective."""

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from benchmarks.configuration import Configuration, config_path
from benchmarks.errors import BenchmarkError
from benchmarks.flags import add_flags
from benchmarks.load.generator import Plan
from benchmarks.load.photos import Size, make_photos
from benchmarks.record import settings_of, write_record
from benchmarks.sweep.apply import apply, check_can_apply
from benchmarks.sweep.bench import Bench
from benchmarks.sweep.points import as_rows
from benchmarks.sweep.sweep import Budget, Sweep
from benchmarks.table import as_table
from deploy.local.stack import best_model
from export.triton_config import read_config
from serving.host import has_nvidia_gpu

_TABLE = (
    *("path", "model", "instances", "threads", "max_batch_size", "queue_delay_us"),
    *("concurrency", "images_per_s", "p50_ms", "p95_ms", "within_objective", "on_pareto_front"),
)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    best = best_model(gpu=has_nvidia_gpu())
    add_flags(parser, "--out", "--quick", "--repository", "--samples", "--seed", "--triton-dir")
    parser.add_argument("--apply", action="store_true", help="write the winner to config.pbtxt")
    parser.add_argument("--p95-ms", type=float, default=500, help="the latency objective")
    parser.add_argument(
        "--decide-by",
        choices=("triton", "gateway"),
        default="triton",
        help="whose figures choose: perf_analyzer's or the gateway's (default: %(default)s)",
    )
    parser.add_argument("--minutes", type=float, default=10, help="time for all (%(default)s)")
    parser.add_argument("--margin-percent", type=float, default=3, help="less than it is noise")
    parser.add_argument(
        "--models", nargs="+", default=[best, "matte"], help="the first is where it starts"
    )
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--threads", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8, 16, 32])
    parser.add_argument("--delays-us", type=int, nargs="+", default=[0, 1000, 5000])
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--requests", type=int, default=40, help="in a window of perf_analyzer")
    parser.add_argument(
        "--stability-percent",
        type=int,
        default=100,
        help="between its three windows; the less, the more windows it takes (%(default)s)",
    )
    parser.add_argument("--megapixels", type=float, default=1, help="the gateway's photos")
    parser.add_argument("--seconds", type=float, default=5, help="of each load on the gateway")


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Search, print every point, write the record and, if asked, the configuration.

    Raises:
        BenchmarkError: Nothing could be measured, or the winner cannot be applied.
    """
    paths = {model: config_path(arguments.repository, model) for model in arguments.models}
    messages = {model: read_config(path) for model, path in paths.items()}
    if arguments.apply:
        if arguments.quick:
            raise BenchmarkError("a smoke run chooses nothing that could be applied")
        for path in paths.values():
            check_can_apply(path)
    if arguments.quick:
        _shorten(arguments)
    start = Configuration.of(messages[arguments.models[0]])
    with (
        tempfile.TemporaryDirectory() as photos,
        tqdm(total=round(arguments.minutes * 60), unit="s", desc="sweep") as bar,
    ):
        sizes = [Size(arguments.megapixels)]
        plan = Plan(
            target="",
            photos=tuple(make_photos(arguments.samples, sizes, Path(photos))),
            duration_s=arguments.seconds,
            timeout_s=30.0,
            seed=arguments.seed,
        )
        bench = Bench(
            repository=arguments.repository,
            concurrency=arguments.concurrency,
            requests=arguments.requests,
            stability_percent=arguments.stability_percent,
            triton_dir=arguments.triton_dir,
            plan=plan,
            warm_up_s=arguments.seconds / 6,
            environ=environ,
        )
        budget = Budget(arguments.minutes * 60, bar, most_turns=2 if arguments.quick else None)
        found = Sweep(bench, arguments.decide_by, arguments.p95_ms, budget)
        # What moves most goes first.
        axes = {
            "model": arguments.models,
            "instances": arguments.instances,
            "threads": arguments.threads,
            "max_batch_size": arguments.batches,
            "queue_delay_us": arguments.delays_us,
        }
        winner = found.search(start, axes, arguments.margin_percent / 100)
    if not found.points:
        raise BenchmarkError("nothing could be measured:\n" + "\n".join(bench.failures))
    rows = as_rows(found.points, winner, arguments.p95_ms)
    told = settings_of(arguments)
    write_record(
        arguments.out / "sweep.json", "sweep", told, rows, seed=arguments.seed, notes=found.notes
    )
    print(as_table(rows, _TABLE))
    print("\n".join(found.notes))
    if arguments.apply and winner != start:
        apply(paths[winner.model], winner)
        print(f"written to {paths[winner.model]}")


def _shorten(arguments: argparse.Namespace) -> None:
    # One configuration besides the one that there is, with another batch size.
    arguments.models = arguments.models[:1]
    arguments.instances, arguments.threads, arguments.delays_us = [], [], []
    arguments.batches, arguments.concurrency = [4], [2]
    arguments.requests, arguments.stability_percent = 4, 999
    arguments.seconds, arguments.minutes = 1.5, 1.0
