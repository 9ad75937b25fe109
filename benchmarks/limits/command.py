"""`python -m benchmarks limits`: the machine's peaks, the network's needs, and how near it comes.

Peaks and passes take turns in every round, so that what disturbs the machine disturbs both; a
share of the limit is taken within a round, and the median over rounds is told with its spread.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tqdm import tqdm

from benchmarks import perf_analyzer
from benchmarks.configuration import Configuration, config_path
from benchmarks.flags import add_flags
from benchmarks.limits.codecs import codec_rows
from benchmarks.limits.graph import GraphCost, GraphError, count_graph
from benchmarks.limits.network import Runner, Setting, best_setting, settings_of
from benchmarks.limits.peaks import Probe, best_probes, copy_probe, product_probes
from benchmarks.limits.roofline import Peaks, attainable_per_s
from benchmarks.record import write_record
from benchmarks.rounds import NOISY_SHARE, over_rounds
from benchmarks.table import as_table, columns
from benchmarks.triton import Triton, running_triton
from deploy.local.stack import best_model
from export.triton_config import read_config
from processes.tree import awake, pause
from serving.host import has_nvidia_gpu

_BYTES = "bytes"
# Least requests in each of perf_analyzer's three windows, and how far these may differ.
_REQUESTS, _STABILITY_PERCENT = 20, 50

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How thoroughly to measure."""

    # Of matrices; from the first on the operands leave the caches of one core
    sides: Sequence[int] = (1024, 2048, 4096)
    copy_bytes: int = 2**28  # far more than any last-level cache holds
    batches: Sequence[int] = (1, 2, 4, 8, 16)  # photos in a pass
    megapixels: Sequence[float] = (1.0, 4.0, 12.0)  # of the photos that codecs are tried on
    search_s: float = 0.5  # least time of a candidate's turn, s
    turn_s: float = 1.0  # least time of a measurement's turn, s
    rounds: int = 9


QUICK = Plan((256, 512), 2**24, (1, 4), (0.25,), search_s=0.05, turn_s=0.05, rounds=3)


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    add_flags(parser, "--out", "--quick", "--repository", "--triton-dir")
    parser.add_argument(
        "--models",
        nargs="+",
        default=[best_model(gpu=False)],
        help="folders of the repository, measured on the CPU (default: %(default)s)",
    )
    parser.add_argument("--rounds", type=int, help=f"of peaks and passes ({Plan().rounds})")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure, print the tables and write the record."""
    plan = QUICK if arguments.quick else Plan()
    rounds = arguments.rounds or plan.rounds
    cores = len(os.sched_getaffinity(0))
    files = {name: arguments.repository / name / "1" / "model.onnx" for name in arguments.models}
    try:
        costs = {name: count_graph(path) for name, path in files.items()}
    except GraphError as exc:
        raise SystemExit(f"error: {exc}") from exc
    with (
        tqdm(total=len(files) + rounds + len(plan.megapixels) + 1, unit="step") as bar,
        ExitStack() as stack,
    ):
        products = chain(*(product_probes(side, cores) for side in plan.sides))
        probes = best_probes(products, plan.search_s)
        probes[_BYTES] = copy_probe(plan.copy_bytes, cores)
        bar.update()
        models = {}
        for name, path in files.items():
            setting = best_setting(path, list(settings_of(cores, plan.batches)), plan.search_s)
            triton = stack.enter_context(_paused_triton(arguments.repository, name, setting))
            models[name] = _Model(name, path, setting, triton, arguments.triton_dir)
            bar.update()
        taken: list[dict[str, float]] = []
        for _ in range(rounds):
            rates = {name: probe.rate_per_s(plan.turn_s) for name, probe in probes.items()}
            for model in models.values():
                rates[model.key] = model.images_per_s(plan.turn_s)
                rates[model.triton_key] = model.triton_images_per_s()
            taken.append(rates)
            bar.update()
        codecs: list[Row] = []
        for megapixels in plan.megapixels:
            codecs += codec_rows(megapixels, rounds, cores)
            bar.update()
    networks = [_network_row(model, costs[name], taken) for name, model in models.items()]
    sections = {
        "the machine": [_peak_row(probe, [r[key] for r in taken]) for key, probe in probes.items()],
        "the network, raw onnxruntime": networks,
        "the same in embedded Triton": [_triton_row(model, taken) for model in models.values()],
        "the codecs": codecs,
        "decode, network and encode, nothing else": _service_rows(networks, codecs, cores),
    }
    rows = list(chain(*sections.values()))
    notes = list(_notes(rows))
    for title, part in sections.items():
        print(f"\n{title}\n{as_table(part, columns(part, but={'kind'}))}")
    print("\n" + "\n".join(notes))
    told = asdict(plan) | {"rounds": rounds, "models": arguments.models}
    write_record(arguments.out / "limits.json", "limits", told, rows, seed=0, notes=notes)


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    yield "shares of a limit are medians over rounds, each within its round"
    if not find_spec("torch"):
        yield "bf16 is left out: torch, which would compute it, is not installed"
    if has_nvidia_gpu():
        yield "these are the CPU's limits; benchmarks/gpu_run.py measures the GPU's"
    for row in rows:
        if row.get("spread_share", 0) > NOISY_SHARE:
            what = row.get("model") or row["precision"]
            yield f"{row['kind']} {what}: noisy, ± {row['spread_share']:.0%} over rounds"


@contextmanager
def _paused_triton(repository: Path, model: str, setting: Setting) -> Iterator[Triton]:
    """Run Triton with one model at a setting for the time of a block, paused."""
    configuration = replace(
        Configuration.of(read_config(config_path(repository, model))),
        instances=setting.instances,
        threads=setting.threads,
        max_batch_size=setting.batch,
        queue_delay_us=0,
    )
    with (
        TemporaryDirectory() as name,
        running_triton(repository, Path(name), configuration) as triton,
    ):
        pause([triton.server.pid])
        yield triton


@dataclass(frozen=True, slots=True)
class _Model:
    """A model at its best setting, by itself and behind Triton."""

    name: str
    path: Path  # its ONNX file
    setting: Setting  # how it is run
    triton: Triton  # which is paused
    triton_dir: Path  # where perf_analyzer is installed

    @property
    def key(self) -> str:
        """Its name among a round's rates; no precision is called so."""
        return f"model {self.name}"

    @property
    def triton_key(self) -> str:
        """The name of Triton's rate."""
        return f"triton {self.name}"

    def images_per_s(self, least_s: float) -> float:
        """Run raw ONNX Runtime for at least so long."""
        with Runner(self.path, self.setting) as runner:
            return runner.images_per_s(least_s)

    def triton_images_per_s(self) -> float:
        """Let `perf_analyzer` ask Triton, with photos in shared memory.

        Raw ONNX Runtime has them at hand as well, so what is compared is the server and not the
        wire. A request brings a whole batch.
        """
        load = perf_analyzer.Load(
            address=self.triton.address,
            model=self.name,
            # As many more wait as are worked on, so that no instance is ever idle.
            concurrency=str(2 * self.setting.instances),
            batch_size=self.setting.batch,
            requests=_REQUESTS,
            stability_percent=_STABILITY_PERCENT,
            memory="system",
        )
        with awake([self.triton.server.pid]):
            (found,) = perf_analyzer.measure(load, self.triton_dir, os.environ)
        return float(found["images_per_s"])


def _peak_row(probe: Probe, rates_per_s: Sequence[float]) -> Row:
    spread = over_rounds(rates_per_s)
    copies = probe.precision == _BYTES
    return {
        "kind": "peak",
        "device": "cpu",
        "precision": probe.precision,
        "engine": probe.engine,
        "buffer_bytes" if copies else "side": probe.side,
        "bytes_per_s" if copies else "operations_per_s": spread.middle,
        "spread_share": spread.share,
    }


def _network_row(model: _Model, cost: GraphCost, taken: Sequence[Mapping[str, float]]) -> Row:
    batch = model.setting.batch
    peaks = [
        Peaks({key: rate for key, rate in rates.items() if key != _BYTES}, rates[_BYTES])
        for rates in taken
    ]
    limits = [attainable_per_s(cost.operations, cost.least_bytes(batch), one) for one in peaks]
    rates = [one[model.key] for one in taken]
    share = over_rounds([rate / limit for rate, limit in zip(rates, limits, strict=True)])
    arithmetic_alone = attainable_per_s(cost.operations, 0, peaks[0])
    memory_alone = peaks[0].bytes_per_s / cost.least_bytes(batch)
    return {
        "kind": "network",
        "device": "cpu",
        "engine": "onnxruntime",
        "model": model.name,
        **asdict(model.setting),
        "images_per_s": over_rounds(rates).middle,
        "limit_images_per_s": over_rounds(limits).middle,
        "share_of_limit": share.middle,
        "spread_share": share.share,
        "bound_by": "arithmetic" if arithmetic_alone < memory_alone else "memory",
        "operations_per_image": cost.total_operations,
        **{f"operations_{key}_per_image": count for key, count in cost.operations.items()},
        "weight_bytes": cost.weight_bytes,
        "least_bytes_per_image": cost.least_bytes(batch),
        "intensity_operations_per_byte": cost.intensity(batch),
    }


def _triton_row(model: _Model, taken: Sequence[Mapping[str, float]]) -> Row:
    share = over_rounds([one[model.triton_key] / one[model.key] for one in taken])
    return {
        "kind": "triton",
        "device": "cpu",
        "model": model.name,
        **asdict(model.setting),
        "images_per_s": over_rounds([one[model.triton_key] for one in taken]).middle,
        "share_of_onnxruntime": share.middle,
        "spread_share": share.share,
    }


def _service_rows(networks: Sequence[Row], codecs: Sequence[Row], cores: int) -> list[Row]:
    """Bound the whole service: all cores busy with nothing but codecs and passes."""
    decoding = (row for row in codecs if row["step"] == "decode")
    decode_ms = {row["photo_megapixels"]: row["cpu_ms"] for row in decoding}
    rows = []
    for network in networks:
        for encode in (row for row in codecs if row["step"] == "encode"):
            codec_ms = decode_ms[encode["photo_megapixels"]] + encode["cpu_ms"]
            network_ms = 1000 * cores / network["images_per_s"]
            rows.append(
                {
                    "kind": "service",
                    "model": network["model"],
                    "photo_megapixels": encode["photo_megapixels"],
                    "output": encode["file_format"],
                    "codec_cpu_ms": codec_ms,
                    "network_cpu_ms": network_ms,
                    "limit_images_per_s": 1000 * cores / (codec_ms + network_ms),
                }
            )
    return rows
