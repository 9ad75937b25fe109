"""The backend's stub processes: one for each instance of a model, children of Triton.

A Triton with native backends has none.
"""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

# Its command line: STUB …/MODEL/VERSION/FILE REGION SIZE GROWTH PARENT LIBRARY HANDLE INSTANCE …
_STUB = "triton_python_backend_stub"
_MODEL_FILE = 1
_INSTANCE = 8


@dataclass(frozen=True, slots=True)
class Stub:
    """A stub process.

    Attributes:
        process: The process; a later one of the same id is not equal to it.
        model: The model that it runs.
    """

    process: psutil.Process
    model: str

    def is_running(self) -> bool:
        """Tell whether it is still there and no zombie."""
        return _runs(self.process)

    def kill(self) -> None:
        """End it at once."""
        with suppress(psutil.NoSuchProcess):
            self.process.kill()


def stubs_of(triton_pid: int, model: str | None = None) -> frozenset[Stub]:
    """List the running stubs of a Triton.

    Args:
        triton_pid: Triton's process id.
        model: The model whose stubs are wanted; `None`: all.

    Returns:
        The stubs; none if there is no such process.
    """
    try:
        children = psutil.Process(triton_pid).children()
    except psutil.NoSuchProcess:
        return frozenset()
    found = (_stub(child) for child in children if _runs(child))
    return frozenset(stub for stub in found if stub and model in (None, stub.model))


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _stub(process: psutil.Process) -> Stub | None:
    try:
        command = process.cmdline()
    except psutil.Error:
        return None
    if not command or Path(command[0]).name != _STUB or len(command) <= _INSTANCE:
        return None
    model = Path(command[_MODEL_FILE]).parents[1].name
    # While a model is loaded, a short-lived stub completes its configuration; it has no number.
    if command[_INSTANCE] == model:
        return None
    return Stub(process, model)
