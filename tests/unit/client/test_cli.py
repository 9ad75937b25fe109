"""`packshot` on a real gateway in a thread, with a fake inference server behind its seam."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gateway.app import Gateway
from gateway.config import GatewayConfig
from packshot.cli import main
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import decode, encode, product_photo

PHOTO = encode(product_photo(), "JPEG")


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    ports: list[int] = []
    started, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        config = GatewayConfig(port=0, metrics_port=0, probe_interval_s=0.05)
        gateway = Gateway(config, FakeInferenceServer())
        await gateway.start()
        ports.append(gateway.port)
        started.set()
        await asyncio.to_thread(stop.wait)
        await gateway.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(10)
    yield f"127.0.0.1:{ports[0]}"
    stop.set()
    thread.join()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("shoe", "bag", "hat"):
        (folder / f"{name}.jpg").write_bytes(PHOTO)
    (folder / "notes.txt").write_text("not a photo")
    return folder


def run(target: str, *args: str | Path, photo: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["--target", target, *map(str, args)], input=photo)


def test_renders_a_folder_into_a_folder(target: str, photos: Path, tmp_path: Path) -> None:
    result = run(target, "render", photos, "-o", tmp_path / "out", "--square")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "bag.jpg",
        "hat.jpg",
        "shoe.jpg",
    ]
    image = decode((tmp_path / "out" / "bag.jpg").read_bytes())
    assert image.width == image.height
    assert "3 rendered, 0 failed" in result.stderr


def test_renders_a_glob_to_transparent_pngs(target: str, photos: Path, tmp_path: Path) -> None:
    result = run(
        target, "render", photos / "*a*.jpg", "-o", tmp_path / "out", "--background", "transparent"
    )
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bag.png", "hat.png"]


def test_renders_one_photo_into_a_file_of_the_suffix_s_format(
    target: str, photos: Path, tmp_path: Path
) -> None:
    result = run(
        target, "render", photos / "bag.jpg", "-o", tmp_path / "bag.webp", "--size", "99x50"
    )
    assert result.exit_code == 0, result.output
    image = decode((tmp_path / "bag.webp").read_bytes())
    assert (image.format, image.size) == ("WEBP", (99, 50))


def test_renders_a_folder_of_every_format_to_avif(target: str, tmp_path: Path) -> None:
    suffixes = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "heic": "HEIF"}
    suffixes |= {"tif": "TIFF", "bmp": "BMP", "gif": "GIF"}
    for suffix, photo_format in suffixes.items():
        (tmp_path / f"of-{suffix}.{suffix}").write_bytes(encode(product_photo(), photo_format))
    out = tmp_path / "out"
    result = run(target, "render", tmp_path, "-o", out, "--format", "avif", "--dpi", "300")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in out.iterdir()) == sorted(
        f"of-{suffix}.avif" for suffix in suffixes
    )
    image = decode((out / "of-heic.avif").read_bytes())
    assert (image.format, image.size) == ("AVIF", (120, 90))
    assert image.getexif()[0x011A] == 300


def test_keeps_metadata_on_request(target: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "A maker"
    (tmp_path / "bag.jpg").write_bytes(encode(product_photo(), "JPEG", exif=exif))
    result = run(
        target, "render", tmp_path / "bag.jpg", "-o", tmp_path / "out.avif", "--keep-metadata"
    )
    assert result.exit_code == 0, result.output
    assert decode((tmp_path / "out.avif").read_bytes()).getexif()[0x010F] == "A maker"


def test_says_what_in_a_photo_could_not_be_followed(target: str, tmp_path: Path) -> None:
    (tmp_path / "bag.jpg").write_bytes(encode(product_photo(), "JPEG", icc_profile=b"x" * 200))
    result = run(target, "render", tmp_path / "bag.jpg", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "note: " in result.stderr
    assert "profile was taken for absent" in result.stderr


def test_reads_standard_input_and_writes_standard_output(target: str) -> None:
    result = run(target, "render", "-", "-o", "-", photo=PHOTO)
    assert result.exit_code == 0, result.output
    assert decode(result.stdout_bytes).size == (120, 90)


def test_one_bad_photo_stops_no_other_and_shows_in_the_exit_status(
    target: str, photos: Path, tmp_path: Path
) -> None:
    (photos / "bad.jpg").write_bytes(b"no photo at all")
    blank = encode(np.full((50, 50, 3), 255, np.uint8))
    (photos / "blank.png").write_bytes(blank)
    missing = photos / "missing.jpg"
    result = run(target, "render", photos, missing, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert len(list((tmp_path / "out").iterdir())) == 3
    for name, cause in (
        ("bad.jpg", "not a picture"),
        ("blank.png", "no product"),
        ("missing.jpg", "No such file"),
    ):
        assert any(name in line and cause in line for line in result.stderr.splitlines())
    assert "3 rendered, 3 failed" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("render",),
        ("render", "x.jpg"),
        ("render", "x.jpg", "-o", "out", "--size", "huge"),
        ("render", "x.jpg", "-o", "out", "--quality", "101"),
        ("render", "x.jpg", "-o", "out", "--scale", "1.1"),
        ("render", "x.jpg", "-o", "out", "--fill", "0.5"),
        ("render", "x.jpg", "-o", "out", "--margin", "1 2 3"),
        ("render", "x.jpg", "-o", "out", "--position", "left"),
        ("render", "x.jpg", "-o", "out", "--aspect", "4:0"),
        ("render", "x.jpg", "-o", "out", "--aspect", "4:3", "--size", "40x30"),
        ("render", "x.jpg", "-o", "out", "--background", "nosuch.jpg"),
        ("render", "x.jpg", "-o", "out", "--background", "#12345"),
        ("render", "x.jpg", "-o", "out", "--background-fit", "fit"),
        ("render", "x.jpg", "-o", "out", "--require-compliance"),
        ("render", "x.jpg", "-o", "out", "--dpi", "2401"),
        ("render", "x.jpg", "-o", "out", "--format", "tiff"),
        ("render", "x.jpg", "y.jpg", "-o", "one.jpg"),
        ("render", "x.jpg", "-o", "out", "--overwrite", "--skip-existing"),
        ("render", "nothing*.jpg", "-o", "out"),
        ("nosuch",),
    ],
)
def test_wrong_usage_exits_with_two(
    target: str, args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(target, *args).exit_code == 2


def test_lists_models(target: str) -> None:
    result = run(target, "models")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "matte     version 3    64x48      default",
        "  fake, 7 parameters, fp32; MIT",
        "  photos: iou 0.5",
        "  from nothing: nowhere (MIT)",
        "  trained by: none",
        "sleeping  not ready",
    ]


def test_health_says_ready_or_who_does_not_answer(target: str) -> None:
    assert run(target, "health").exit_code == 0
    nobody = run("127.0.0.1:1", "--timeout", "3", "health")
    assert nobody.exit_code == 1
    assert "error" in nobody.stderr
