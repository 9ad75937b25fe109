"""The images' health check, against a real server."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/livez" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def probe(port: str, path: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "deploy/images/probe.py", "SOME_PORT", path],
        env={**os.environ, "SOME_PORT": port},
        check=False,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr.strip()


def test_an_answer_of_200_is_healthy_and_nothing_else(port: int) -> None:
    assert probe(str(port), "/livez") == (0, f"SOME_PORT={port} /livez: 200")
    assert probe(str(port), "/readyz") == (1, f"SOME_PORT={port} /readyz: 503")


def test_a_port_that_nobody_listens_on_is_unhealthy_and_said() -> None:
    status, said = probe("1", "/livez")
    assert status == 1
    assert "refused" in said
    status, said = probe("", "/livez")
    assert status == 1
    assert "SOME_PORT=" in said
