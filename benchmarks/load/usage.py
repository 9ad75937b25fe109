"""Processor time and memory of servers under load, children included."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """What a set of processes has used."""

    cpu_s: float  # processor time since they began, ended children's included
    memory_bytes: int  # proportional set size: what is shared counts once

    @classmethod
    def of(cls, roots: Sequence[int]) -> "Usage":
        """Add up processes and all below them."""
        cpu_s, memory_bytes = 0.0, 0
        for process in process_tree(roots):
            # Processes come and go while they are being looked at.
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                cpu_s += times.user + times.system + times.children_user + times.children_system
                memory_bytes += process.memory_full_info().pss
        return cls(cpu_s, memory_bytes)


def process_tree(roots: Sequence[int]) -> list[psutil.Process]:
    """List processes and all below them, parents first.

    Raises:
        NoSuchProcess: A root has ended.
    """
    found: dict[psutil.Process, None] = {}
    for root in roots:
        process = psutil.Process(root)
        found |= dict.fromkeys([process, *process.children(recursive=True)])
    return list(found)
