"""What surrounds the calls is attacked: the TLS port, the metrics port, the log's reader."""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from packshot import AsyncClient, Client, PackshotError
from processes.ready import free_ports
from tests.attack import blocked_log, silent_metrics, tls_storm
from tests.attack.target import Target
from tests.integration.processes import ROOT
from tests.integration.stack.conftest import GatewayProcess, launch_gateway
from tests.support import scrape
from tests.support.certificates import Authority
from tests.support.claims import BYTES, claiming_tiff
from tests.support.pictures import encode, sample_photo

PHOTO = encode(sample_photo(400, 300), "JPEG", quality=90)
# Each makes a decode worker log.
ODD_PHOTO = claiming_tiff(20, 50, *((40_000 + tag, BYTES, 10_000_000, 8) for tag in range(300)))
LOADS = "packshot_tls_certificate_loads_total"


def target_of(gateway: GatewayProcess, ca: Path | None = None) -> Target:
    return Target(gateway.target, gateway.metrics_address, gateway.process.pid, ca=ca)


def is_alive(gateway: GatewayProcess) -> bool:
    with suppress(OSError), urlopen(f"http://{gateway.metrics_address}/livez", timeout=5) as reply:
        return bool(reply.read())
    return False


@pytest.mark.parametrize("mutual", [False, True])
async def test_a_storm_of_handshakes_while_certificates_change_ends_nothing(
    tmp_path: Path, *, mutual: bool
) -> None:
    authority = Authority()
    ca = tmp_path / "ca.crt"
    ca.write_bytes(authority.certificate)
    cert, key = authority.sign().write(tmp_path, "server")
    environ = {"PACKSHOT_TLS_CERT": str(cert), "PACKSHOT_TLS_KEY": str(key)}
    if mutual:
        environ["PACKSHOT_TLS_CLIENT_CA"] = str(ca)
    # No Triton is needed to shake hands.
    gateway = launch_gateway("127.0.0.1:1", tmp_path / "gateway.log", environ)
    with gateway.process:
        gateway.process.wait_until(lambda: is_alive(gateway))
        mine = authority.sign("caller")
        async with AsyncClient(
            gateway.target, ca=ca, cert=mine.certificate, key=mine.key, timeout_s=30
        ) as client:
            assert await client.presets()
            storm = asyncio.create_task(
                asyncio.to_thread(tls_storm.attack, target_of(gateway, ca), 12.0)
            )
            written = 0
            while not storm.done():
                authority.sign().write(tmp_path, "server")
                written += 1
                assert await client.presets()
                await asyncio.sleep(0.5)
            print(f"{await storm}; {written} pairs written")
            shaken = re.search(r"(\d+) handshakes(,| from)", storm.result())
            assert shaken
            assert int(shaken[1]) > 500
            authority.sign().write(tmp_path, "server")
            async with asyncio.timeout(60):
                while scrape.total(gateway.metrics_address, LOADS, outcome="loaded") < 3:
                    await asyncio.sleep(0.2)
        assert gateway.process.is_running()


def test_500_silent_connections_to_the_metrics_port_hold_up_nobody(
    gateway: GatewayProcess,
) -> None:
    threads = psutil.Process(gateway.process.pid).num_threads()
    report = silent_metrics.attack(target_of(gateway), 8.0)
    print(report)
    assert ", 0 not, " in report
    most = re.search(r"; (\d+) threads$", report)
    assert most
    # The pools of gRPC and Python may still grow by some; a thread per connection would be 500.
    assert int(most[1]) <= threads + 16
    assert gateway.is_ready()


@contextmanager
def unread_stack() -> Iterator[Target]:
    """Run both processes with a standard error that nobody reads; SIGTERM must end them."""
    port, metrics, http, grpc, triton_metrics = free_ports(5)
    serving = [
        *("-m", "serving", "--models", "matte", "--http-port", str(http)),
        *("--grpc-port", str(grpc), "--metrics-port", str(triton_metrics)),
        # Lines for each request.
        *("--triton-log-level", "verbose"),
    ]
    gateway = [
        *("-m", "gateway", "--triton", f"127.0.0.1:{grpc}"),
        *("--port", str(port), "--metrics-port", str(metrics)),
    ]
    processes = []
    with ExitStack() as stack:
        for arguments in (serving, gateway):
            unread = stack.enter_context(blocked_log.unread_log())
            command = [sys.executable, *arguments]
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=unread, stderr=unread, start_new_session=True
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        yield Target(f"127.0.0.1:{port}", f"127.0.0.1:{metrics}", processes[1].pid)
        for process in reversed(processes):
            process.terminate()
            assert process.wait(60) == 0


def test_a_log_that_nobody_reads_stops_nothing() -> None:
    with unread_stack() as target:
        host_port = target.address
        with Client(host_port, retries=False, timeout_s=30) as client:
            give_up_s = time.monotonic() + 120
            while not healthy(client):
                assert time.monotonic() < give_up_s, "it did not become ready"
                time.sleep(0.1)
            print(blocked_log.attack(target, 5.0))
            for _ in range(20):
                assert client.render(PHOTO).model == "matte"
                with pytest.raises(PackshotError) as caught:
                    client.render(ODD_PHOTO)
                assert caught.value.reason == "NO_FOREGROUND", caught.value
            assert client.healthy()


def healthy(client: Client) -> bool:
    try:
        return client.healthy()
    except PackshotError:
        return False
