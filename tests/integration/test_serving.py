"""`python -m serving` as a process: start, stop, and what it says when it cannot start."""

import ipaddress
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import psutil
import pytest
from tritonclient import grpc as triton_grpc

from processes.ready import free_ports
from tests.integration import toy_models
from tests.integration.conftest import StartTriton
from tests.integration.processes import ROOT, Triton, launch_triton

pytestmark = pytest.mark.integration

SLOW = "max_batch_size: 4\ndynamic_batching { max_queue_delay_microseconds: 1500000 }\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    toy_models.write_inverter(folder, config=SLOW + toy_models.ONE_INSTANCE)
    return folder


def run_serving(
    arguments: Sequence[str], environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "serving", *arguments],
        cwd=ROOT,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def port_arguments() -> list[str]:
    http, grpc, metrics = map(str, free_ports(3))
    return ["--http-port", http, "--grpc-port", grpc, "--metrics-port", metrics]


def shared_memory_of(triton: Triton) -> str:
    """How the names of a Triton's own regions begin: others may run on this machine."""
    command = psutil.Process(triton.triton_pid).cmdline()
    [prefix] = re.findall(r"shm-region-prefix-name=(packshot_\w+_)", " ".join(command))
    return str(prefix)


def shared_memory(prefix: str) -> set[Path]:
    return set(Path("/dev/shm").glob(f"{prefix}*"))  # noqa: S108 - where Linux has it


def photo_of(value: int) -> triton_grpc.InferInput:
    photo = triton_grpc.InferInput("photo", [1, 2, 3, 3], "UINT8")
    photo.set_data_from_numpy(np.full((1, 2, 3, 3), value, np.uint8))
    return photo


def listening_addresses(triton: Triton) -> set[tuple[str, int]]:
    connections = psutil.Process(triton.triton_pid).net_connections("tcp")
    return {
        (connection.laddr.ip, connection.laddr.port)
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
    }


def _loopback(ip: str) -> bool:
    return ipaddress.ip_address(ip.removeprefix("::ffff:")).is_loopback


def test_it_serves_the_wanted_models_on_loopback_alone_and_says_where(
    start_triton: StartTriton, repository: Path
) -> None:
    toy_models.write_inverter(repository, "other")
    triton = start_triton(repository, models=["invert"])
    addresses = listening_addresses(triton)
    assert len(addresses) == 3
    assert all(_loopback(ip) for ip, _ in addresses)
    [line] = [line for line in triton.process.log.splitlines() if "Triton serves" in line]
    assert "invert" in line
    for address in (triton.grpc_address, triton.http_address, triton.metrics_address):
        assert address in line
    with urllib.request.urlopen(f"http://{triton.metrics_address}/metrics", timeout=10) as page:
        assert b"nv_inference_count" in page.read()
    with triton.client() as client:
        assert client.is_model_ready("invert")
        assert not client.is_model_ready("other")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_answers_what_is_in_flight_and_leaves_nothing(
    start_triton: StartTriton, repository: Path, number: signal.Signals
) -> None:
    triton = start_triton(repository)
    own = shared_memory_of(triton)
    assert shared_memory(own)
    answers: list[triton_grpc.InferResult | Exception] = []
    with triton.client() as client:
        # It waits in the queue for 1.5 s, in vain, for three more.
        client.async_infer(
            "invert", [photo_of(5)], lambda result, error: answers.append(error or result)
        )
        triton.process.wait_until(
            lambda: (
                b'nv_inference_pending_request_count{model="invert",version="1"} 1'
                in urllib.request.urlopen(f"http://{triton.metrics_address}/metrics").read()
            )
        )
        triton.process.send_signal(number)
        assert triton.process.wait() == 0
        [answer] = answers
    assert isinstance(answer, triton_grpc.InferResult)
    assert (answer.as_numpy("matte") == 250).all()
    assert triton.process.left_over() == []
    assert not shared_memory(own)


def test_a_killed_triton_ends_serving_at_once_with_its_status(
    start_triton: StartTriton, repository: Path
) -> None:
    triton = start_triton(repository)
    own = shared_memory_of(triton)
    assert shared_memory(own)
    stubs = triton.stub_pids("invert")
    assert len(stubs) == 1
    psutil.Process(triton.triton_pid).kill()
    assert triton.process.wait(timeout_s=3) == 128 + signal.SIGKILL
    assert triton.process.left_over() == []
    assert not shared_memory(own)


def test_a_triton_that_crashes_ends_serving_with_its_last_lines_and_its_signal(
    start_triton: StartTriton, repository: Path
) -> None:
    triton = start_triton(repository)
    psutil.Process(triton.triton_pid).send_signal(signal.SIGSEGV)
    assert triton.process.wait() == 128 + signal.SIGSEGV
    assert triton.process.left_over() == []
    # The stack is Triton's own.
    assert "Signal (11) received" in triton.process.log
    assert "Triton ended by SIGSEGV (status 139)" in triton.process.log


def test_a_killed_serving_takes_triton_with_it(
    start_triton: StartTriton, repository: Path, tmp_path: Path
) -> None:
    # What nobody is left to clear away stays in the test's own folder.
    triton = start_triton(repository, environ={"TMPDIR": str(tmp_path)})
    assert triton.triton_pid
    triton.process.send_signal(signal.SIGKILL)
    triton.process.wait()
    assert triton.process.left_over(within_s=20) == []


def test_a_port_in_use_is_named_before_triton_starts(repository: Path) -> None:
    http, grpc, metrics = free_ports(3)
    with socket.create_server(("127.0.0.1", grpc)):
        done = run_serving(
            [
                *("--model-repository", str(repository)),
                *("--http-port", str(http), "--grpc-port", str(grpc)),
                *("--metrics-port", str(metrics)),
            ]
        )
    assert done.returncode == 1
    assert f"port {grpc} of 127.0.0.1 is in use" in done.stderr
    assert "PACKSHOT_TRITON_GRPC_PORT" in done.stderr
    assert "starting" not in done.stderr


def test_a_missing_model_repository_is_named(tmp_path: Path) -> None:
    done = run_serving(["--model-repository", str(tmp_path / "nowhere"), *port_arguments()])
    assert done.returncode == 1
    assert f"there is no model repository at {tmp_path / 'nowhere'}" in done.stderr


def test_a_missing_model_is_named_with_those_there_are(repository: Path) -> None:
    arguments = ["--model-repository", str(repository), "--models", "invert,absent"]
    done = run_serving([*arguments, *port_arguments()])
    assert done.returncode == 1
    assert "has no model absent, only invert" in done.stderr


def test_an_unusable_setting_is_a_usage_error(repository: Path) -> None:
    done = run_serving(["--model-repository", str(repository), "--grpc-port", "70000"])
    assert done.returncode == 2
    assert "PACKSHOT_TRITON_GRPC_PORT is 70000" in done.stderr


def test_models_that_cannot_be_loaded_end_serving_with_the_reasons(tmp_path: Path) -> None:
    repository = tmp_path / "models"
    toy_models.write_inverter(
        repository,
        "mode",
        config='parameters { key: "execution_mode" value { string_value: "7" } }\n',
    )
    toy_models.write_inverter(repository, "gpu", config="instance_group [{ kind: KIND_GPU }]\n")
    toy_models.write_inverter(repository, "syntax", config="max_batch_size: many\n")
    started = launch_triton(repository, tmp_path / "serving.log")
    with started.process as process:
        assert process.wait(timeout_s=60) == 1
        assert "parameter 'execution_mode' is '7'; it must be 0 to 1" in process.log
        assert "has kind KIND_GPU but no GPUs are available" in process.log
        assert "failed to read text proto" in process.log
        assert "Triton ended before it was ready" in process.log
        assert process.left_over() == []
