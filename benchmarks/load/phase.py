"""One phase of load: runs a generator process and samples the servers' use meanwhile."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.errors import LoadError
from benchmarks.load.generator import Plan, Sent
from benchmarks.load.usage import Usage

_LOOK_S = 0.5
# Imports and the connection, on a machine whose cores are all busy.
_START_S = 60.0


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
        LoadError: The generator failed.
    """
    before = Usage.of(servers)
    highest_bytes = before.memory_bytes
    give_up_s = plan.duration_s + plan.timeout_s + _START_S
    # A file takes any amount; a pipe that nobody empties would block the generator.
    with tempfile.TemporaryFile("w+") as answer, tempfile.TemporaryFile("w+") as complaints:
        with subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load.generator"],
            stdin=subprocess.PIPE,
            stdout=answer,
            stderr=complaints,
            text=True,
        ) as process:
            try:
                process.stdin.write(plan.to_json())  # type: ignore[union-attr]  # it is a pipe
                process.stdin.close()  # type: ignore[union-attr]
                start_s = time.monotonic()
                while process.poll() is None:
                    time.sleep(_LOOK_S)
                    highest_bytes = max(highest_bytes, Usage.of(servers).memory_bytes)
                    if time.monotonic() - start_s > give_up_s:
                        raise LoadError(f"the generator did not end within {give_up_s:g} s")
            finally:
                process.kill()
        answer.seek(0)
        complaints.seek(0)
        if process.returncode:
            said = "".join(complaints.readlines()[-5:])
            raise LoadError(f"the generator ended with status {process.returncode}: {said}")
        sent = Sent.from_json(answer.read())
    if not servers:
        return Phase(plan, sent, None, None)
    return Phase(plan, sent, Usage.of(servers).cpu_s - before.cpu_s, highest_bytes)
