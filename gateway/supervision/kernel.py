"""What the kernel does for processes whose parent may be killed; Linux only (prctl(2))."""

import ctypes
import os
import signal
from collections.abc import Collection
from contextlib import suppress
from typing import Final

_SET_PARENT_DEATH_SIGNAL: Final = 1
_SET_CHILD_SUBREAPER: Final = 36


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends, be it by SIGKILL; now, if it has ended."""
    _prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Have this process be the parent of its children's children that lose theirs."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def bury_orphans(known: Collection[int]) -> None:
    """Wait for adopted children that have ended, so that nothing of them stays.

    Args:
        known: Ids of those children that somebody else waits for.
    """
    with suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in known:
                return  # the next time
            os.waitpid(ended.si_pid, 0)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")
