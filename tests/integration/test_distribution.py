"""What a caller's service installs: the client alone, with grpcio and protobuf."""

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.integration.processes import ROOT


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but the distribution in it."""
    folder = tmp_path_factory.mktemp("caller")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "-q", ROOT], check=True, timeout=110)
    return folder / "bin"


def test_it_brings_grpcio_and_protobuf_and_no_more(bin_folder: Path) -> None:
    listed = subprocess.run(
        [bin_folder / "pip", "list", "--format", "freeze"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = {line.partition("==")[0].partition(" ")[0] for line in listed.stdout.splitlines()}
    # typing_extensions is grpcio's own need.
    assert names - {"pip", "setuptools"} == {"packshot", "grpcio", "protobuf", "typing_extensions"}


def test_it_can_be_imported_and_holds_the_stubs_and_types(bin_folder: Path) -> None:
    code = (
        "import packshot, importlib.resources as r;"
        "from packshot.v1 import packshot_pb2, packshot_pb2_grpc;"
        "packshot.Client('localhost:1').close();"
        "print((r.files('packshot') / 'py.typed').is_file())"
    )
    run = subprocess.run(
        [bin_folder / "python", "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "True"


def test_the_command_without_its_extra_says_what_to_install(bin_folder: Path) -> None:
    run = subprocess.run(
        [bin_folder / "packshot", "models"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "packshot[cli]" in run.stderr


def test_the_supported_pythons_are_stated() -> None:
    assert (3, 11) <= sys.version_info < (3, 14)
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text()
