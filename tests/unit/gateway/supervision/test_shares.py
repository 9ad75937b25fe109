"""What each of several processes may use, and that together they may use what the settings say."""

import pytest

from gateway.config import GatewayConfig
from gateway.supervision.shares import share
from imaging.decode.pixels_held import MOST_CHARGED
from processes.settings import SettingError


def shares(config: GatewayConfig) -> list[GatewayConfig]:
    return [share(config, number + 1) for number in range(config.processes)]


@pytest.mark.parametrize(
    ("processes", "threads", "expected"), [(2, 2, [1, 1]), (4, 16, [4] * 4), (3, 8, [3, 3, 2])]
)
def test_threads_and_decode_workers_are_divided(
    processes: int, threads: int, expected: list[int]
) -> None:
    each = shares(GatewayConfig(processes=processes, cpu_threads=threads))
    assert [one.worker_threads for one in each] == expected
    # By default one more, for interactive photos.
    assert [one.worker_processes for one in each] == [share + 1 for share in expected]
    each = shares(GatewayConfig(processes=processes, cpu_threads=threads, decode_workers=6))
    assert sum(one.worker_processes for one in each) == 6
    each = shares(GatewayConfig(processes=processes, cpu_threads=threads, decode_workers=0))
    assert [one.worker_processes for one in each] == [0] * processes


def test_more_processes_than_threads_have_one_each() -> None:
    each = shares(GatewayConfig(processes=3, cpu_threads=2, decode_workers=1))
    assert [(one.worker_threads, one.worker_processes) for one in each] == [(1, 1)] * 3


def test_limits_are_divided_and_the_port_is_shared() -> None:
    config = GatewayConfig(
        port=1234, processes=4, max_pixels_in_flight=2_000_000_000, max_connections=1001
    )
    for one in shares(config):
        assert (one.port, one.processes) == (1234, 1)
        assert (one.max_in_flight, one.max_streams, one.max_receiving) == (16, 4, 4)
        assert one.max_bytes_in_flight == 64 * 2**20
        assert one.max_pixels_in_flight == 500_000_000
        assert one.max_connections == 251
        assert one.max_wait_s == config.max_wait_s


def test_each_process_has_room_for_the_largest_request_and_for_some_callers() -> None:
    config = GatewayConfig(processes=64)
    for one in shares(config):
        assert (one.max_in_flight, one.max_streams, one.max_receiving) == (4, 4, 4)
        assert one.max_bytes_in_flight == 2 * config.max_photo_bytes
        assert one.max_pixels_in_flight == MOST_CHARGED * config.max_photo_pixels
        assert one.max_connections == 64


def test_a_limit_below_what_a_process_needs_is_kept() -> None:
    (one, _) = shares(GatewayConfig(processes=2, max_streams=1, max_in_flight=3))
    assert (one.max_streams, one.max_in_flight) == (1, 3)


@pytest.mark.parametrize("processes", [0, 257])
def test_a_number_of_processes_out_of_range_is_refused(processes: int) -> None:
    with pytest.raises(SettingError, match="PACKSHOT_PROCESSES is"):
        GatewayConfig(processes=processes)
