"""Processes that fill the bank: they read packs once, then render new objects until they are ended.

They are forked before the device is touched and never touch it. What one of them cannot make is
left out and counted.
"""

import logging
import multiprocessing as mp
import queue
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import torch

from export.errors import PicturesError
from export.training.gpu.making import (
    RENDERED,
    Made,
    is_held_out,
    make_from_pack,
    render,
)
from export.training.gpu.packs import SUFFIX, read_pack

A_JOB: Final = 16  # pictures of a pack that a worker makes at once
RENDERED_AT_ONCE: Final = 6
HELD_OUT_EACH: Final = 12  # rendered objects of each kind to judge by
WAIT_S: Final = 0.05
LOOK_S: Final = 5.0  # between looks for a new pack

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Pictures of a pack to make, or kinds to render: ``held`` ones judge."""

    held: bool
    packed: tuple[tuple[str, bytes], ...] = ()
    kind: tuple[str, str] = ("", "")
    seed: tuple[int, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class Done:
    """What came of a job; ``planned``: one of those that a start waits for."""

    held: bool
    made: list[Made]
    failed: int
    planned: bool


@dataclass
class Workers:
    """The processes, what they are to read, and what they have made."""

    folders: list[Path]
    count: int
    seed: int
    at_first: int = 36  # rendered objects of each kind to begin with
    read: set[Path] = field(default_factory=set)
    pending: int = 0
    failed: int = 0
    looked: float = 0.0

    def __post_init__(self) -> None:
        """Start the processes and give them the first jobs."""
        context = mp.get_context("fork")
        self.jobs = context.Queue()
        self.results = context.Queue(maxsize=4 * self.count)
        self.processes = [
            context.Process(
                target=_work, args=(self.jobs, self.results, self.seed, number), daemon=True
            )
            for number in range(self.count)
        ]
        for process in self.processes:
            process.start()
        for kind in RENDERED:
            for held, number in ((False, self.at_first), (True, HELD_OUT_EACH)):
                for start in range(0, number, RENDERED_AT_ONCE):
                    seed = (self.seed, int(held), start)
                    self._give(Job(held, (), kind, seed, RENDERED_AT_ONCE))
        self.look()

    def look(self) -> None:
        """Look for packs that have come, and have them read."""
        self.looked = time.monotonic()
        for folder in self.folders:
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                if path not in self.read:
                    self._read(path)

    def take(self, most: int, *, wait: bool = False) -> list[Done]:
        """Take what is made, at most so many jobs' worth; ``wait`` for the first of them."""
        if time.monotonic() - self.looked > LOOK_S:
            self.look()
        taken: list[Done] = []
        while len(taken) < most:
            try:
                one: Done = self.results.get(timeout=WAIT_S) if wait else self.results.get_nowait()
            except queue.Empty:
                break
            self.pending -= one.planned
            self.failed += one.failed
            taken.append(one)
        return taken

    def alive(self) -> int:
        """Count the processes that still run."""
        return sum(process.is_alive() for process in self.processes)

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.kill()
            process.join()

    def _read(self, path: Path) -> None:
        try:
            packed = sorted(read_pack(path).items())
        except PicturesError as exc:  # still being written: the next look tries again
            logger.warning("%s", exc)
            return
        self.read.add(path)
        # Mixed, so that every kind is there early; alike in every run.
        order = np.random.default_rng(self.seed).permutation(len(packed))
        mixed = [packed[index] for index in order]
        for held in (False, True):
            own = [one for one in mixed if is_held_out(one[0]) is held]
            for start in range(0, len(own), A_JOB):
                self._give(Job(held, tuple(own[start : start + A_JOB])))
        logger.info("%s: %d pictures", path, len(packed))

    def _give(self, job: Job) -> None:
        self.pending += 1
        self.jobs.put(job)


def _work(jobs: "mp.Queue[Job]", results: "mp.Queue[Done]", seed: int, number: int) -> None:
    """Do the jobs that are given; without any, render."""
    torch.set_num_threads(1)
    rng = np.random.default_rng((seed, number, 7))
    kinds, shares = list(RENDERED), np.array(list(RENDERED.values()))
    turn = 0
    while True:
        try:
            job = jobs.get_nowait()
            planned = True
        except queue.Empty:
            turn += 1
            kind = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
            job = Job(False, (), kind, (seed, 2, number, turn), RENDERED_AT_ONCE)  # noqa: FBT003
            planned = False
        results.put(_done(job, planned=planned))


def _done(job: Job, *, planned: bool) -> Done:
    made: list[Made] = []
    failed = 0
    for name, data in job.packed:
        try:
            made += make_from_pack(name, data)
        except Exception:  # one bad picture must not end a run
            logger.exception("%s", name)
            failed += 1
    if job.count:
        try:
            made += render(*job.kind, job.seed, job.count)
        except Exception:
            logger.exception("%s", job.kind)
            failed += 1
    return Done(job.held, made, failed, planned)
