"""The lock: of one mind with pyproject.toml, complete, and of the public index alone."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from serving.runtime import EMBEDDED

LOCK = Path("uv.lock")
UV = str(Path(sys.executable).with_name("uv"))
PYTHONS = ("3.11", "3.12", "3.13")
GROUPS = ("gateway", "web", "heif", "serving", "serving-gpu", "serving-openvino", "triton")


def locked() -> list[dict[str, Any]]:
    return list(tomllib.loads(LOCK.read_text())["package"])


def required(group: str) -> list[Requirement]:
    """Return what a group installs, each with its version and where it applies."""
    done = subprocess.run(
        [
            *(UV, "export", "--frozen", "--offline", "--no-emit-project"),
            *("--no-hashes", "--no-annotate", "--no-header", "--only-group", group),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return list(map(Requirement, done.stdout.splitlines()))


def test_the_lock_is_what_pyproject_asks_for() -> None:
    """Needs no network: uv compares, and resolves only where they differ."""
    done = subprocess.run(
        [UV, "lock", "--check", "--offline"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, f"run make lock: {done.stderr}"


def test_the_lock_names_the_public_index_and_no_other_place() -> None:
    places = set(re.findall(r'https?://[^/"\s]+', LOCK.read_text()))
    assert places == {"https://pypi.org", "https://files.pythonhosted.org"}
    for package in locked():
        assert package["source"] in ({"registry": "https://pypi.org/simple"}, {"editable": "."})
        for file in package.get("wheels", []):
            assert file["hash"].startswith("sha256:"), package["name"]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("group", GROUPS)
def test_there_are_wheels_of_all_that_runs(group: str, python: str) -> None:
    """Linux on x86-64, of what the images install: an image has no compiler."""
    packages = {(package["name"], package["version"]): package for package in locked()}
    place = {
        **default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.0",
    }
    wanted = [
        (each.name, str(each.specifier).removeprefix("=="))
        for each in required(group)
        if each.marker is None or each.marker.evaluate(cast("dict[str, str]", place))
    ]
    assert wanted
    assert len({name for name, _ in wanted}) == len(wanted)
    assert [each for each in wanted if not _has_wheel(packages[each], python)] == []


@pytest.mark.parametrize("other", ["serving-gpu", "serving-openvino"])
def test_two_builds_of_onnx_runtime_are_refused_together(other: str) -> None:
    done = subprocess.run(
        [UV, "export", "--frozen", "--offline", "--group", "serving", "--group", other],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "incompatible" in done.stderr
    assert other in done.stderr


def test_the_embedded_triton_is_the_one_that_serving_installs() -> None:
    assert [f"{each.name}{each.specifier}" for each in required("triton")] == [EMBEDDED]


def _has_wheel(package: dict[str, Any], python: str) -> bool:
    number = python.replace(".", "")
    for wheel in package.get("wheels", []):
        tags = wheel["url"].rpartition("/")[2].removesuffix(".whl").split("-")[-3:]
        interpreters, abis, platforms = (tag.split(".") for tag in tags)
        fits = {f"cp{number}", f"py{number}", "py3"} & set(interpreters) or "abi3" in abis
        runs = any("x86_64" in name and "linux" in name for name in platforms)
        if fits and (runs or platforms == ["any"]):
            return True
    return False
