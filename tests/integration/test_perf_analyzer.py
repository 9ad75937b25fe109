"""NVIDIA's load generator drives the shipped model on the real Triton."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.perf_analyzer import Load, measure
from serving.errors import AnalyzerError
from tests.integration.processes import ROOT, Triton

pytestmark = pytest.mark.integration

TRITON_DIR = Path(os.environ.get("PACKSHOT_TRITON_DIR", ROOT / ".triton"))


def test_perf_analyzer_drives_the_shipped_model(triton: Triton) -> None:
    inferences, _ = triton.statistics("matte")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "perf-analyzer", "--model", "matte"),
            *("--triton", triton.grpc_address, "--triton-dir", str(TRITON_DIR)),
            # So few requests are no measurement; what counts is that they arrive.
            *("--concurrency", "2", "--requests", "4", "--stability-percent", "999"),
        ],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    header, row = done.stdout.splitlines()
    figures = dict(zip(header.split(), map(float, row.split()), strict=True))
    assert figures["concurrency"] == 2
    assert figures["images_per_s"] > 0
    assert 0 < figures["compute_ms"] <= figures["mean_ms"]
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert triton.statistics("matte")[0] - inferences >= 4


def test_a_model_that_is_not_there_is_an_error(triton: Triton) -> None:
    load = Load(address=triton.grpc_address, model="absent", requests=1)
    with pytest.raises(AnalyzerError, match="absent"):
        measure(load, TRITON_DIR, os.environ)
