"""What `python -m serving` does about a backend process that dies, stops or is merely busy.

Triton's own health stays green through all of this; the tests therefore ask for inferences.
"""

import signal
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil
import pytest
from tritonclient import grpc as triton_grpc
from tritonclient.utils import InferenceServerException

from tests.integration import toy_models
from tests.integration.conftest import StartTriton
from tests.integration.processes import Triton

pytestmark = pytest.mark.integration


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    toy_models.write_inverter(folder, config="max_batch_size: 4\n" + toy_models.ONE_INSTANCE)
    return folder


def invert(client: triton_grpc.InferenceServerClient, timeout_s: float) -> None:
    photo = triton_grpc.InferInput("photo", [1, 2, 3, 3], "UINT8")
    photo.set_data_from_numpy(np.full((1, 2, 3, 3), 9, np.uint8))
    answer = client.infer("invert", [photo], client_timeout=timeout_s)
    assert (answer.as_numpy("matte") == 246).all()


def answers(triton: Triton) -> bool:
    with triton.client() as client, suppress(InferenceServerException):
        invert(client, timeout_s=5)
        return True
    return False


class Callers:
    """Threads that each make one call after another, and what became of the calls."""

    def __init__(
        self, triton: Triton, count: int, call: Callable[[triton_grpc.InferenceServerClient], None]
    ) -> None:
        self.longest_s = 0.0
        self.failures: list[InferenceServerException] = []
        self._stop = threading.Event()
        self._triton = triton
        self._call = call
        self._threads = [threading.Thread(target=self._repeat) for _ in range(count)]

    def _repeat(self) -> None:
        with self._triton.client() as client:
            while not self._stop.is_set():
                start_s = time.monotonic()
                try:
                    self._call(client)
                except InferenceServerException as exc:
                    self.failures.append(exc)
                    time.sleep(0.05)
                self.longest_s = max(self.longest_s, time.monotonic() - start_s)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)
        assert not any(thread.is_alive() for thread in self._threads), "a call hangs"


@contextmanager
def at_most(seconds: float) -> Any:
    start_s = time.monotonic()
    yield
    assert time.monotonic() - start_s < seconds


def test_a_killed_backend_process_is_replaced_and_no_request_hangs(
    start_triton: StartTriton, repository: Path
) -> None:
    triton = start_triton(repository)
    [stub] = triton.stub_pids("invert")
    with Callers(triton, 3, lambda client: invert(client, timeout_s=20)) as callers:
        time.sleep(0.5)
        assert not callers.failures
        psutil.Process(stub).kill()
        with at_most(15):
            triton.process.wait_until(lambda: "backend process has died" in triton.process.log, 5)
            triton.process.wait_until(lambda: "was loaded again" in triton.process.log)
            triton.process.wait_until(lambda: answers(triton))
    assert callers.failures
    assert callers.longest_s < 10
    assert triton.stub_pids("invert") not in ([], [stub])
    # What a dead stub leaves inside Triton must not cost the whole exit timeout of 20 s.
    with at_most(12):
        assert triton.process.stop() == 0


def test_a_stopped_backend_process_is_replaced(start_triton: StartTriton, repository: Path) -> None:
    environ = {"PACKSHOT_TRITON_PROBE_INTERVAL_S": "0.5"}
    triton = start_triton(repository, environ=environ)
    [stub] = triton.stub_pids("invert")
    psutil.Process(stub).send_signal(signal.SIGSTOP)
    with at_most(15):
        triton.process.wait_until(lambda: "was loaded again" in triton.process.log)
        triton.process.wait_until(lambda: answers(triton))
    assert triton.stub_pids("invert") not in ([], [stub])


def test_a_load_that_fails_leaves_the_model_before_in_service(
    start_triton: StartTriton, repository: Path
) -> None:
    """The processes that such a load begins and ends are not the model's."""
    # What failed to load keeps Triton for all of its exit timeout, which is not judged here.
    triton = start_triton(repository, environ={"PACKSHOT_TRITON_EXIT_TIMEOUT_S": "2"})
    before = triton.stub_pids("invert")
    [file] = repository.rglob("*.onnx")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with (
        Callers(triton, 1, lambda client: invert(client, timeout_s=20)) as callers,
        triton.client() as operator,
    ):
        for _ in range(3):
            with pytest.raises(InferenceServerException, match="load failed"):
                operator.load_model("invert")
            time.sleep(1.5)  # more than there is between two looks
        assert triton.stub_pids("invert") == before
        file.write_bytes(whole)
        operator.load_model("invert")
        time.sleep(1.5)
    assert not callers.failures
    assert "is broken" not in triton.process.log


def test_a_busy_model_is_left_alone(start_triton: StartTriton, tmp_path: Path) -> None:
    """Probes wait behind the callers' requests beyond their deadline, while answers are given."""
    repository = tmp_path / "models"
    toy_models.write_slow(repository)
    hang_timeout_s = 2.0
    environ = {
        "PACKSHOT_TRITON_PROBE_INTERVAL_S": "0.1",
        "PACKSHOT_TRITON_HANG_TIMEOUT_S": str(hang_timeout_s),
        "PACKSHOT_TRITON_WATCH_INTERVAL_S": "0.1",
    }
    triton = start_triton(repository, environ=environ)
    [stub] = triton.stub_pids("slow")

    def call(client: triton_grpc.InferenceServerClient) -> None:
        level = triton_grpc.InferInput("level", [1], "FP32")
        level.set_data_from_numpy(np.array([3], np.float32))
        answer = client.infer("slow", [level], client_timeout=60)
        assert answer.as_numpy("mean") == pytest.approx(3, rel=1e-3)

    with triton.client() as client:
        call(client)
        start_s = time.monotonic()
        call(client)
        pass_s = time.monotonic() - start_s
    count = min(100, int(3 * hang_timeout_s / pass_s) + 2)
    with Callers(triton, count, call) as callers:
        time.sleep(3 * hang_timeout_s)
        # A machine that has become faster since needs more callers for one to wait that long.
        give_up_s = time.monotonic() + 20
        while callers.longest_s <= hang_timeout_s and time.monotonic() < give_up_s:
            time.sleep(0.1)
    assert callers.longest_s > hang_timeout_s
    assert not callers.failures
    assert triton.stub_pids("slow") == [stub]
    assert "is broken" not in triton.process.log
