"""Published models are fetched whole and unchanged, over https alone, or not at all."""

import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from threading import Thread

import pytest

pytest.importorskip("tqdm", reason="the export group (tqdm) is not installed")

from export.cli import main
from export.errors import DownloadError, LicenceError
from export.fetch import fetch
from export.recipes import PUBLIC_MODELS, PublicModel

CONTENT = bytes(range(256)) * 9000  # more than two chunks


class Publisher(BaseHTTPRequestHandler):
    """Serves the model at /model, and what can go wrong beside it."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.path in {"/to-model", "/to-http"}:
            secure = f"https://{self.headers['Host']}/model"
            self.send_response(302)
            self.send_header("Location", secure if self.path == "/to-model" else "http://x.test/")
            self.end_headers()
        elif self.path == "/missing":
            self.send_error(404)
        else:
            self.send_model()

    def send_model(self) -> None:
        content = {
            "/model": CONTENT,
            "/altered": b"x" + CONTENT[1:],
            "/larger": CONTENT + b"x",
            "/endless": CONTENT + b"x",
            "/broken-off": CONTENT[:-1000],
            "/unsized": CONTENT[:-1000],
        }[self.path]
        self.send_response(200)
        if self.path not in {"/endless", "/unsized"}:
            told = len(CONTENT) if self.path == "/broken-off" else len(content)
            self.send_header("Content-Length", str(told))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, which makes the certificate")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    command += f" -addext subjectAltName=DNS:localhost -keyout {path} -out {path}.crt"
    subprocess.run(command.split(), check=True, capture_output=True)
    with path.open("a") as file:
        file.write(Path(f"{path}.crt").read_text())
    return path


@pytest.fixture(scope="module")
def server(certificate: Path) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    server.asked = []  # type: ignore[attr-defined]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def trusting(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setenv("no_proxy", "*")
    return ssl.create_default_context(cafile=str(certificate))


def model() -> PublicModel:
    digests = tuple(
        f"{name}:{hashlib.new(name, CONTENT).hexdigest()}" for name in ("md5", "sha256")
    )
    return replace(PUBLIC_MODELS["u2netp"], size=len(CONTENT), digests=digests)


def address(server: ThreadingHTTPServer, path: str) -> str:
    return f"https://localhost:{server.server_address[1]}{path}"


@pytest.mark.parametrize("path", ["/model", "/to-model"])
def test_a_model_is_fetched_once(
    server: ThreadingHTTPServer, trusting: ssl.SSLContext, tmp_path: Path, path: str
) -> None:
    into, at = tmp_path / "new" / "folder", address(server, path)
    for _ in range(2):
        found = fetch(model(), into, accept_licence=True, address=at, context=trusting)
    assert found.read_bytes() == CONTENT
    assert [one.name for one in into.iterdir()] == ["u2netp.onnx"]
    assert server.asked.count(path) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/altered", "not the published file: md5 [0-9a-f]{32}, not"),
        ("/larger", "has 2304001 bytes at its address, not 2304000"),
        ("/endless", "sends more than its 2304000 bytes"),
        ("/broken-off", "broke off after 2303000 of 2304000 bytes|IncompleteRead"),
        ("/unsized", "broke off after 2303000 of 2304000 bytes"),
        ("/missing", "404"),
        ("/to-http", "http://x.test/ is not https"),
    ],
)
def test_what_is_not_the_published_file_leaves_nothing(
    server: ThreadingHTTPServer,
    trusting: ssl.SSLContext,
    tmp_path: Path,
    path: str,
    message: str,
) -> None:
    earlier = tmp_path / "u2netp.onnx"
    earlier.write_bytes(b"earlier")
    with pytest.raises(DownloadError, match=message):
        fetch(
            model(), tmp_path, accept_licence=True, address=address(server, path), context=trusting
        )
    assert earlier.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [earlier]


def test_a_damaged_file_is_replaced(
    server: ThreadingHTTPServer, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    (tmp_path / "u2netp.onnx").write_bytes(CONTENT[:-1] + b"x")
    at = address(server, "/model")
    found = fetch(model(), tmp_path, accept_licence=True, address=at, context=trusting)
    assert found.read_bytes() == CONTENT


def test_a_server_without_a_trusted_certificate_is_refused(
    server: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(DownloadError, match=r"(?i)certificate"):
        fetch(model(), tmp_path, accept_licence=True, address=address(server, "/model"))


def test_an_address_without_tls_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="not https"):
        fetch(model(), tmp_path, accept_licence=True, address="http://127.0.0.1:9/model")


def test_a_refused_licence_is_shown_and_nothing_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(LicenceError, match=r"Apache-2\.0"):
        fetch(model(), tmp_path / "folder", accept_licence=False, address="https://127.0.0.1:9/")
    assert not (tmp_path / "folder").exists()


def test_the_command_tells_what_may_not_be_used_commercially(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fetch", "rmbg-2.0", "--into", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "CC-BY-NC-4.0" in told
    assert "NOT FOR COMMERCIAL USE" in told
    assert "--accept-licence" in told
    assert not list(tmp_path.iterdir())
