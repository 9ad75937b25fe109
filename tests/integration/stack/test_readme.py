"""Every command and every example of the README, run."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from deploy.local.stack import best_model
from processes.ready import answers, free_ports
from serving.host import has_nvidia_gpu
from tests.integration.processes import ROOT, start_server
from tests.integration.stack.conftest import FaceProcess, GatewayProcess

_README = (ROOT / "README.md").read_text()
_ADDRESS = "localhost:50051"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _README, re.DOTALL)


COMMANDS = [line for block in blocks("bash") for line in block.splitlines()]
_PATH = os.pathsep.join(
    [str(Path(sys.executable).parent), str(ROOT / "node_modules" / ".bin"), os.environ["PATH"]]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to run commands in, with the samples where the README has them."""
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    return tmp_path


def run(command: str, folder: Path, gateway: GatewayProcess) -> str:
    done = subprocess.run(
        ["/bin/bash", "-c", command.replace(_ADDRESS, gateway.target)],
        cwd=folder,
        env=os.environ | {"PATH": _PATH, "PACKSHOT_TARGET": gateway.target},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_no_command_is_of_a_kind_that_nothing_here_runs() -> None:
    kinds = {" ".join(command.split()[: 1 + command.startswith("make")]) for command in COMMANDS}
    assert kinds == {
        *("make demo", "make isnet", "make serve", "make test"),
        *("packshot", "buf", "curl", "docker", "helm"),
    }


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("packshot ")])
def test_the_command_line_does_what_the_readme_says(
    command: str, folder: Path, gateway: GatewayProcess
) -> None:
    run(command, folder, gateway)
    if "-o " in command:
        output = folder / command.partition("-o ")[2].split()[0]
        pictures = sorted(output.iterdir()) if output.is_dir() else [output]
        assert pictures
        for picture in pictures:
            with Image.open(picture) as image:
                image.load()


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("curl ")])
def test_curl_does(command: str, folder: Path, gateway: GatewayProcess, face: FaceProcess) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing")
    run(command.replace("http://localhost:8080", face.url), folder, gateway)
    with Image.open(folder / "no-bg.png") as image:
        assert (image.mode, image.size) == ("RGBA", (1200, 900))


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("buf ")])
def test_the_generic_client_does(command: str, folder: Path, gateway: GatewayProcess) -> None:
    if shutil.which("buf", path=_PATH) is None:
        pytest.skip("buf is missing: `make setup-buf` installs it, by npm")
    assert '"matte"' in run(command, folder, gateway)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("helm ")])
def test_the_chart_renders_with_what_is_installed(command: str) -> None:
    """There is no cluster to install it on: what would be sent there is rendered."""
    words = command.replace("helm install", "template", 1).split()
    done = subprocess.run(
        [sys.executable, "-m", "tools.helm", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    kinds = {document["kind"] for document in yaml.safe_load_all(done.stdout) if document}
    assert {"Deployment", "Service"} <= kinds


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("docker ")])
def test_the_compose_file_has_what_is_brought_up(command: str) -> None:
    """Its services are held to their settings by the tests of `deploy/compose.yaml`."""
    words = command.split()
    composed = yaml.safe_load((ROOT / words[words.index("-f") + 1]).read_text())
    profile = words[words.index("--profile") + 1]
    brought_up = {
        name
        for name, one in composed["services"].items()
        if profile in one.get("profiles", [profile])
    }
    assert len(brought_up) >= 3, brought_up


def test_the_python_example_does(folder: Path, gateway: GatewayProcess) -> None:
    (example,) = blocks("python")
    (folder / "example.py").write_text(example.replace(_ADDRESS, gateway.target))
    assert "matte" in run("python example.py", folder, gateway)
    with Image.open(folder / "mug.jpg") as image:
        assert image.size == (1600, 1600)


def test_make_demo_ends_with_rendered_pictures(tmp_path: Path) -> None:
    assert "make demo" in COMMANDS
    done = subprocess.run(
        ["/usr/bin/env", "make", "demo", f"OUT={tmp_path}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    photos = list((ROOT / "samples").glob("*.jpg"))
    for photo in photos:
        for name, mode in (
            ("white.jpg", "RGB"),
            ("transparent.png", "RGBA"),
            ("scene.jpg", "RGB"),
        ):
            with Image.open(tmp_path / f"{photo.stem}-{name}") as image:
                assert image.mode == mode
            assert f"{photo.stem}-{name}" in done.stdout
    assert f"{len(photos)} of {len(photos)} photos rendered" in done.stdout
    assert (tmp_path / "sheet.jpg").exists()
    assert re.search(r"the page to try photos on: http://127\.0\.0\.1:\d+/\n", done.stdout)
    assert "`make serve` keeps it running, on http://127.0.0.1:8080/" in done.stdout


def test_make_serve_runs_until_interrupted(tmp_path: Path) -> None:
    assert "make serve" in COMMANDS
    port, metrics, http, grpc, triton_metrics, web = free_ports(6)
    environ = {
        "PACKSHOT_PORT": str(port),
        "PACKSHOT_METRICS_PORT": str(metrics),
        "PACKSHOT_WEB_PORT": str(web),
        "PACKSHOT_TRITON": f"127.0.0.1:{grpc}",
        "PACKSHOT_TRITON_HTTP_PORT": str(http),
        "PACKSHOT_TRITON_GRPC_PORT": str(grpc),
        "PACKSHOT_TRITON_METRICS_PORT": str(triton_metrics),
        # `make demo` has loaded all of them.
        "PACKSHOT_TRITON_MODELS": best_model(gpu=has_nvidia_gpu()),
    }
    with start_server("make serve", ["make", "serve"], tmp_path / "serve.log", environ) as server:
        packshot = str(Path(sys.executable).parent / "packshot")
        health = [packshot, "--target", f"127.0.0.1:{port}", "health"]

        def is_healthy() -> bool:
            return subprocess.run(health, capture_output=True, check=False).returncode == 0

        server.wait_until(is_healthy)
        server.wait_until(lambda: answers(f"http://127.0.0.1:{web}/readyz"))
        # As Ctrl-C does, which reaches make and what make runs.
        os.killpg(server.pid, signal.SIGINT)
        server.wait(60)
        assert not server.left_over()


def test_ci_calls_the_readme_s_test_command() -> None:
    assert "make test" in COMMANDS
    assert "make test\n" in (ROOT / ".ci" / "run").read_text()


def test_the_contact_sheet_holds_every_photo_in_every_way(tmp_path: Path) -> None:
    """Two small photos of every background and preset, by the command that the gallery uses."""
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for name in ("mug", "toy"):
        with Image.open(ROOT / "samples" / f"{name}.jpg") as image:
            image.thumbnail((320, 320))
            image.save(photos / f"{name}.jpg")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "deploy.local",
            "contact-sheet",
            "--photos",
            str(photos),
            "--out",
            str(out),
        ],
        cwd=ROOT,
        env=os.environ | {"PACKSHOT_TRITON_MODELS": best_model(gpu=has_nvidia_gpu())},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    scenes = ("studio", "table", "podium", "wood", "marble", "fabric")
    presets = ("amazon-main", "ebay", "google-merchant", "shopify")
    plain = ("white", "transparent", "colour", "own-picture", "blurred-photo", "drop-shadow")
    for way in (*scenes, *presets, *plain, "linear-gradient", "radial-gradient"):
        for name in ("mug", "toy"):
            (picture,) = out.glob(f"{name}-{way}.*")
            with Image.open(picture) as image:
                image.load()
    with Image.open(out / "contact-sheet.jpg") as sheet:
        assert sheet.width > 18 * 240
