"""Which Triton is run, and what is told where none can be."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from serving.errors import InstallError, InterpreterError, PlatformError
from serving.host import Host, check_host, has_nvidia_gpu, prepend_path
from serving.interpreter import StubInterpreter, find_interpreter, find_library, library_dirs
from serving.runtime import assemble_backends, find_installed, link_own_python

LINUX = Host(system="linux", machine="x86_64", glibc=(2, 36), python=(3, 12))


def install_triton(root: Path, *, native: bool) -> Path:
    binary = root / "bin" / "tritonserver"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)
    if native:
        backend = root / "backends" / "onnxruntime" / "libtriton_onnxruntime.so"
        backend.parent.mkdir(parents=True)
        backend.touch()
    return binary


def test_a_triton_on_the_path_with_its_native_backend_is_used(tmp_path: Path) -> None:
    binary = install_triton(tmp_path / "triton", native=True)
    assert find_installed(str(binary.parent), tmp_path / "none") == binary


def test_a_link_to_an_installed_triton_is_followed(tmp_path: Path) -> None:
    binary = install_triton(tmp_path / "triton", native=True)
    links = tmp_path / "links"
    links.mkdir()
    (links / "tritonserver").symlink_to(binary)
    assert find_installed(str(links), tmp_path / "none") == links / "tritonserver"


def test_the_containers_usual_place_is_looked_at(tmp_path: Path) -> None:
    binary = install_triton(tmp_path / "triton", native=True)
    assert find_installed("", binary) == binary


def test_a_triton_without_the_native_backend_is_passed_over(tmp_path: Path) -> None:
    bare = install_triton(tmp_path / "bare", native=False)
    full = install_triton(tmp_path / "full", native=True)
    assert find_installed(str(bare.parent), tmp_path / "none") is None
    assert find_installed(str(bare.parent), full) == full


def test_a_usual_machine_is_accepted() -> None:
    check_host(LINUX, Path("models"), ())


def test_this_machine_is_described() -> None:
    assert Host.this().system == "linux"
    assert Host.this().glibc


@pytest.mark.parametrize(
    ("host", "reason"),
    [
        (replace(LINUX, system="darwin", machine="arm64"), "this is darwin on arm64"),
        (replace(LINUX, machine="aarch64"), "this is linux on aarch64"),
        (replace(LINUX, glibc=(2, 31)), "glibc 2.35 or newer, this machine has glibc 2.31"),
        (replace(LINUX, glibc=None), "this machine has another C library"),
        (replace(LINUX, python=(3, 14)), "Python 3.11 to 3.13, this is 3.14"),
    ],
)
def test_a_machine_that_cannot_is_told_why_and_given_the_containers_command(
    host: Host, reason: str
) -> None:
    with pytest.raises(PlatformError, match=reason) as caught:
        check_host(host, Path("models"), ("matte",))
    message = str(caught.value)
    assert "docker run" in message
    assert f"-v {Path('models').resolve()}:/models:ro" in message
    assert "--load-model=matte" in message


def test_a_gpu_is_told_by_its_device(tmp_path: Path) -> None:
    (tmp_path / "nvidiactl").touch()
    assert not has_nvidia_gpu(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert has_nvidia_gpu(tmp_path)


def test_a_search_path_keeps_what_the_environment_has() -> None:
    assert prepend_path({"PATH": "/usr/bin"}, "PATH", Path("/a"), Path("/b")) == "/a:/b:/usr/bin"
    assert prepend_path({}, "PATH", Path("/a")) == "/a"


def test_the_running_python_is_fit_for_a_stub() -> None:
    interpreter = find_interpreter()
    assert (interpreter.library_dir / f"libpython{interpreter.version}.so.1.0").is_file()
    assert os.access(interpreter.executable_dir / "python3", os.X_OK)


def test_the_first_folder_with_a_shared_libpython_is_taken(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("empty", "own", "system")]
    for folder in folders:
        folder.mkdir()
    for folder in folders[1:]:
        (folder / "libpython3.12.so.1.0").touch()
    assert find_library("3.12", folders) == tmp_path / "own"


def test_a_missing_libpython_is_named_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(InterpreterError, match=r"libpython3\.12\.so\.1\.0") as caught:
        find_library("3.12", [tmp_path])
    assert "Debian, Ubuntu: libpython3.12;" in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_the_running_pythons_own_folder_comes_first() -> None:
    assert library_dirs()[0].is_dir()


def test_a_python_without_the_packages_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python3"
    # It answers the question as an interpreter does that lacks them.
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python.write_text(f"#!/bin/sh\necho {version}\necho numpy onnxruntime\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(InterpreterError, match="has no numpy and no onnxruntime"):
        find_interpreter()


def test_a_folder_without_python3_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python3.99"))
    with pytest.raises(InterpreterError, match=f"there is no {tmp_path / 'python3'}"):
        find_interpreter()


def make_wheel_folder(root: Path) -> Path:
    server = root / "pytriton" / "tritonserver"
    for path in (
        "backends/python/libtriton_python.so",
        "backends/python/triton_python_backend_utils.py",
        "python_backend_stubs/3.12/triton_python_backend_stub",
    ):
        (server / path).parent.mkdir(parents=True, exist_ok=True)
        (server / path).write_text(path)
    return root


def test_the_backends_are_put_together_without_links(tmp_path: Path) -> None:
    interpreter = StubInterpreter("3.12", tmp_path, tmp_path)
    folder = assemble_backends(make_wheel_folder(tmp_path / "w"), interpreter, tmp_path / "b")
    assert {path.name for path in (folder / "python").iterdir()} == {
        "libtriton_python.so",
        "triton_python_backend_utils.py",
        "triton_python_backend_stub",
    }
    assert (folder / "onnxruntime" / "model.py").is_file()
    assert not any(path.is_symlink() for path in folder.rglob("*"))


def test_an_incomplete_installation_is_named(tmp_path: Path) -> None:
    wheel = make_wheel_folder(tmp_path / "w")
    with pytest.raises(InstallError, match="not complete"):
        assemble_backends(wheel, StubInterpreter("3.13", tmp_path, tmp_path), tmp_path / "b")


def test_a_libpython_that_the_wheel_brings_gives_way_to_the_running_python_s(
    tmp_path: Path,
) -> None:
    """Debian's Python 3.13 has modules built in that the wheel's libpython looks for as files."""
    wheel = tmp_path / "wheel"
    (wheel / "nvidia_pytriton.libs").mkdir(parents=True)
    (wheel / "nvidia_pytriton.libs" / "libpython3-419a3a08.13.so.1.0").touch()
    own = tmp_path / "own"
    of_313 = link_own_python(wheel, StubInterpreter("3.13", own, own), tmp_path / "a")
    assert {path.name: path.readlink() for path in of_313.iterdir()} == {
        "libpython3-419a3a08.13.so.1.0": own / "libpython3.13.so.1.0"
    }
    # The stubs of the other versions ask for the distribution's by its own name.
    of_312 = link_own_python(wheel, StubInterpreter("3.12", own, own), tmp_path / "b")
    assert list(of_312.iterdir()) == []
