"""Serving's settings."""

from pathlib import Path

import pytest

from processes.settings import SettingError, load
from serving.config import ServingConfig


def config_of(*flags: str, **environ: str) -> ServingConfig:
    return load(ServingConfig, environ, flags, "serving")


def test_it_binds_to_loopback_at_tritons_usual_ports() -> None:
    config = config_of()
    assert config.host == "127.0.0.1"
    assert config.ports == (8001, 8000, 8002)
    assert config.model_repository == Path("model_repository")
    assert config.models == ()


def test_flags_win_over_the_environment() -> None:
    config = config_of("--grpc-port", "9001", PACKSHOT_TRITON_GRPC_PORT="9002")
    assert config.grpc_port == 9001


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1:8001"),
        ("0.0.0.0", "127.0.0.1:8001"),  # noqa: S104 - what an operator may set
        ("::", "[::1]:8001"),
        ("triton.internal", "triton.internal:8001"),
    ],
)
def test_what_it_binds_to_can_be_reached_from_here(host: str, address: str) -> None:
    config = config_of(PACKSHOT_TRITON_HOST=host)
    assert config.address(config.grpc_port) == address


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"PACKSHOT_TRITON_HTTP_PORT": "0"}, "PACKSHOT_TRITON_HTTP_PORT is 0"),
        ({"PACKSHOT_TRITON_HTTP_PORT": "8001"}, "must differ"),
        ({"PACKSHOT_TRITON_LOG_LEVEL": "loud"}, "'loud'; it must be one of"),
        ({"PACKSHOT_TRITON_EXIT_TIMEOUT_S": "-1"}, "PACKSHOT_TRITON_EXIT_TIMEOUT_S is -1"),
        ({"PACKSHOT_TRITON_WATCH_INTERVAL_S": "0"}, "PACKSHOT_TRITON_WATCH_INTERVAL_S is 0"),
    ],
)
def test_values_out_of_range_are_refused(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        config_of(**environ)
