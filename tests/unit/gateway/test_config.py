import subprocess
import sys

import pytest

from gateway.config import GatewayConfig
from processes.settings import SettingError, load


def test_the_defaults_are_the_contract_s() -> None:
    config = load(GatewayConfig, {}, [], prog="gateway")
    assert (config.host, config.port, config.metrics_port) == ("127.0.0.1", 50051, 9095)
    assert (config.triton, config.default_model) == ("127.0.0.1:8001", "matte")
    assert (config.limits.max_bytes, config.limits.max_pixels) == (32 * 2**20, 64_000_000)
    assert config.worker_threads >= 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PACKSHOT_PORT", "-1"),
        ("PACKSHOT_METRICS_PORT", "65536"),
        ("PACKSHOT_MAX_PHOTO_BYTES", "0"),
        ("PACKSHOT_MAX_IN_FLIGHT", "0"),
        ("PACKSHOT_CPU_THREADS", "-2"),
        ("PACKSHOT_DEFAULT_TIMEOUT_S", "0"),
        ("PACKSHOT_DRAIN_TIMEOUT_S", "-1"),
        ("PACKSHOT_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_out_of_range_names_variable_and_value(variable: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{variable} is '?{value}"):
        load(GatewayConfig, {variable: value}, [], prog="gateway")


def test_the_command_exits_with_two_on_a_bad_setting() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "gateway", "--port", "many"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr == "error: --port is 'many'; it must be of type int\n"
