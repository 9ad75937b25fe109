"""Real servers for the integration tests; what they wrote is kept where a test fails."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from tests.integration.processes import ROOT, Triton, launch_triton


class StartTriton(Protocol):
    """Starts a Triton for one test and waits until it is ready."""

    def __call__(
        self,
        repository: Path,
        *,
        models: Sequence[str] = (),
        ports: Sequence[int] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Triton: ...


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    """A Triton that serves the project's model repository, shared by all tests."""
    log_path = tmp_path_factory.mktemp("triton") / "serving.log"
    started = launch_triton(ROOT / "model_repository", log_path)
    with started.process:
        # The first start of all installs the runtime.
        started.process.wait_until(started.is_ready, timeout_s=300)
        yield started


@pytest.fixture
def start_triton(tmp_path: Path) -> Iterator[StartTriton]:
    """Start Tritons that the test may kill; whatever is left of them is stopped."""
    started: list[Triton] = []

    def start(
        repository: Path,
        *,
        models: Sequence[str] = (),
        ports: Sequence[int] = (),
        environ: Mapping[str, str] | None = None,
    ) -> Triton:
        log_path = tmp_path / f"serving-{len(started)}.log"
        new = launch_triton(repository, log_path, models=models, ports=ports, environ=environ)
        started.append(new)
        new.process.wait_until(new.is_ready, timeout_s=300)
        return new

    yield start
    for each in started:
        if each.process.is_running():
            each.process.stop()
        else:
            each.process.kill()
