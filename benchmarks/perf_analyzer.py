"""NVIDIA's own load generator against one model of Triton, past the gateway.

It measures what the inference server alone can do, by a tool that nobody here wrote. An installed
`perf_analyzer` is used if there is one (NVIDIA's SDK container has it); otherwise the binary that
the wheel `tritonclient==2.41.1` carries, installed apart. That one wants two libraries by names
which the embedded Triton's wheel has them under others.
"""

import argparse
import csv
import logging
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from serving.errors import AnalyzerError
from serving.host import prepend_path
from serving.runtime import EMBEDDED, EMBEDDED_MB, libraries_of
from serving.wheels import ensure_wheel

log = logging.getLogger(__name__)

_WHEEL = "tritonclient==2.41.1"
_WHEEL_MB = 13
_LIBRARIES = {"libb64.so.0d": "libb64-*.so.0d", "libcudart.so.12": "libcudart-*.so.12*"}
# The parts that an average latency consists of, as the report names them.
_LATENCY_PARTS = (
    "Client Send",
    "Network+Server Send/Recv",
    "Server Queue",
    "Server Compute Input",
    "Server Compute Infer",
    "Server Compute Output",
    "Client Recv",
)
_UNSTABLE = 2


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask of the server."""

    address: str  # triton's gRPC address, `HOST:PORT`
    model: str  # the model
    concurrency: str = "1"  # requests in flight, `START:END:STEP`, the later parts optional
    batch_size: int = 1  # photos in a request
    requests: int = 50  # least number of requests in a measuring window
    stability_percent: int = 10  # how far three successive windows may differ
    # Whether photos and mattes go by the system's shared memory, not by gRPC
    shared_memory: bool = False
    gpu_memory: bool = False  # whether they go by memory of the GPU that both processes map
    timeout_s: float | None = None  # when to give up; None: never


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came of one concurrency; latencies are a request's, in microseconds."""

    concurrency: int  # requests in flight
    throughput_per_s: float  # photos per second
    latency_us: float  # average
    queue_us: float  # average part of it that was spent in Triton's queue
    compute_us: float  # average part of it that was spent in the backend's pass
    p50_us: float  # median
    p90_us: float  # 90th percentile
    p95_us: float  # 95th percentile
    p99_us: float  # 99th percentile


def measure(load: Load, triton_dir: Path, environ: Mapping[str, str]) -> list[Measurement]:
    """Run perf_analyzer.

    Args:
        load: What to ask of the server.
        triton_dir: Where wheels are installed.
        environ: The process's environment.

    Returns:
        One measurement for each concurrency, in ascending order.

    Raises:
        ServingError: It could not be installed, failed, or found no stable measurement.
    """
    with tempfile.TemporaryDirectory() as scratch, _analyzer(triton_dir, environ) as analyzer:
        binary, with_libraries = analyzer
        report = Path(scratch) / "report.csv"
        try:
            done = subprocess.run(
                [binary, *_arguments(load), "-f", str(report)],
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


def parse_report(lines: Iterable[str]) -> list[Measurement]:
    """Read perf_analyzer's CSV report.

    Args:
        lines: Its lines, the header first.

    Returns:
        One measurement for each row, by concurrency.

    Raises:
        AnalyzerError: It is not such a report.
    """
    try:
        found = [
            Measurement(
                concurrency=int(row["Concurrency"]),
                throughput_per_s=float(row["Inferences/Second"]),
                latency_us=sum(float(row[part]) for part in _LATENCY_PARTS),
                queue_us=float(row["Server Queue"]),
                compute_us=float(row["Server Compute Infer"]),
                p50_us=float(row["p50 latency"]),
                p90_us=float(row["p90 latency"]),
                p95_us=float(row["p95 latency"]),
                p99_us=float(row["p99 latency"]),
            )
            for row in csv.DictReader(lines)
        ]
    except (KeyError, TypeError, ValueError) as exc:
        raise AnalyzerError(f"perf_analyzer's report cannot be read: {exc!r}") from exc
    if not found:
        raise AnalyzerError("perf_analyzer's report is empty")
    return sorted(found, key=lambda measurement: measurement.concurrency)


def as_table(measurements: Iterable[Measurement]) -> str:
    """Print measurements as a table; latencies in milliseconds."""
    columns = ("concurrency", "photos/s", "latency", "queue", "compute", "p50", "p90", "p95", "p99")
    rows = [
        (
            str(m.concurrency),
            f"{m.throughput_per_s:.1f}",
            *(
                f"{us / 1000:.1f}"
                for us in (m.latency_us, m.queue_us, m.compute_us, m.p50_us, m.p90_us, m.p95_us)
            ),
            f"{m.p99_us / 1000:.1f}",
        )
        for m in measurements
    ]
    return "\n".join(
        "  ".join(cell.rjust(max(8, len(name))) for cell, name in zip(row, columns, strict=True))
        for row in (columns, *rows)
    )


def add_arguments(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """Declare the command's flags."""
    parser.add_argument("--model", default="matte", help="the model (default: %(default)s)")
    parser.add_argument(
        "--triton",
        default=environ.get("PACKSHOT_TRITON", "127.0.0.1:8001"),
        help="gRPC address of Triton, HOST:PORT (default: %(default)s)",
    )
    parser.add_argument(
        "--triton-dir",
        type=Path,
        default=Path(environ.get("PACKSHOT_TRITON_DIR", ".triton")),
        help="folder that perf_analyzer is installed into (default: %(default)s)",
    )
    parser.add_argument(
        "--concurrency", default="1:4", help="START:END:STEP requests in flight (%(default)s)"
    )
    parser.add_argument(
        "--batch-size", type=int, default=1, help="photos in a request (%(default)s)"
    )
    parser.add_argument(
        "--requests", type=int, default=50, help="requests in a measuring window (%(default)s)"
    )
    parser.add_argument(
        "--stability-percent",
        type=int,
        default=10,
        help="how far three successive windows may differ (%(default)s)",
    )


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Measure as the flags say and print the table."""
    load = Load(
        address=arguments.triton,
        model=arguments.model,
        concurrency=arguments.concurrency,
        batch_size=arguments.batch_size,
        requests=arguments.requests,
        stability_percent=arguments.stability_percent,
    )
    print(as_table(measure(load, arguments.triton_dir, environ)))
    print("latencies in ms")


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


def _arguments(load: Load) -> list[str]:
    return [
        *("-i", "grpc", "-u", load.address, "-m", load.model, "-b", str(load.batch_size)),
        *("--concurrency-range", load.concurrency),
        *("--measurement-mode", "count_windows"),
        *("--measurement-request-count", str(load.requests)),
        *("--stability-percentage", str(load.stability_percent)),
        *(("--shared-memory", "system") if load.shared_memory else ()),
        *(("--shared-memory", "cuda") if load.gpu_memory else ()),
    ]
