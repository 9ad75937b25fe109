"""What the embedded Triton's Python stub needs of the Python environment that starts it.

The stub embeds an interpreter in isolated mode: `PYTHONPATH` and `PYTHONHOME` do not reach it. It
finds its standard library and packages as a `python3` started from `PATH` would, virtual
environments included, and its `libpython` through the loader.
"""

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from serving.errors import InterpreterError

_REPORT = """
import importlib.util, sys
print(*sys.version_info[:2], sep=".")
print(*(name for name in ("numpy", "onnxruntime") if not importlib.util.find_spec(name)))
"""


@dataclass(frozen=True, slots=True)
class StubInterpreter:
    """The Python that a stub runs.

    Attributes:
        version: `MAJOR.MINOR`.
        library_dir: The folder of the shared libpython.
        executable_dir: The folder of the `python3` to be found first on `PATH`.
    """

    version: str
    library_dir: Path
    executable_dir: Path


def find_interpreter() -> StubInterpreter:
    """Find what a stub needs of the running Python.

    Returns:
        Where it is.

    Raises:
        InterpreterError: Something is missing; the message names it and what brings it.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    executable_dir = Path(sys.executable).parent
    _check_packages(executable_dir / "python3", version)
    return StubInterpreter(version, find_library(version, library_dirs()), executable_dir)


def library_dirs() -> list[Path]:
    """List where a shared libpython may lie: the running Python's own folders come first."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    own = [sysconfig.get_config_var("LIBDIR"), f"{sys.base_prefix}/lib"]
    system = [f"/usr/lib/{multiarch}", "/usr/lib64", "/usr/lib", "/usr/local/lib"]
    return [Path(path) for path in (*own, *system) if path]


def find_library(version: str, folders: list[Path]) -> Path:
    """Find the folder of the shared libpython.

    Args:
        version: `MAJOR.MINOR` of the running Python.
        folders: Where to look, best first.

    Returns:
        The first folder that has it.

    Raises:
        InterpreterError: None has.
    """
    name = f"libpython{version}.so.1.0"
    for folder in folders:
        if (folder / name).is_file():
            return folder
    looked = ", ".join(map(str, dict.fromkeys(folders)))
    raise InterpreterError(
        f"the embedded Triton needs {name} and there is none in {looked}: install the "
        f"distribution's package (Debian, Ubuntu: libpython{version}; Fedora: python{version}-libs)"
        " or a Python that was built with --enable-shared"
    )


def _check_packages(python: Path, version: str) -> None:
    if not os.access(python, os.X_OK):
        raise InterpreterError(
            f"there is no {python}, which the embedded Triton's backend starts from: run serving "
            f"from a virtual environment (python{version} -m venv .venv)"
        )
    # -I is the isolated mode in which the stub will run: it sees what this process sees.
    done = subprocess.run(
        [python, "-I", "-c", _REPORT], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise InterpreterError(f"{python} does not run: {done.stderr.strip()}")
    found, missing = done.stdout.splitlines()
    if found != version:
        raise InterpreterError(
            f"{python} is Python {found}, but serving runs on Python {version}: run serving from "
            f"a virtual environment (python{version} -m venv .venv)"
        )
    if missing:
        raise InterpreterError(
            f"{python} has no {' and no '.join(missing.split())}, which Triton's backend runs on: "
            f"install the group `serving` into this environment "
            f"({python} -m pip install {missing})"
        )
