"""What stands between the command and a started Triton: models, ports, names, command line."""

import socket
from pathlib import Path

import pytest

from serving.config import ServingConfig
from serving.errors import PortInUseError, RepositoryError
from serving.ports import check_ports, is_listening
from serving.repository import models_to_load
from serving.runtime import Runtime
from serving.scratch import Scratch, scratch
from serving.triton import triton_command

RUNTIME = Runtime(Path("/t/tritonserver"), {}, Path("/s/backends"), "a Triton")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for path in ("models/matte/1", "models/light/3", "models/notes", "models/empty/later"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "models" / "README.md").touch()
    return tmp_path / "models"


def test_every_folder_with_a_version_is_a_model(repository: Path) -> None:
    assert models_to_load(repository, ()) == ("light", "matte")


def test_wanted_models_are_loaded_alone(repository: Path) -> None:
    assert models_to_load(repository, ["matte"]) == ("matte",)


def test_a_wanted_model_without_a_version_is_missing(repository: Path) -> None:
    with pytest.raises(RepositoryError, match="has no model empty, only light, matte"):
        models_to_load(repository, ["matte", "empty"])


def test_a_repository_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="has no model"):
        models_to_load(tmp_path, ())


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        config = ServingConfig(metrics_port=port)
        with pytest.raises(PortInUseError, match=f"port {port} of 127.0.0.1 is in use"):
            check_ports(
                ServingConfig(
                    http_port=_free_port(), grpc_port=_free_port(), metrics_port=config.metrics_port
                )
            )
        assert is_listening(f"127.0.0.1:{port}")
    assert not is_listening(f"127.0.0.1:{port}")


def test_an_address_of_another_machine_is_named() -> None:
    config = ServingConfig(host="192.0.2.1", http_port=_free_port(), grpc_port=_free_port())
    with pytest.raises(PortInUseError, match=r"cannot listen on port .* of 192\.0\.2\.1"):
        check_ports(config)


def test_a_run_leaves_neither_folder_nor_shared_memory() -> None:
    with scratch() as own:
        assert own.folder.is_dir()
        region = Path("/dev/shm") / f"{own.shm_prefix}left"  # noqa: S108 - the thing under test
        other = Path("/dev/shm") / f"x{own.shm_prefix}not-ours"  # noqa: S108
        region.touch()
        other.touch()
    assert not own.folder.exists()
    assert not region.exists()
    assert other.exists()
    other.unlink()


def test_a_temporary_folder_that_needs_quoting_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spaced = tmp_path / "with space"
    spaced.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spaced))
    with scratch() as own:
        assert " " not in str(own.folder)


def command_of(tmp_path: Path, config: ServingConfig, *, gpu: bool = False) -> list[str]:
    return triton_command(config, RUNTIME, Scratch(tmp_path, "packshot_1_"), ["matte"], gpu=gpu)


def test_tritons_command_line_binds_and_loads_what_is_wanted(
    tmp_path: Path, repository: Path
) -> None:
    command = command_of(tmp_path, ServingConfig(model_repository=repository))
    assert command[0] == "/t/tritonserver"
    assert set(command[1:]) >= {
        "--model-control-mode=explicit",
        "--load-model=matte",
        "--http-address=127.0.0.1",
        "--grpc-address=127.0.0.1",
        "--metrics-address=127.0.0.1",
        "--allow-gpu-metrics=false",
        "--backend-directory=/s/backends",
        "--backend-config=python,shm-region-prefix-name=packshot_1_",
        "--log-info=false",
        "--log-warning=true",
    }
    assert (tmp_path / "repository").resolve() == repository.resolve()
    assert not [option for option in command if "connection-age" in option]


def test_connections_to_triton_end_at_the_age_that_is_set(tmp_path: Path, repository: Path) -> None:
    command = command_of(
        tmp_path, ServingConfig(model_repository=repository, max_connection_age_s=60)
    )
    assert "--grpc-max-connection-age=60000" in command
    assert "--grpc-max-connection-age-grace=90000" in command


def test_gpu_metrics_are_asked_for_where_there_is_a_gpu(tmp_path: Path, repository: Path) -> None:
    config = ServingConfig(model_repository=repository)
    assert "--allow-gpu-metrics=true" in command_of(tmp_path, config, gpu=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
