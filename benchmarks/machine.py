"""The machine that a benchmark ran on, the versions of what was measured, the commit."""

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

_ROOT = Path(__file__).resolve().parents[1]
# What speed depends on, here or at the peers; one that is not installed is left out.
_PACKAGES = (
    *("numba", "numpy", "onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino"),
    *("opencv-python-headless", "pillow", "grpcio", "tritonclient", "torch", "torchvision"),
    "packshot",
)
# Asking a driver that sleeps takes seconds; git on a cold disk does as well.
_ANSWER_TIMEOUT_S = 20


@cache
def describe_machine() -> dict[str, Any]:
    """Return what this machine is.

    Returns:
        `cpu` (the model), `cores` (those this process may use), `memory_bytes`, `gpu` (its name,
        None without one) and `os`.
    """
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "gpu": _gpu(),
        "os": f"{platform.system()} {platform.release()}",
    }


def list_versions() -> dict[str, str]:
    """List the versions of Python, of Triton and of the packages that are measured."""
    versions = {"python": platform.python_version(), "triton": _triton()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


@cache
def find_commit() -> tuple[str, bool]:
    """Return the repository's commit, empty outside of one, and whether files differ from it."""
    git = ("git", "-C", str(_ROOT))
    return ask([*git, "rev-parse", "HEAD"]), bool(ask([*git, "status", "--porcelain"]))


def _triton() -> str:
    installed = shutil.which("tritonserver")
    if installed:
        return f"installed, {installed}"
    try:
        from serving.runtime import EMBEDDED  # noqa: PLC0415  a hired machine may lack its packages
    except ImportError:
        return "none"
    return f"embedded, of {EMBEDDED}"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _gpu() -> str | None:
    found = ask(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    return found.splitlines()[0] if found else None


def ask(command: Sequence[str]) -> str:
    """Return what a program says; nothing where it is missing or fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_ANSWER_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
