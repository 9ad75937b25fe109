"""The backend's stub processes: one for each instance of a model, children of Triton.

Linux's /proc tells which there are. A Triton with native backends has none.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Its command line: STUB …/MODEL/VERSION/FILE REGION SIZE GROWTH PARENT LIBRARY HANDLE INSTANCE …
_STUB = "triton_python_backend_stub"
_MODEL_FILE = 1
_INSTANCE = 8


@dataclass(frozen=True, slots=True)
class Stub:
    """A stub process.

    Attributes:
        pid: Its process id.
        started_ticks: When it started; tells it from a later process of the same id.
        model: The model that it runs.
    """

    pid: int
    started_ticks: int
    model: str

    def is_running(self) -> bool:
        """Tell whether it is still there and no zombie."""
        stat = _stat(self.pid)
        if stat is None or stat.started_ticks != self.started_ticks:
            return False
        return stat.state not in "ZX"

    def kill(self) -> None:
        """End it at once."""
        if self.is_running():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def stubs_of(triton_pid: int, model: str | None = None) -> frozenset[Stub]:
    """List the running stubs of a Triton.

    Args:
        triton_pid: Triton's process id.
        model: The model whose stubs are wanted; `None`: all.

    Returns:
        The stubs.
    """
    found = (_stub(stat) for stat in _children(triton_pid))
    return frozenset(stub for stub in found if stub and model in (None, stub.model))


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    state: str
    parent_pid: int
    started_ticks: int


def _children(pid: int) -> Iterator[_Stat]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            stat = _stat(int(entry.name))
            if stat and stat.parent_pid == pid and stat.state not in "ZX":
                yield stat


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field, the name in parentheses, may hold spaces; the rest follows its last ")".
    fields = text.rpartition(")")[2].split()
    return _Stat(pid, state=fields[0], parent_pid=int(fields[1]), started_ticks=int(fields[19]))


def _stub(stat: _Stat) -> Stub | None:
    try:
        command = Path(f"/proc/{stat.pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return None
    if Path(command[0]).name != _STUB or len(command) <= _INSTANCE:
        return None
    model = Path(command[_MODEL_FILE]).parents[1].name
    # While a model is loaded, a short-lived stub completes its configuration; it has no number.
    if command[_INSTANCE] == model:
        return None
    return Stub(stat.pid, stat.started_ticks, model)
