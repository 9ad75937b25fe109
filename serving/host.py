"""Whether the embedded Triton runs on this machine, and what to run where it does not."""

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from serving.errors import PlatformError

CONTAINER_IMAGE = "nvcr.io/nvidia/tritonserver:24.10-py3"
GLIBC_AT_LEAST = (2, 35)
PYTHON_FROM, PYTHON_TO = (3, 11), (3, 13)


@dataclass(frozen=True, slots=True)
class Host:
    """The machine.

    Attributes:
        system: `sys.platform`.
        machine: The processor's architecture.
        glibc: The C library's version; `None`: another C library.
        python: Major and minor version.
    """

    system: str
    machine: str
    glibc: tuple[int, int] | None
    python: tuple[int, int]

    @classmethod
    def this(cls) -> Self:
        """Describe the machine that this runs on."""
        return cls(sys.platform, platform.machine(), _glibc(), sys.version_info[:2])


def check_host(host: Host, model_repository: Path, models: tuple[str, ...]) -> None:
    """Refuse a machine that the embedded Triton does not run on.

    Args:
        host: The machine.
        model_repository: For the container's command line.
        models: For the container's command line.

    Raises:
        PlatformError: With the reason and the container's command line.
    """
    reason = ""
    if host.system != "linux" or host.machine != "x86_64":
        reason = f"it is built for Linux on x86-64, this is {host.system} on {host.machine}"
    elif host.glibc is None or host.glibc < GLIBC_AT_LEAST:
        found = "another C library" if host.glibc is None else "glibc {}.{}".format(*host.glibc)
        reason = "it needs glibc {}.{} or newer, this machine has ".format(*GLIBC_AT_LEAST) + found
    elif not PYTHON_FROM <= host.python <= PYTHON_TO:
        reason = "it runs with Python {}.{} to {}.{}, this is {}.{}".format(
            *PYTHON_FROM, *PYTHON_TO, *host.python
        )
    if reason:
        raise PlatformError(
            f"the embedded Triton cannot run here: {reason}. Triton's container can:\n"
            f"  {container_command(model_repository, models)}"
        )


def container_command(model_repository: Path, models: tuple[str, ...]) -> str:
    """Write the command line that serves a model repository in NVIDIA's container."""
    loads = " ".join(f"--load-model={model}" for model in models or ("*",))
    return (
        "docker run --rm --shm-size=1g -p 127.0.0.1:8000-8002:8000-8002 "
        f"-v {model_repository.resolve()}:/models:ro {CONTAINER_IMAGE} tritonserver "
        f"--model-repository=/models --model-control-mode=explicit {loads}"
    )


def has_nvidia_gpu(devices: Path = Path("/dev")) -> bool:
    """Tell whether the driver shows a GPU."""
    return any(devices.glob("nvidia[0-9]*"))


def prepend_path(environ: Mapping[str, str], variable: str, *folders: Path) -> str:
    """Return a search path with folders put in front of what the environment has."""
    return os.pathsep.join([*map(str, folders), *filter(None, [environ.get(variable)])])


def _glibc() -> tuple[int, int] | None:
    try:
        name, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
    except (ValueError, OSError):
        return None
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) if name == "glibc" else None
