"""NVIDIA's own load generator against one model of Triton, past the gateway.

It measures the inference server alone, by a tool from outside this project. An installed
`perf_analyzer` is used if there is one (NVIDIA's SDK container has it); otherwise the binary of the
wheel `tritonclient==2.41.1`, installed into a folder of its own. That binary needs two libraries by
names under which the embedded Triton's wheel does not have them.
"""

import argparse
import csv
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.table import as_table
from serving.errors import AnalyzerError
from serving.host import prepend_path
from serving.runtime import EMBEDDED, EMBEDDED_MB, libraries_of
from serving.wheels import ensure_wheel

_WHEEL = "tritonclient==2.41.1"
_WHEEL_MB = 13
_LIBRARIES = {"libb64.so.0d": "libb64-*.so.0d", "libcudart.so.12": "libcudart-*.so.12*"}
# The report's columns, in microseconds; an average latency is their sum.
_LATENCY_PARTS = (
    *("Client Send", "Network+Server Send/Recv", "Server Queue", "Server Compute Input"),
    *("Server Compute Infer", "Server Compute Output", "Client Recv"),
)
_UNSTABLE = 2

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask of the server."""

    address: str  # Triton's gRPC address, `HOST:PORT`
    model: str
    concurrency: str = "1"  # requests in flight, `START:END:STEP`, the later parts optional
    batch_size: int = 1  # photos in a request
    requests: int = 50  # least number of requests in a measuring window
    stability_percent: int = 10  # how far three successive windows may differ
    memory: str = "none"  # how photos and mattes travel: in messages, or `system` or `cuda` memory
    timeout_s: float | None = None  # when to give up; None: never


def measure(load: Load, triton_dir: Path, environ: Mapping[str, str]) -> list[Row]:
    """Run perf_analyzer.

    Returns:
        A row for each concurrency, in ascending order: `concurrency`, `images_per_s`, and of a
        request's latency `mean_ms`, the parts of it in Triton's queue and in the backend's pass,
        `queue_ms` and `compute_ms`, and `p50_ms`, `p90_ms`, `p95_ms`, `p99_ms`.

    Raises:
        ServingError: It could not be installed, failed, or found no stable measurement.
    """
    with tempfile.TemporaryDirectory() as scratch, _analyzer(triton_dir, environ) as analyzer:
        binary, with_libraries = analyzer
        report = Path(scratch) / "report.csv"
        command = [
            *(binary, "-i", "grpc", "-u", load.address, "-m", load.model),
            *("-b", str(load.batch_size), "--concurrency-range", load.concurrency),
            *("--measurement-mode", "count_windows"),
            *("--measurement-request-count", str(load.requests)),
            *("--stability-percentage", str(load.stability_percent)),
            *("--shared-memory", load.memory, "-f", str(report)),
        ]
        try:
            done = subprocess.run(
                command,
                env=with_libraries,
                check=False,
                capture_output=True,
                text=True,
                timeout=load.timeout_s,
            )
        except subprocess.TimeoutExpired as exc:
            raise AnalyzerError(f"perf_analyzer did not end within {load.timeout_s:g} s") from exc
        if done.returncode or not report.is_file():
            what = "found no stable measurement" if done.returncode == _UNSTABLE else "failed"
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
            raise AnalyzerError(f"perf_analyzer {what} (status {done.returncode}): {said}")
        return parse_report(report.read_text().splitlines())


def parse_report(lines: Iterable[str]) -> list[Row]:
    """Read perf_analyzer's CSV report, the header first; ordered by concurrency.

    Raises:
        AnalyzerError: It is not such a report.
    """
    try:
        found = [
            {
                "concurrency": int(row["Concurrency"]),
                "images_per_s": float(row["Inferences/Second"]),
                "mean_ms": sum(float(row[part]) for part in _LATENCY_PARTS) / 1e3,
                "queue_ms": float(row["Server Queue"]) / 1e3,
                "compute_ms": float(row["Server Compute Infer"]) / 1e3,
                **{
                    f"p{rank}_ms": float(row[f"p{rank} latency"]) / 1e3 for rank in (50, 90, 95, 99)
                },
            }
            for row in csv.DictReader(lines)
        ]
    except (KeyError, TypeError, ValueError) as exc:
        raise AnalyzerError(f"perf_analyzer's report cannot be read: {exc!r}") from exc
    if not found:
        raise AnalyzerError("perf_analyzer's report is empty")
    return sorted(found, key=lambda row: row["concurrency"])


def add_arguments(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    triton = environ.get("PACKSHOT_TRITON", "127.0.0.1:8001")
    triton_dir = Path(environ.get("PACKSHOT_TRITON_DIR", ".triton"))
    for flag, default, text in (
        ("--model", "matte", "the model"),
        ("--triton", triton, "gRPC address of Triton, HOST:PORT"),
        ("--triton-dir", triton_dir, "folder that perf_analyzer is installed into"),
        ("--concurrency", "1:4", "START:END:STEP requests in flight"),
        ("--batch-size", 1, "photos in a request"),
        ("--requests", 50, "requests in a measuring window"),
        ("--stability-percent", 10, "how far three successive windows may differ"),
    ):
        parser.add_argument(
            flag, default=default, type=type(default), help=f"{text} (default: %(default)s)"
        )


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Measure as the flags say and print the table."""
    names = ("model", "concurrency", "batch_size", "requests", "stability_percent")
    load = Load(arguments.triton, **{name: getattr(arguments, name) for name in names})
    print(as_table(measure(load, arguments.triton_dir, environ)))


@contextmanager
def _analyzer(
    triton_dir: Path, environ: Mapping[str, str]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the binary and the environment that it runs in."""
    installed = shutil.which("perf_analyzer", path=environ.get("PATH", os.defpath))
    if installed:
        yield installed, environ
        return
    binary = ensure_wheel(_WHEEL, triton_dir.resolve(), _WHEEL_MB) / "bin/perf_analyzer"
    libraries = libraries_of(ensure_wheel(EMBEDDED, triton_dir.resolve(), EMBEDDED_MB))
    with tempfile.TemporaryDirectory() as links:
        for name, pattern in _LIBRARIES.items():
            found = sorted(libraries.glob(pattern))
            if not found:
                raise AnalyzerError(f"{libraries} has no {pattern}, which perf_analyzer needs")
            (Path(links) / name).symlink_to(found[0])
        path = prepend_path(environ, "LD_LIBRARY_PATH", Path(links))
        yield str(binary), {**environ, "LD_LIBRARY_PATH": path}
