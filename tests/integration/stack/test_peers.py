"""`python -m benchmarks peers` measures real servers, and leaves none of them behind."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from benchmarks.peers.contenders import PEERS
from benchmarks.peers.environments import is_installed
from benchmarks.record import Record, read_record
from tests.integration.processes import ROOT

ENVIRONMENTS = ROOT / ".peers"


# What the command starts inherits it, however it is orphaned.
MARK = "PACKSHOT_TEST_MARK"


def marked(folder: Path) -> list[str]:
    """Name the processes that a command with this folder has left."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == str(folder):
                found.append(process.name())
    return found


def compare(only: str, folder: Path) -> Record:
    """Run the command, and return its record."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "peers", "--quick", "--only", only),
            *("--model", "matte-int8", "--environments", str(ENVIRONMENTS), "--out", str(folder)),
        ],
        cwd=ROOT,
        env={**os.environ, MARK: str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert run.returncode == 0, run.stderr
    assert "images_per_s" in run.stdout
    assert not marked(folder)
    return read_record(folder / "peers.json")


def test_packshot_and_triton_bare_are_measured_side_by_side(tmp_path: Path) -> None:
    record = compare("triton", tmp_path)
    rows = {row["peer"]: row for row in record.rows}
    assert rows.keys() == {"packshot", "triton"}
    for row in rows.values():
        assert row["images_per_s"] > 0
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert row["memory_bytes"] > 50e6
        assert row["cpu_s_per_image"] > 0
        assert row["model"] == "matte-int8"
    assert rows["packshot"]["ratio_to_packshot"] == 1
    assert 0 < rows["packshot"]["stage_refine_ms"] < rows["packshot"]["stage_total_ms"]
    # Bare of all that is done to a picture it cannot be the dearer one.
    assert rows["triton"]["cpu_s_per_image"] < rows["packshot"]["cpu_s_per_image"]
    assert rows["triton"]["memory_bytes"] < rows["packshot"]["memory_bytes"]


@pytest.mark.peers
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_is_measured_where_it_is_installed(peer: str, tmp_path: Path) -> None:
    if not is_installed(peer, ENVIRONMENTS):
        pytest.skip(f"{peer} is not installed: python -m benchmarks peers --only {peer}")
    if peer == "rembg":
        pytest.importorskip("torch", reason="the stand-in for U²-NetP needs it")
    record = compare(peer, tmp_path)
    (row,) = (row for row in record.rows if row["peer"] == peer)
    assert row["images_per_s"] > 0
    assert row["ratio_to_packshot"] > 0
