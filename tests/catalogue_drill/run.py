"""A job as a process of its own, killed at moments that its own progress decides."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_POLL_S = 0.1
# The status of a job that had to stop and goes on when it is run again.
_STOPPED = 3
# How long what a killed driver has begun may go on.
_ORPHANS_S = 60.0
# Processes of Ray that watch over a node, and that outlive its killed raylet.
_AGENTS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent", "dashboard/agent.py", "runtime_env/agent")


@dataclass(frozen=True, slots=True)
class Kill:
    """What is killed, and when.

    Attributes:
        share: The share of the packshots that is there at the moment.
        name: "driver", "worker", or a name for what `by` kills.
        by: Kills it; None for a driver or a worker.
    """

    share: float
    name: str
    by: Callable[[], None] | None = None


@dataclass(slots=True)
class JobRun:
    """What came of a job that was run to its end.

    Attributes:
        seconds: From its first start to its end.
        starts: How often the command was started.
        kills: What was killed.
        log: All that it said.
        status: The last exit status.
    """

    seconds: float = 0.0
    starts: int = 0
    kills: list[str] = field(default_factory=list)
    log: str = ""
    status: int = 0


class JobProcess:
    """`python -m catalogue run`, once.

    Args:
        arguments: Of the command.
        log: Where its output is appended.
        environ: Beside this process's own.
    """

    def __init__(self, arguments: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "catalogue", "run", *arguments],
                # Ray gives its workers niceness 15, by which other work would starve them.
                env={"RAY_worker_niceness": "0", **os.environ, **environ},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def status(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.poll()

    def kill_driver(self) -> bool:
        """Kill the driver alone, and wait for what it has begun to end by itself."""
        orphans = self._below()
        names = {child: " ".join(child.cmdline()) for child in orphans}
        self._process.kill()
        self._process.wait()
        _, left = psutil.wait_procs(
            [child for child in orphans if not any(agent in names[child] for agent in _AGENTS)],
            _ORPHANS_S,
        )
        _kill_all(orphans)
        assert not left, f"a killed driver leaves {left} behind"
        return True

    def kill_worker(self) -> bool:
        """Kill an actor that renders; false if there is none now."""
        for child in self._below():
            with suppress(psutil.NoSuchProcess):
                # Ray names the process after its class.
                if child.cmdline()[:1] and "MapWorker" in child.cmdline()[0]:
                    child.kill()
                    return True
        return False

    def end(self) -> None:
        """End the job and what it has begun."""
        below = self._below()
        if self.status is None:
            self._process.kill()
        self._process.wait()
        _kill_all(below)

    def _below(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self._process.pid).children(recursive=True)
        return []


def _kill_all(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def run_to_the_end(
    arguments: Sequence[str],
    log: Path,
    environ: Mapping[str, str],
    done: Callable[[], float],
    kills: Sequence[Kill] = (),
    timeout_s: float = 1800.0,
) -> JobRun:
    """Run a job until it ends by itself, again after each kill of its driver.

    Args:
        arguments: Of the command.
        log: Where its output goes.
        environ: Beside this process's own.
        done: Tells the share of the packshots that there is.
        kills: What is killed.
        timeout_s: For all of it.

    Raises:
        AssertionError: It does not end in time, or before everything was killed.
    """
    run = JobRun()
    waiting = sorted(kills, key=lambda kill: kill.share)
    start_s = time.monotonic()
    over = False
    while not over:
        run.starts += 1
        job = JobProcess(arguments, log, environ)
        over = True
        try:
            while job.status is None and over:
                assert time.monotonic() - start_s < timeout_s, "the job does not end"
                if waiting and done() >= waiting[0].share and _apply(job, waiting[0]):
                    over = waiting[0].name != "driver"
                    run.kills.append(waiting.pop(0).name)
                time.sleep(_POLL_S)
            run.status = job.status or 0
            # A busy machine may exceed the time that Ray gives its own start.
            over = over and run.status != _STOPPED
        finally:
            job.end()
    run.log = log.read_text(errors="replace")
    run.seconds = time.monotonic() - start_s
    assert not waiting, f"the job ended before {waiting[0].name} was killed:\n{run.log}"
    return run


def _apply(job: JobProcess, kill: Kill) -> bool:
    """Kill what is named; false if it is not there now."""
    if kill.by:
        kill.by()
        return True
    return job.kill_driver() if kill.name == "driver" else job.kill_worker()


def count_files(folder: Path) -> int:
    """Count the packshots of a folder."""
    return sum(1 for path in folder.rglob("*.jpg") if not path.name.startswith((".", "sheet")))
