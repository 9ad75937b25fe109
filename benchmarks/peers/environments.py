"""A virtual environment for each peer, so that its pins and ours do not conflict.

An environment is made once, from `requirements-NAME.txt`, and made anew when that file changes.
"""

import fcntl
import hashlib
import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.errors import PeerError

log = logging.getLogger(__name__)

_REQUIREMENTS = Path(__file__).parent
_MARKER = "requirements.sha256"
# rembg brings 800 MB of wheels, which a slow line takes minutes for.
_INSTALL_TIMEOUT_S = 1800
_TAIL_LINES = 5


def requirements_of(name: str) -> Path:
    """Return the file with a peer's pins."""
    return _REQUIREMENTS / f"requirements-{name}.txt"


def pins_of(name: str) -> str:
    """Return a peer's pins, and those of what its speed depends on, in one line."""
    lines = requirements_of(name).read_text().splitlines()
    return ", ".join(line for line in lines if not line.startswith("#"))


def is_installed(name: str, folder: Path) -> bool:
    """Return whether a peer's environment is complete, and made from the pins as they are now."""
    try:
        return (folder / name / _MARKER).read_text() == _digest(name)
    except OSError:
        return False


def ensure_environment(name: str, folder: Path) -> Path:
    """Make a peer's environment unless it is there.

    Several processes may ask at once: one installs, the others wait.

    Returns:
        The folder of its programs.

    Raises:
        PeerError: It could not be made; the message has pip's last lines.
    """
    target = folder.resolve() / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with (target.parent / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_installed(name, folder):
                _install(name, target)
    except OSError as exc:
        raise PeerError(f"{name} cannot be installed into {target}: {exc}") from exc
    return target / "bin"


def _install(name: str, target: Path) -> None:
    log.info("installing %s into %s (once; minutes)", name, target)
    start_s = time.monotonic()
    # What an attempt that broke off has left is no environment.
    shutil.rmtree(target, ignore_errors=True)
    _run(name, [sys.executable, "-m", "venv", "--without-pip", str(target)])
    _run(
        name,
        [
            *(sys.executable, "-m", "pip", "--python", str(target / "bin/python"), "install"),
            *("--quiet", "--no-input", "--disable-pip-version-check"),
            *("--requirement", str(requirements_of(name))),
        ],
    )
    (target / _MARKER).write_text(_digest(name))
    log.info("installed %s in %.0f s", name, time.monotonic() - start_s)


def _run(name: str, command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as exc:
        raise PeerError(f"installing {name} took longer than {_INSTALL_TIMEOUT_S} s") from exc
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_TAIL_LINES:])
        raise PeerError(f"{name} cannot be installed: {said}")


def _digest(name: str) -> str:
    return hashlib.sha256(requirements_of(name).read_bytes()).hexdigest()
