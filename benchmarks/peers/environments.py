"""A virtual environment for each peer, so that its pins and ours do not conflict.

An environment is made once, from `requirements-NAME.txt`, and made anew when that file changes.
"""

import logging
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.errors import BenchmarkError

log = logging.getLogger(__name__)

_REQUIREMENTS = Path(__file__).parent
_MADE_FROM = "requirements.txt"
# rembg brings 800 MB of wheels, which a slow line takes minutes for.
_INSTALL_TIMEOUT_S = 1800
_TAIL_LINES = 5


def pins_of(name: str) -> str:
    """Return a peer's pins, and those of what its speed depends on, in one line."""
    lines = _requirements(name).read_text().splitlines()
    return ", ".join(line for line in lines if not line.startswith("#"))


def is_installed(name: str, folder: Path) -> bool:
    """Return whether a peer's environment is complete, and made from the pins as they are now."""
    made_from = folder / name / _MADE_FROM
    return made_from.is_file() and made_from.read_bytes() == _requirements(name).read_bytes()


def ensure_environment(name: str, folder: Path) -> Path:
    """Make a peer's environment unless it is there.

    Returns:
        The folder of its programs.

    Raises:
        BenchmarkError: It could not be made; the message has pip's last lines.
    """
    target = folder.resolve() / name
    if not is_installed(name, folder):
        log.info("installing %s into %s (once; minutes)", name, target)
        # What an attempt that broke off has left is no environment.
        shutil.rmtree(target, ignore_errors=True)
        _run(name, ["venv", "--without-pip", target])
        pip = ("pip", "--python", target / "bin/python", "install", "--quiet", "--no-input")
        _run(name, [*pip, "--disable-pip-version-check", "--requirement", _requirements(name)])
        shutil.copy(_requirements(name), target / _MADE_FROM)
    return target / "bin"


def _requirements(name: str) -> Path:
    return _REQUIREMENTS / f"requirements-{name}.txt"


def _run(name: str, module: list[str | Path]) -> None:
    try:
        done = subprocess.run(
            [sys.executable, "-m", *module],
            check=False,
            capture_output=True,
            text=True,
            timeout=_INSTALL_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as exc:
        raise BenchmarkError(f"installing {name} took longer than {_INSTALL_TIMEOUT_S} s") from exc
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_TAIL_LINES:])
        raise BenchmarkError(f"{name} cannot be installed: {said}")
