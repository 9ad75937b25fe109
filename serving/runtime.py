"""Which Triton is run: an installed one with its native backend, else the embedded one."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from serving.config import ServingConfig
from serving.errors import InstallError
from serving.host import Host, check_host, prepend_path
from serving.interpreter import StubInterpreter, find_interpreter
from serving.wheels import ensure_wheel

log = logging.getLogger(__name__)

# The wheel's binary alone is used: its Python part pins versions of its own.
EMBEDDED = "nvidia-pytriton==0.7.0"
EMBEDDED_MB = 55
_USUAL_BINARY = Path("/opt/tritonserver/bin/tritonserver")
_NATIVE_BACKEND = Path("backends/onnxruntime/libtriton_onnxruntime.so")
_OWN_BACKENDS = Path(__file__).parent / "backends"


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Triton that can be started.

    Attributes:
        binary: The server.
        environ: Its environment.
        backends: The folder of its backends; `None`: where it looks by itself.
        description: For the log.
    """

    binary: Path
    environ: Mapping[str, str]
    backends: Path | None
    description: str


def find_runtime(config: ServingConfig, environ: Mapping[str, str], scratch: Path) -> Runtime:
    """Find Triton, installing the embedded one if there is no other.

    Args:
        config: Serving's settings.
        environ: The process's environment.
        scratch: A folder that lives as long as the server.

    Returns:
        The Triton to start.

    Raises:
        ServingError: There is none, and the embedded one cannot be had or run.
    """
    installed = find_installed(environ.get("PATH", ""), _USUAL_BINARY)
    if installed:
        return Runtime(installed, environ, None, f"installed Triton {installed}")
    check_host(Host.this(), config.model_repository, config.models)
    interpreter = find_interpreter()
    wheel = ensure_wheel(EMBEDDED, config.triton_dir.resolve(), EMBEDDED_MB)
    backends = assemble_backends(wheel, interpreter, scratch / "backends")
    own_python = link_own_python(wheel, interpreter, scratch / "libraries")
    changes = {
        "LD_LIBRARY_PATH": prepend_path(
            environ, "LD_LIBRARY_PATH", own_python, libraries_of(wheel), interpreter.library_dir
        ),
        "PATH": prepend_path(environ, "PATH", interpreter.executable_dir),
    }
    return Runtime(
        wheel / "pytriton/tritonserver/bin/tritonserver",
        {**environ, **changes},
        backends,
        f"embedded Triton of {EMBEDDED}",
    )


def find_installed(search_path: str, usual: Path) -> Path | None:
    """Find a Triton that brings its native onnxruntime backend.

    Args:
        search_path: `PATH`.
        usual: Where NVIDIA's container has it.

    Returns:
        The server's binary, or `None`.
    """
    found = shutil.which("tritonserver", path=search_path)
    for binary in (Path(found) if found else usual, usual):
        if not binary.is_file():
            continue
        if (binary.resolve().parents[1] / _NATIVE_BACKEND).is_file():
            return binary
        log.info("%s has no native onnxruntime backend: not used", binary)
    return None


def libraries_of(wheel: Path) -> Path:
    """Return the folder of the shared libraries that the embedded Triton's wheel brings."""
    return wheel / "nvidia_pytriton.libs"


def link_own_python(wheel: Path, interpreter: StubInterpreter, folder: Path) -> Path:
    """Put the running Python's library in the place of one that the wheel brings.

    The stub for Python 3.13 asks for a libpython by a name of the wheel's own, with other modules
    inside than the distribution's: Debian's standard library does not go with it.

    Args:
        wheel: The folder of the embedded Triton's wheel.
        interpreter: What the stub will run.
        folder: A folder to be made, for the loader to look into before the wheel's.

    Returns:
        The folder; empty where the wheel brings no libpython of this version.
    """
    folder.mkdir()
    minor = interpreter.version.partition(".")[2]
    for brought in libraries_of(wheel).glob(f"libpython3-*.{minor}.so.1.0"):
        own = interpreter.library_dir / f"libpython{interpreter.version}.so.1.0"
        (folder / brought.name).symlink_to(own)
    return folder


def assemble_backends(wheel: Path, interpreter: StubInterpreter, folder: Path) -> Path:
    """Put together the backends that the embedded Triton serves ONNX models with.

    Args:
        wheel: The folder of the embedded Triton's wheel.
        interpreter: What the stub will run.
        folder: The backend directory to be made. Triton refuses links out of it, so files are
            copied (4 MB).

    Returns:
        The folder.

    Raises:
        InstallError: The wheel lacks a file.
    """
    server = wheel / "pytriton/tritonserver"
    stub = server / "python_backend_stubs" / interpreter.version / "triton_python_backend_stub"
    try:
        shutil.copytree(server / "backends/python", folder / "python")
        shutil.copy(stub, folder / "python")
        shutil.copytree(
            _OWN_BACKENDS / "onnxruntime",
            folder / "onnxruntime",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    except OSError as exc:
        raise InstallError(
            f"{wheel} is not complete ({exc}); remove the folder and start again"
        ) from exc
    return folder
