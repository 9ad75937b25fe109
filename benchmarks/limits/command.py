"""`python -m benchmarks limits`: the machine's peaks, the network's needs, and how near it comes.

Peaks and passes take turns in every round, so that what disturbs the machine disturbs both; a
share of the limit is taken within a round, and the median over rounds is told with its spread.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.limits import codecs, network, peaks
from benchmarks.limits.codecs import CodecTime
from benchmarks.limits.embedded import EmbeddedTriton, embedded_triton
from benchmarks.limits.graph import GraphCost, GraphError, count_graph
from benchmarks.limits.network import Runner, Setting
from benchmarks.limits.peaks import Probe
from benchmarks.limits.roofline import Peaks, attainable_per_s
from benchmarks.record import write_record
from benchmarks.rounds import NOISY_SHARE, over_rounds
from benchmarks.table import as_table
from deploy.local.stack import best_model
from serving.host import has_nvidia_gpu

_BYTES = "bytes"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """How thoroughly to measure."""

    sides: Sequence[int] = peaks.SIDES
    copy_bytes: int = peaks.COPY_BYTES
    batches: Sequence[int] = network.BATCHES
    megapixels: Sequence[float] = codecs.MEGAPIXELS
    search_s: float = 0.5
    turn_s: float = 1.0
    rounds: int = 9


QUICK = Plan(
    sides=peaks.QUICK_SIDES,
    copy_bytes=peaks.QUICK_COPY_BYTES,
    batches=network.QUICK_BATCHES,
    megapixels=codecs.QUICK_MEGAPIXELS,
    search_s=0.05,
    turn_s=0.05,
    rounds=3,
)


def add_arguments(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--repository", type=Path, default=Path("model_repository"))
    parser.add_argument(
        "--models",
        nargs="+",
        default=[best_model(gpu=False)],
        help="folders of the repository, measured on the CPU (default: %(default)s)",
    )
    parser.add_argument(
        "--triton-dir",
        type=Path,
        default=Path(environ.get("PACKSHOT_TRITON_DIR", ".triton")),
        help="folder that Triton and perf_analyzer are installed into (default: %(default)s)",
    )
    parser.add_argument("--rounds", type=int, help=f"of peaks and passes ({Plan().rounds})")
    parser.add_argument("--out", type=Path, default=Path("out/bench"))
    parser.add_argument("--quick", action="store_true", help="a smoke run of seconds")


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
    notes = ["shares of a limit are medians over rounds, each within its round"]
    if not find_spec("torch"):
        notes.append("bf16 is left out: torch, which would compute it, is not installed")
    if has_nvidia_gpu():
        notes.append("these are the CPU's limits; benchmarks/gpu_run.py measures the GPU's")
    with tqdm(total=len(files) + rounds + len(plan.megapixels) + 1, unit="step") as bar:
        probes = _probes(plan, cores)
        bar.update()
        settings = {}
        for name, path in files.items():
            candidates = list(network.settings_of(cores, plan.batches))
            settings[name] = network.best_setting(path, candidates, plan.search_s)
            bar.update()
        with ExitStack() as stack:
            servers = {
                name: stack.enter_context(
                    embedded_triton(arguments.repository, name, setting, arguments.triton_dir)
                )
                for name, setting in settings.items()
            }
            turns = _Turns(probes, files, settings, servers, plan.turn_s)
            taken = [turns.take(bar) for _ in range(rounds)]
        codec_times: list[CodecTime] = []
        for megapixels in plan.megapixels:
            codec_times += codecs.measure_codecs(megapixels, rounds)
            bar.update()
    ceilings = [_peak_row(probe, [one[key] for one in taken]) for key, probe in probes.items()]
    networks = [_network_row(name, costs[name], settings[name], taken) for name in files]
    servers_told = [_triton_row(name, settings[name], taken) for name in files]
    sections = [
        ("the machine", ceilings),
        ("the network, raw onnxruntime", networks),
        ("the same in embedded Triton", servers_told),
        ("its operations", list(chain(*(_operator_rows(*item) for item in costs.items())))),
        ("the codecs", [_codec_row(one, cores) for one in codec_times]),
        ("decode, network and encode, nothing else", _service_rows(networks, codec_times, cores)),
    ]
    rows = [row for _, part in sections for row in part]
    for row in rows:
        if row.get("spread_share", 0) > NOISY_SHARE:
            what = row.get("model") or row["precision"]
            notes.append(f"{row['kind']} {what}: noisy, ± {row['spread_share']:.0%} over rounds")
    for title, part in sections:
        columns = [key for key in dict.fromkeys(chain(*part)) if key != "kind"]
        print(f"\n{title}\n{as_table(part, columns)}")
    print("\n" + "\n".join(notes))
    settings_told = asdict(plan) | {"rounds": rounds, "models": arguments.models}
    write_record(arguments.out / "limits.json", "limits", settings_told, rows, seed=0, notes=notes)


def _probes(plan: Plan, cores: int) -> dict[str, Probe]:
    products = chain(*(peaks.product_probes(side, cores) for side in plan.sides))
    return peaks.best_probes(products, plan.search_s) | {
        _BYTES: peaks.copy_probe(plan.copy_bytes, cores)
    }


@dataclass(frozen=True, slots=True)
class _Turns:
    """What is measured in every round."""

    probes: Mapping[str, Probe]  # of the machine's peaks
    files: Mapping[str, Path]  # each model's ONNX file
    settings: Mapping[str, Setting]  # how each model is run
    servers: Mapping[str, EmbeddedTriton]  # each model behind Triton
    turn_s: float  # least time of a turn but Triton's

    def take(self, bar: "tqdm[Any]") -> dict[str, float]:
        """Measure every peak and every model once; rates by their names."""
        rates = {name: probe.rate_per_s(self.turn_s) for name, probe in self.probes.items()}
        for name, path in self.files.items():
            with Runner(path, self.settings[name]) as runner:
                rates[_of_model(name)] = runner.images_per_s(self.turn_s)
            rates[_of_triton(name)] = self.servers[name].images_per_s()
        bar.update()
        return rates


def _of_model(name: str) -> str:
    return f"model {name}"  # no precision is called so


def _of_triton(name: str) -> str:
    return f"triton {name}"


def _peak_row(probe: Probe, rates_per_s: Sequence[float]) -> Row:
    spread = over_rounds(rates_per_s)
    size, unit = (
        ("buffer_bytes", "bytes_per_s")
        if probe.precision == _BYTES
        else (
            "side",
            "operations_per_s",
        )
    )
    return {
        "kind": "peak",
        "device": "cpu",
        "precision": probe.precision,
        "engine": probe.engine,
        size: probe.side,
        unit: spread.middle,
        "spread_share": spread.share,
    }


def _network_row(
    name: str, cost: GraphCost, setting: Setting, taken: Sequence[Mapping[str, float]]
) -> Row:
    rates = over_rounds([one[_of_model(name)] for one in taken])
    shares, limits = [], []
    for one in taken:
        limit = attainable_per_s(cost.operations, cost.least_bytes(setting.batch), _peaks(one))
        limits.append(limit)
        shares.append(one[_of_model(name)] / limit)
    share = over_rounds(shares)
    arithmetic_alone = attainable_per_s(cost.operations, 0, _peaks(taken[0]))
    memory_alone = _peaks(taken[0]).bytes_per_s / cost.least_bytes(setting.batch)
    return {
        "kind": "network",
        "device": "cpu",
        "engine": "onnxruntime",
        "model": name,
        **asdict(setting),
        "images_per_s": rates.middle,
        "limit_images_per_s": over_rounds(limits).middle,
        "share_of_limit": share.middle,
        "spread_share": share.share,
        "bound_by": "arithmetic" if arithmetic_alone < memory_alone else "memory",
        "operations_per_image": cost.total_operations,
        **{f"operations_{key}_per_image": count for key, count in cost.operations.items()},
        "weight_bytes": cost.weight_bytes,
        "least_bytes_per_image": cost.least_bytes(setting.batch),
        "layer_bytes_per_image": cost.bytes_by_layers(setting.batch),
        "intensity_operations_per_byte": cost.intensity(setting.batch),
    }


def _triton_row(name: str, setting: Setting, taken: Sequence[Mapping[str, float]]) -> Row:
    share = over_rounds([one[_of_triton(name)] / one[_of_model(name)] for one in taken])
    return {
        "kind": "triton",
        "device": "cpu",
        "model": name,
        **asdict(setting),
        "images_per_s": over_rounds([one[_of_triton(name)] for one in taken]).middle,
        "share_of_onnxruntime": share.middle,
        "spread_share": share.share,
    }


def _peaks(rates: Mapping[str, float]) -> Peaks:
    arithmetic = {key: rate for key, rate in rates.items() if key != _BYTES}
    return Peaks(arithmetic, rates[_BYTES])


def _operator_rows(name: str, cost: GraphCost) -> list[Row]:
    return [
        {
            "kind": "operator",
            "model": name,
            "operator": operator,
            "operations_per_image": count,
            "share_of_operations": count / cost.total_operations,
        }
        for operator, count in cost.by_operator.items()
    ]


def _codec_row(one: CodecTime, cores: int) -> Row:
    return {"kind": "codec", **asdict(one), "images_per_s": 1000 * cores / one.cpu_ms}


def _service_rows(networks: Sequence[Row], times: Sequence[CodecTime], cores: int) -> list[Row]:
    """Bound the whole service: all cores busy with nothing but codecs and passes."""
    decoding = {one.photo_megapixels: one for one in times if one.step == "decode"}
    rows = []
    for model in networks:
        for encode in (one for one in times if one.step == "encode"):
            codec_ms = decoding[encode.photo_megapixels].cpu_ms + encode.cpu_ms
            network_ms = 1000 * cores / model["images_per_s"]
            rows.append(
                {
                    "kind": "service",
                    "model": model["model"],
                    "photo_megapixels": encode.photo_megapixels,
                    "output": encode.file_format,
                    "codec_cpu_ms": codec_ms,
                    "network_cpu_ms": network_ms,
                    "limit_images_per_s": 1000 * cores / (codec_ms + network_ms),
                }
            )
    return rows
