"""Several gateway processes on one port: who serves, what is counted, and how they end."""

import asyncio
import json
import signal
import socket
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import grpc.aio
import psutil
import pytest

from gateway.accounts.rate import RateLimit
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from processes.ready import answers, free_ports
from tests.integration.processes import ROOT, Triton
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support.accounts import books_at
from tests.support.certificates import Authority
from tests.support.pictures import encode, product_photo
from tests.support.scrape import total
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from packshot.v1.packshot_pb2_grpc import PackshotServiceAsyncStub

PHOTO = encode(product_photo(400, 300), "JPEG", quality=90)
TWO = {"PACKSHOT_PROCESSES": "2", "PACKSHOT_CPU_THREADS": "2"}
CONNECTIONS = 16


class Launch(Protocol):
    """Starts a gateway of two processes and waits until both are ready."""

    def __call__(self, environ: Mapping[str, str] = ...) -> GatewayProcess: ...


@pytest.fixture
def launch(triton: Triton, tmp_path: Path) -> Iterator[Launch]:
    launched: list[GatewayProcess] = []

    def start(environ: Mapping[str, str] = TWO) -> GatewayProcess:
        gateway = launch_gateway(triton, tmp_path / "gateway.log", {**TWO, **environ})
        launched.append(gateway)
        gateway.process.wait_until(lambda: is_ready(gateway), timeout_s=120)
        return gateway

    yield start
    for each in launched:
        if each.process.is_running():
            each.process.stop()
        assert each.process.left_over() == []


def is_ready(gateway: GatewayProcess) -> bool:
    return answers(f"http://{gateway.metrics_address}/readyz")


def processes(gateway: GatewayProcess) -> list[psutil.Process]:
    """Return the gateway processes themselves, without their decode workers."""
    return psutil.Process(gateway.process.pid).children()


async def stubs(
    stack: AsyncExitStack, target: str, number: int = CONNECTIONS
) -> "list[PackshotServiceAsyncStub]":
    """Return stubs with a connection of its own for each."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    channels = [grpc.aio.insecure_channel(target, options=options) for _ in range(number)]
    return [PackshotServiceStub(await stack.enter_async_context(each)) for each in channels]


async def render_on_all(gateway: GatewayProcess) -> int:
    """Render a photo by each of many connections; return how many were rendered."""
    async with AsyncExitStack() as stack:
        connected = await stubs(stack, gateway.target)
        request = pb.RenderRequest(photo=PHOTO)
        for each in connected:
            await each.Render(request, timeout=60)
    return len(connected)


def by_process(gateway: GatewayProcess) -> dict[str, float]:
    return {
        number: total(gateway.metrics_address, "packshot_process_images_total", process=number)
        for number in ("1", "2")
    }


async def test_connections_are_dealt_out_and_one_scrape_tells_of_all(launch: Launch) -> None:
    gateway = launch()
    rendered = await render_on_all(gateway)
    address = gateway.metrics_address
    # The files are read at the scrape: nothing has to be waited for.
    assert total(address, "packshot_images_total") == rendered
    assert total(address, "packshot_stage_duration_seconds_count", stage="decode") == rendered
    assert total(address, "packshot_requests_total", method="Render", code="OK") == rendered
    wait_until(lambda: sum(by_process(gateway).values()) == rendered)
    lines = [json.loads(line) for line in gateway.process.log.splitlines()]
    calls = Counter(str(line["process"]) for line in lines if line["event"] == "call")
    assert calls == by_process(gateway)
    assert min(calls.values()) > 0, calls
    # The parts of what one setting says, and what is no sum.
    assert total(address, "packshot_admitted_requests_limit") == 64
    assert total(address, "packshot_worker_threads") == 2
    assert total(address, "packshot_ready") == 1
    assert total(address, "packshot_processes_ready") == 2
    model = {"model": "matte", "default": "yes"}
    assert total(address, "packshot_model_info", **model) == 1
    parts = [total(address, "packshot_resident_memory_bytes", part=part) for part in PARTS]
    assert min(parts) > 2**20
    # Each metric once, although all processes have it.
    assert total(address, "packshot_tls_certificate_expiry_timestamp_seconds") == float("inf")


PARTS = ("gateway", "decode_workers", "supervisor")


async def test_a_killed_process_is_replaced_and_nothing_that_it_counted_is_lost(
    launch: Launch,
) -> None:
    gateway = launch()
    address = gateway.metrics_address
    rendered = await render_on_all(gateway)
    killed = processes(gateway)[0]
    workers = killed.children()
    killed.kill()
    assert total(address, "packshot_images_total") == rendered
    # The other one serves on, whoever connects.
    rendered += await render_on_all(gateway)
    assert is_ready(gateway)
    wait_until(lambda: total(address, "packshot_processes_ready") == 2)
    assert killed not in processes(gateway)
    assert total(address, "packshot_process_restarts_total") == 1
    rendered += await render_on_all(gateway)
    assert total(address, "packshot_images_total") == rendered
    wait_until(lambda: sum(by_process(gateway).values()) == rendered)
    assert total(address, "packshot_requests_in_flight", method="Render") == 0
    assert total(address, "packshot_admitted_requests_limit") == 64
    # What the killed one left has ended and been waited for.
    wait_until(lambda: not any(each.is_running() for each in workers))
    assert "gateway process 1 ended by SIGKILL; another one starts in 0.1 s" in gateway.process.log


async def test_sigterm_under_load_drains_all_processes_and_loses_nothing(launch: Launch) -> None:
    gateway = launch()
    rendered, ended = 0, Counter[grpc.StatusCode]()
    enough = asyncio.Event()

    async def ask(stub: "PackshotServiceAsyncStub") -> None:
        nonlocal rendered
        while True:
            call = stub.Render(pb.RenderRequest(photo=PHOTO), timeout=60)
            code = await call.code()
            if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
                continue
            if code is not grpc.StatusCode.OK:
                ended[code] += 1
                return
            rendered += 1
            if rendered == 3 * CONNECTIONS:
                enough.set()

    async with AsyncExitStack() as stack:
        asking = [asyncio.create_task(ask(each)) for each in await stubs(stack, gateway.target)]
        await asyncio.wait_for(enough.wait(), 60)
        assert not ended
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*asking)
        assert await asyncio.to_thread(gateway.process.wait) == 0
    # Who came too late was told so by gRPC, and whoever was answered has got the answer.
    assert ended.total() == CONNECTIONS
    assert ended.keys() <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    lines = [json.loads(line) for line in gateway.process.log.splitlines()]
    answered = Counter(line["code"] for line in lines if line["event"] == "call")
    assert answered["OK"] == rendered
    assert gateway.process.left_over() == []


async def test_no_process_outlives_a_killed_supervisor(launch: Launch) -> None:
    gateway = launch()
    assert len(gateway.process.descendants()) > 2
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.wait()
    assert gateway.process.left_over(30) == []


async def test_a_stopped_process_is_replaced(launch: Launch) -> None:
    gateway = launch()
    stopped = processes(gateway)[1]
    stopped.suspend()
    wait_until(lambda: not stopped.is_running(), timeout_s=100)
    assert "gateway process 2 shows no sign of life: killed" in gateway.process.log
    wait_until(lambda: total(gateway.metrics_address, "packshot_processes_ready") == 2)


def refusal(*arguments: str) -> tuple[int, list[str]]:
    """Run a gateway that cannot start; return its status and its lines."""
    command = [sys.executable, "-m", "gateway", "--processes", "3", *arguments]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    return ended.returncode, [
        line for line in ended.stderr.splitlines() if not line.startswith('{"event"')
    ]


def test_what_keeps_processes_from_starting_is_said_once(tmp_path: Path) -> None:
    status, lines = refusal("--max-photo-bytes", "0")
    assert (status, lines) == (
        2,
        ["error: PACKSHOT_MAX_PHOTO_BYTES is 0; it must be at least 1 and at most 1.07374e+09"],
    )
    status, lines = refusal("--processes", "0")
    assert (status, len(lines)) == (2, 1)
    ports = ("--port", "0", "--metrics-port", "0")
    (port,) = free_ports(1)
    status, lines = refusal(*ports, "--accounts", f"postgresql://me:secret@127.0.0.1:{port}/none")
    assert status == 1
    assert [line.split(" at ")[0] for line in lines if "error: " in line] == ["error: the accounts"]
    assert "secret" not in str(lines)
    assert not list(tmp_path.glob("packshot-gateway-*"))


@pytest.mark.parametrize("first", ["1", "2"])
def test_a_port_in_use_is_said_whoever_has_it(launch: Launch, first: str) -> None:
    gateway = launch({"PACKSHOT_PROCESSES": first})
    grpc_port, metrics_port = (
        address.rpartition(":")[2] for address in (gateway.target, gateway.metrics_address)
    )
    status, lines = refusal("--port", grpc_port, "--metrics-port", "0")
    assert (status, lines) == (
        1,
        [f"error: cannot listen on 127.0.0.1:{grpc_port} for gRPC: Address already in use"],
    )
    status, lines = refusal("--port", "0", "--metrics-port", metrics_port)
    assert (status, len(lines)) == (1, 1)
    assert f"cannot listen on 127.0.0.1:{metrics_port} for metrics: Address already" in lines[0]
    status, lines = refusal("--processes", "1", "--port", grpc_port, "--metrics-port", "0")
    assert (status, lines[-1]) == (1, f"error: cannot listen on 127.0.0.1:{grpc_port} for gRPC")


async def test_a_key_s_rate_is_counted_by_all_processes_together(
    launch: Launch, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'accounts.db'}"
    gateway = launch({"PACKSHOT_ACCOUNTS": url})
    with books_at(url) as books:
        # One token more comes in a day: what passes is the burst.
        key = books.issue(10, RateLimit(per_s=1 / 86_400, burst=11))
    metadata = (("authorization", f"Bearer {key}"),)
    codes: Counter[grpc.StatusCode] = Counter()
    async with AsyncExitStack() as stack:
        for stub in await stubs(stack, gateway.target, 32):
            call = stub.ListModels(pb.ListModelsRequest(), timeout=30, metadata=metadata)
            codes[await call.code()] += 1
    assert codes == {grpc.StatusCode.OK: 11, grpc.StatusCode.RESOURCE_EXHAUSTED: 21}
    served = [
        number
        for number in (1, 2)
        if any(
            (line := json.loads(text)).get("method") == "ListModels" and line["process"] == number
            for text in gateway.process.log.splitlines()
        )
    ]
    assert served == [1, 2]


def served_certificates(target: str, tries: int) -> set[bytes]:
    """Return the certificates that some connections are shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    host, _, port = target.rpartition(":")
    found = set()
    for _ in range(tries):
        with (
            socket.create_connection((host, int(port)), 10) as plain,
            context.wrap_socket(plain) as secure,
        ):
            found.add(secure.getpeercert(binary_form=True) or b"")
    return found


def test_every_process_serves_a_new_certificate(launch: Launch, tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.sign().write(tmp_path, "server")
    gateway = launch({"PACKSHOT_TLS_CERT": str(certificate), "PACKSHOT_TLS_KEY": str(key)})
    old = served_certificates(gateway.target, CONNECTIONS)
    assert len(old) == 1
    fresh = authority.sign()
    (tmp_path / "new.key").write_bytes(fresh.key)
    (tmp_path / "new.crt").write_bytes(fresh.certificate)
    (tmp_path / "new.key").replace(key)
    (tmp_path / "new.crt").replace(certificate)
    loads = {"outcome": "loaded"}
    name = "packshot_tls_certificate_loads_total"
    wait_until(lambda: total(gateway.metrics_address, name, **loads) == 2)
    new = served_certificates(gateway.target, CONNECTIONS)
    assert len(new) == 1
    assert new != old
