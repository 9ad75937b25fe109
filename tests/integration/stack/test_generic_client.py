"""A client that knows nothing but the address calls the gateway by reflection: buf curl."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.stack.conftest import GatewayProcess
from tests.support.pictures import decode


@pytest.fixture(scope="module")
def buf(root: Path) -> str:
    search = f"{root / 'node_modules' / '.bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    found = shutil.which("buf", path=search)
    if found is None:
        pytest.skip("buf is missing: `make setup-buf` installs it, by npm")
    return found


def call(buf: str, gateway: GatewayProcess, method: str, request: dict[str, Any]) -> Any:
    url = f"http://{gateway.target}/{method}"
    run = subprocess.run(
        [buf, "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--data", "@-", url],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0 or run.stderr, run
    return json.loads(run.stdout or run.stderr)


def test_buf_finds_nothing_wrong_with_the_proto_files(buf: str, root: Path) -> None:
    run = subprocess.run(
        [buf, "lint"], cwd=root / "client", capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_renders_a_photo(buf: str, gateway: GatewayProcess, samples: list[Path]) -> None:
    photo = base64.b64encode(samples[0].read_bytes()).decode()
    reply = call(
        buf,
        gateway,
        "packshot.v1.PackshotService/Render",
        {"photo": photo, "frame": {"widthPx": 300, "heightPx": 300}},
    )
    assert reply["format"] == "IMAGE_FORMAT_JPEG"
    assert decode(base64.b64decode(reply["picture"])).size == (300, 300)


def test_lists_models(buf: str, gateway: GatewayProcess) -> None:
    reply = call(buf, gateway, "packshot.v1.PackshotService/ListModels", {})
    assert "matte" in [model["name"] for model in reply["models"]]


def test_asks_for_health(buf: str, gateway: GatewayProcess) -> None:
    assert call(buf, gateway, "grpc.health.v1.Health/Check", {}) == {"status": "SERVING"}


def test_gets_an_error_with_its_reason(buf: str, gateway: GatewayProcess) -> None:
    reply = call(buf, gateway, "packshot.v1.PackshotService/Render", {})
    assert reply["code"] == "invalid_argument"
    assert "0 bytes" in reply["message"]
    assert any("ErrorInfo" in detail["type"] for detail in reply["details"])
