"""One phase of load: runs a generator process and samples the servers' use meanwhile."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile

import psutil

from benchmarks.errors import BenchmarkError
from benchmarks.load.generator import Plan, Sent
from processes.tree import family

# Reading every process's memory map takes milliseconds; more often would be felt.
_LOOK_S = 0.5
# Imports and the connection, on a machine whose cores are all busy.
_START_S = 60.0
# A server that has not given the least of answers in this time hangs.
_LEAST_ANSWERS_S = 120.0


@dataclass(frozen=True, slots=True)
class Phase:
    """What was planned, what came of it, and what the servers took for it."""

    plan: Plan  # the plan
    sent: Sent  # every request
    cpu_s: float | None  # processor time of the servers; None: they are not known
    memory_bytes: int | None  # their memory at its highest; None: they are not known


def carry_out(plan: Plan, servers: Sequence[int]) -> Phase:
    """Send as planned.

    Args:
        plan: The plan.
        servers: Process ids of the servers, whose children count as well; none: not known.

    Raises:
        BenchmarkError: The generator failed.
    """
    before_s, highest_bytes = _used(servers)
    give_up_s = plan.duration_s + plan.timeout_s + _START_S
    give_up_s += _LEAST_ANSWERS_S if plan.least_answers else 0
    with ExitStack() as held:
        # A file takes any amount; a pipe that nobody empties would block the generator.
        asked, answer, complaints = (held.enter_context(TemporaryFile("w+")) for _ in range(3))
        asked.write(plan.to_json())
        asked.seek(0)
        command = [sys.executable, "-m", "benchmarks.load.generator"]
        process = subprocess.Popen(command, stdin=asked, stdout=answer, stderr=complaints)
        held.enter_context(process)
        held.callback(process.kill)
        start_s = time.monotonic()
        while process.poll() is None:
            time.sleep(_LOOK_S)
            highest_bytes = max(highest_bytes, _used(servers)[1])
            if time.monotonic() - start_s > give_up_s:
                raise BenchmarkError(f"the generator did not end within {give_up_s:g} s")
        answer.seek(0)
        complaints.seek(0)
        if process.returncode:
            said = "".join(complaints.readlines()[-5:])
            raise BenchmarkError(f"the generator ended with status {process.returncode}: {said}")
        sent = Sent.from_json(answer.read())
    if not servers:
        return Phase(plan, sent, None, None)
    return Phase(plan, sent, _used(servers)[0] - before_s, highest_bytes)


def _used(servers: Sequence[int]) -> tuple[float, int]:
    """Return the processor time of processes and all below them, s, and their memory, bytes.

    The time has that of children that have ended; of memory that is shared, each has its share.
    """
    cpu_s, memory_bytes = 0.0, 0
    for process in family(servers):
        # Processes come and go while they are being looked at.
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            cpu_s += times.user + times.system + times.children_user + times.children_system
            memory_bytes += process.memory_full_info().pss
    return cpu_s, memory_bytes
