"""The HTTP face as a process: its end, and what keeps it from beginning."""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.integration.processes import ROOT, start_server
from tests.integration.stack.conftest import GatewayProcess, launch_face

FILES = {"image_file": ("mug.jpg", (ROOT / "samples" / "mug.jpg").read_bytes())}


def test_sigterm_lets_the_face_answer_what_is_inside(
    gateway: GatewayProcess, tmp_path: Path
) -> None:
    face = launch_face(gateway.target, tmp_path / "web.log")
    with face.process:
        face.process.wait_until(face.is_ready)
        answers: list[httpx.Response] = []

        def call() -> None:
            with httpx.Client(base_url=face.url, timeout=60, trust_env=False) as http:
                # Its upload takes longer than the signal.
                answers.append(
                    http.post("/v1.0/removebg", content=slowly(), headers=request.headers)
                )

        request = httpx.Request("POST", face.url, files=FILES, data={"size": "full"})
        body = request.read()
        del request.headers["content-length"]
        begun, told = threading.Event(), threading.Event()

        def slowly() -> Iterator[bytes]:
            yield body[:1000]
            begun.set()
            assert told.wait(30)
            yield body[1000:]

        caller = threading.Thread(target=call)
        caller.start()
        assert begun.wait(30)
        face.process.wait_until(lambda: inside(face.url) == 1)
        face.process.send_signal(signal.SIGTERM)
        face.process.wait_until(lambda: not accepts(face.url))
        told.set()
        caller.join(60)
        assert face.process.wait(60) == 0
        assert answers[0].status_code == 200
        assert answers[0].headers["X-Width"] == "1200"
        assert "POST /v1.0/removebg" in face.process.log


def inside(url: str) -> float:
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    name = "packshot_web_requests_in_flight "
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name))


def accepts(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


def test_a_port_in_use_is_a_clear_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "web", "--port", str(taken.getsockname()[1])]
        face = start_server("python -m web", command, tmp_path / "web.log")
        assert face.wait(60) == 1
        assert "address already in use" in face.log


def test_wrong_usage_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "web", "--max-requests", "0"]
    face = start_server("python -m web", command, tmp_path / "web.log")
    assert face.wait(60) == 2
    assert "PACKSHOT_WEB_MAX_REQUESTS is 0" in face.log
