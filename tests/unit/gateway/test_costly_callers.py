"""A short form of the attacks by files, options and descriptors, on a gateway of its own."""

import signal
import threading
from pathlib import Path
from typing import Self

import psutil
import pytest

from packshot import Client
from tests.attack import costly_requests, descriptors, header_bombs
from tests.attack.target import Target
from tests.support.lone_gateway import LoneGateway, lone_gateway
from tests.support.pictures import encode, product_photo

PHOTO = encode(product_photo(), "JPEG")
SETTINGS = {"cpu_threads": 2, "drain_timeout_s": 1, "max_wait_s": 0.75}
SECONDS = 6.0
# Room for what is in flight: messages of 65 MiB, copied, and a 64-megapixel picture at each step.
MOST_BYTES = 4 * 2**30


class Peak:
    """The most memory that a process has while a block runs."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.bytes = 0

    def _watch(self) -> None:
        while not self._end.wait(0.05):
            self.bytes = max(self.bytes, self._process.memory_info().rss)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end.set()
        self._thread.join()


def target_of(gateway: LoneGateway) -> Target:
    return Target(
        f"127.0.0.1:{gateway.port}", f"127.0.0.1:{gateway.metrics_port}", gateway.process.pid
    )


@pytest.mark.parametrize("attack", [header_bombs, costly_requests], ids=lambda each: each.__name__)
def test_costly_callers_get_a_clear_answer_and_others_their_packshots(
    root: Path, tmp_path: Path, attack: object
) -> None:
    log = tmp_path / "gateway.log"
    with lone_gateway(root, log, settings=SETTINGS) as gateway:
        with Peak(gateway.process.pid) as peak:
            report = attack.attack(target_of(gateway), SECONDS)  # type: ignore[attr-defined]
        assert "INTERNAL" not in report
        assert "UNKNOWN" not in report
        assert peak.bytes < MOST_BYTES
        with Client(f"127.0.0.1:{gateway.port}", timeout_s=30) as client:
            assert client.render(PHOTO).width_px == 120
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(30) == 0
    assert "Traceback" not in log.read_text()


def test_renders_go_on_under_idle_connections_to_both_ports(root: Path, tmp_path: Path) -> None:
    with lone_gateway(root, tmp_path / "gateway.log", open_files=256, settings=SETTINGS) as gateway:
        report = descriptors.attack(target_of(gateway), SECONDS)
        assert "OK" in report
        assert "INTERNAL" not in report
        with Client(f"127.0.0.1:{gateway.port}", timeout_s=30) as client:
            assert client.render(PHOTO).width_px == 120
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(30) == 0
