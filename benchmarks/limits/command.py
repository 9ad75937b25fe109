"""`python -m benchmarks limits`: the machine's peaks, the network's needs, and how near it comes.

Peaks and passes take turns in every round, so that what disturbs the machine disturbs both; a
share of the limit is taken within a round, and the median over rounds is told with its spread.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import chain

from tqdm import tqdm

from benchmarks.flags import add_flags
from benchmarks.limits.codecs import codec_rows
from benchmarks.limits.graph import GraphError, count_graph
from benchmarks.limits.model import Model, paused_triton
from benchmarks.limits.network import best_setting, settings_of
from benchmarks.limits.peaks import best_probes, copy_probe, product_probes
from benchmarks.limits.rows import BYTES, Row, network_row, peak_row, service_rows, triton_row
from benchmarks.record import write_record
from benchmarks.rounds import NOISY_SHARE
from benchmarks.table import as_table, columns
from deploy.local.stack import best_model
from serving.host import has_nvidia_gpu


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
        probes[BYTES] = copy_probe(plan.copy_bytes, cores)
        bar.update()
        models = {}
        for name, path in files.items():
            setting = best_setting(path, list(settings_of(cores, plan.batches)), plan.search_s)
            triton = stack.enter_context(paused_triton(arguments.repository, name, setting))
            models[name] = Model(name, path, setting, triton, arguments.triton_dir)
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
    networks = [network_row(model, costs[name], taken) for name, model in models.items()]
    sections = {
        "the machine": [peak_row(probe, [r[key] for r in taken]) for key, probe in probes.items()],
        "the network, raw onnxruntime": networks,
        "the same in embedded Triton": [triton_row(model, taken) for model in models.values()],
        "the codecs": codecs,
        "decode, network and encode, nothing else": service_rows(networks, codecs, cores),
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
