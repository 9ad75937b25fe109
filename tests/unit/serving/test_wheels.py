"""Wheels installed apart, by the real pip from a folder of wheels."""

import threading
import zipfile
from pathlib import Path

import pytest

from serving.errors import InstallError
from serving.wheels import ensure_wheel


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only index, with one wheel that wants another."""
    folder = tmp_path / "index"
    folder.mkdir()
    name = "toy_binary-1.0"
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("toy/tool", "a tool")
        wheel.writestr(
            f"{name}.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: toy-binary\nVersion: 1.0\nRequires-Dist: numpy<2\n",
        )
        wheel.writestr(
            f"{name}.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr(f"{name}.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_wheel_is_installed_once_and_without_its_dependencies(
    tmp_path: Path, index: Path
) -> None:
    folder = tmp_path / "a folder" / ".triton"
    installed = ensure_wheel("toy-binary==1.0", folder, 1)
    assert (installed / "toy" / "tool").read_text() == "a tool"
    assert not (installed / "numpy").exists()
    for wheel in index.iterdir():
        wheel.unlink()
    assert ensure_wheel("toy-binary==1.0", folder, 1) == installed


def test_two_that_ask_at_once_get_the_same_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(ensure_wheel("toy-binary==1.0", tmp_path, 1)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [tmp_path / "toy-binary-1.0"] * 2
    assert caplog.text.count("installed toy-binary==1.0 in") == 1


def test_what_an_interrupted_installation_left_is_cleared_away(tmp_path: Path) -> None:
    left = tmp_path / "toy-binary-1.0.unfinished-abc"
    left.mkdir()
    ensure_wheel("toy-binary==1.0", tmp_path, 1)
    assert not left.exists()


def test_pips_reason_is_passed_on_and_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "target"
    with pytest.raises(InstallError, match="No matching distribution found for absent==3"):
        ensure_wheel("absent==3", folder, 1)
    assert [path.name for path in folder.iterdir()] == ["absent-3.lock"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InstallError, match=r"cannot install toy-binary==1\.0 into"):
        ensure_wheel("toy-binary==1.0", tmp_path / "file" / "folder", 1)
