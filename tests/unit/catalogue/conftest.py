"""A scripted service for workers, and workers that end with their test."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from catalogue.options import merged
from catalogue.orders import Connection
from catalogue.places import Place
from catalogue.worker import Work, Worker
from packshot import RenderOptions
from tests.support.scripted_service import Scripted, serving


class StartWorker(Protocol):
    """Makes a worker."""

    def __call__(self, *targets: str, patience_s: float = 60, silence_s: float = 60) -> Worker: ...


@pytest.fixture
def service() -> Scripted:
    return Scripted()


@pytest.fixture
def target(service: Scripted) -> Iterator[str]:
    with serving(service, healthy=True) as address:
        yield address


@pytest.fixture
def output(tmp_path: Path) -> Place:
    return Place(str(tmp_path / "out"))


@pytest.fixture
def start_worker(output: Place) -> Iterator[StartWorker]:
    started: list[Worker] = []

    def start(*targets: str, patience_s: float = 60, silence_s: float = 60) -> Worker:
        connection = Connection(targets, {}, 4, patience_s, silence_s)
        options = merged(RenderOptions(priority="bulk"), RenderOptions())
        started.append(Worker(Work(connection, options, output, "job", "run")))
        return started[-1]

    yield start
    while started:
        started.pop().close()
    # What a worker left open is told here, and not to the test in which the collector runs next.
    gc.collect()
