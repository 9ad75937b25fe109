"""Clients that nobody here wrote, unmodified but for the address."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.integration.processes import ROOT
from tests.integration.stack.conftest import FaceProcess
from tests.support.certificates import Authority

MUG = ROOT / "samples" / "mug.jpg"
MODULES = ROOT / "node_modules"


def size_of(path: Path) -> tuple[str, tuple[int, int]]:
    with Image.open(path) as image:
        image.load()
        return image.mode, image.size


PYTHON = """
import os, sys
from base64 import b64encode
from pathlib import Path

import requests
from removebg import removebg

url, photo, folder = sys.argv[1:]
removebg.API_ENDPOINT = url + "/v1.0/removebg"
client = removebg.RemoveBg("a-key", os.devnull)
client.remove_background_from_img_file(photo)
text = b64encode(Path(photo).read_bytes()).decode()
client.remove_background_from_base64_img(text, "hd", folder + "/colored.jpg", bg_color="81d4fa")
try:
    client.remove_background_from_img_url("https://example.com/a.jpg", "hd", folder + "/url.png")
except requests.HTTPError as exc:
    print(exc.response.status_code, exc.response.json()["errors"][0]["code"])
"""


def test_pypi_s_removebg(face: FaceProcess, tmp_path: Path) -> None:
    pytest.importorskip("removebg", reason="PyPI's removebg is not installed")
    photo = tmp_path / "mug.jpg"
    photo.write_bytes(MUG.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", PYTHON, face.url, str(photo), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["400", "invalid_image_url"]
    assert size_of(tmp_path / "mug.jpg_no_bg.png") == ("RGBA", (577, 433))
    assert size_of(tmp_path / "colored.jpg") == ("RGB", (1200, 900))


NODE = """
const {
  removeBackgroundFromImageFile, removeBackgroundFromImageBase64, removeBackgroundFromImageUrl,
} = require("remove.bg");
const fs = require("fs");
const [photo, folder] = process.argv.slice(2);
(async () => {
  const one = await removeBackgroundFromImageFile({
    path: photo, apiKey: "a-key", size: "regular", type: "auto", crop: true, scale: "50%",
    outputFile: folder + "/file.png",
  });
  const base64img = fs.readFileSync(photo, { encoding: "base64" });
  await removeBackgroundFromImageBase64({
    base64img, apiKey: "a-key", size: "full", bg_color: "81d4fa", outputFile: folder + "/b64.jpg",
  });
  const refusal = await removeBackgroundFromImageUrl({
    url: "https://example.com/a.jpg", apiKey: "a-key", size: "full",
  }).catch((errors) => errors);
  console.log(JSON.stringify([one.resultWidth, one.detectedType, refusal[0].code]));
})();
"""


# What an entry in /etc/hosts would do, and the port beside: nothing of the client is touched.
ADDRESS = """
const tls = require("tls");
const connect = tls.connect;
tls.connect = (options, ...rest) =>
  options?.host === "api.remove.bg"
    ? connect({ ...options, host: "127.0.0.1", port: PORT, servername: options.host }, ...rest)
    : connect(options, ...rest);
"""


class Tunnel:
    """A server that has api.remove.bg's certificate, and leads to the face."""

    def __init__(self, face: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(face)
        self._face = (parts.hostname, parts.port)
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection(*self._face)
        await asyncio.gather(_pump(reader, outer), _pump(inner, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
def tunnel(face: FaceProcess, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment in which Node believes that the face is api.remove.bg."""
    authority = Authority()
    pair = authority.sign("api.remove.bg", hosts=["api.remove.bg"])
    certificate, key = pair.write(tmp_path, "remove.bg")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.certificate)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    address = tmp_path / "address.js"
    with closing(Tunnel(face.url, context)) as tunnel:
        address.write_text(ADDRESS.replace("PORT", str(tunnel.port)))
        yield {
            "NODE_OPTIONS": f"--require {address}",
            "NODE_EXTRA_CA_CERTS": str(ca),
            "NODE_PATH": str(MODULES),
            "NODE_NO_WARNINGS": "1",
            "NO_PROXY": "*",
        }


def test_npm_s_remove_bg(tunnel: dict[str, str], tmp_path: Path) -> None:
    if not (MODULES / "remove.bg").is_dir():
        pytest.skip("npm's remove.bg is missing: `make setup-buf` installs it")
    script = tmp_path / "client.js"
    script.write_text(NODE)
    done = subprocess.run(
        ["node", str(script), str(MUG), str(tmp_path)],  # noqa: S607  wherever it is
        env={**os.environ, **tunnel},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    width = size_of(tmp_path / "file.png")[1][0]
    assert done.stdout.strip() == f'["{width}","other","invalid_image_url"]'
    assert size_of(tmp_path / "b64.jpg") == ("RGB", (1200, 900))


def test_curl_as_remove_bg_s_documentation_has_it(face: FaceProcess, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing")
    command = (
        "curl -H 'X-API-Key: INSERT_YOUR_API_KEY_HERE' -F 'image_file=@/path/to/file.jpg' "
        "-F 'size=auto' -f https://api.remove.bg/v1.0/removebg -o no-bg.png"
    )
    here = command.replace("https://api.remove.bg", face.url).replace("/path/to/file.jpg", str(MUG))
    done = subprocess.run(
        ["/bin/bash", "-c", here], cwd=tmp_path, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert size_of(tmp_path / "no-bg.png") == ("RGBA", (1200, 900))


def test_schemathesis_finds_nothing(face: FaceProcess, tmp_path: Path) -> None:
    pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    done = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "schemathesis"), "run"),
            *(f"{face.url}/openapi.json", "--phases", "coverage,fuzzing"),
            *("--max-examples", "15", "--seed", "17", "--no-color", "--continue-on-failure"),
            # What a schema allows is a picture no more than any other bytes are.
            *("--exclude-checks", "positive_data_acceptance"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert "5 selected / 5 total" in done.stdout
