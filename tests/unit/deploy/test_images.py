"""The images' Dockerfiles, as far as they can be held without a build (`make images`)."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from processes.settings import load
from tests.support.recipes import CONFIGS, FOLDER, IMAGES, USER, recipe, settings_of


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    files = sorted(FOLDER.glob("*.Dockerfile"))
    assert {file.stem for file in files} == set(IMAGES)
    done = subprocess.run(
        [hadolint, "--no-color", *files], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_copied_is_there_and_let_into_the_build(image: str) -> None:
    let_in = {
        line.removeprefix("!")
        for line in Path(".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = [
        source
        for arguments in recipe(image).of("COPY", last=False)
        if "--from=" not in arguments
        for source in arguments.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert Path(source).exists()
        assert source in let_in


@pytest.mark.parametrize("image", IMAGES)
def test_it_runs_as_nobody_s_user_without_a_shell(image: str) -> None:
    found = recipe(image)
    assert found.of("USER") == [USER]
    # A list each: `json.loads` in the reading refuses a shell's line.
    program, dash, module = found.command()
    assert (program, dash) == ("python", "-m")
    assert importlib.util.find_spec(f"{module}.__main__")
    assert found.health_check()[0] == "python"
    assert found.of("STOPSIGNAL") == ["SIGTERM"]


@pytest.mark.parametrize("image", IMAGES)
def test_its_settings_are_ones_that_its_process_knows(image: str) -> None:
    found = recipe(image)
    module = found.command()[2]
    modules = ("gateway", "web") if image == "gateway" else (module,)
    environment = found.environment()
    ours = {name for name in environment if name.startswith("PACKSHOT_")}
    assert ours
    assert ours <= settings_of(*modules)
    for each in modules:
        host = "PACKSHOT_ALLOW_ANONYMOUS" if each == "gateway" else "PACKSHOT_LOG_FORMAT"
        value = "yes" if each == "gateway" else "json"
        config: Any = load(CONFIGS[each], {**environment, host: value}, [], each)
        assert config.host == "0.0.0.0"  # noqa: S104
        # The ports are the settings' own, so that whoever knows one knows the image.
        defaults = CONFIGS[each]()
        assert {name: getattr(config, name) for name in dir(config) if name.endswith("port")} == {
            name: getattr(defaults, name) for name in dir(defaults) if name.endswith("port")
        }


@pytest.mark.parametrize("image", IMAGES)
def test_its_health_check_asks_a_port_and_path_that_there_are(image: str) -> None:
    found = recipe(image)
    _, program, variable, path = found.health_check()
    assert program == "/opt/packshot/app/probe.py"
    assert variable in found.environment()
    assert found.environment()[variable] in found.of("EXPOSE")[0].split()
    assert path == ("/livez" if image == "gateway" else "/v2/health/ready")


@pytest.mark.parametrize("image", IMAGES)
def test_its_packages_are_the_lock_s(image: str) -> None:
    locked = tomllib.loads(Path("uv.lock").read_text())["package"]
    (version,) = (package["version"] for package in locked if package["name"] == "uv")
    text = (FOLDER / f"{image}.Dockerfile").read_text()
    assert f"ARG UV_VERSION={version}\n" in text
    groups = tomllib.loads(Path("pyproject.toml").read_text())["dependency-groups"]
    asked = set(re.findall(r"--(?:only-)?group ([a-z-]+)", text))
    assert asked
    assert asked <= set(groups)
    syncs = re.findall(r"uv sync .*", text)
    assert syncs
    assert all("--frozen" in sync for sync in syncs)


@pytest.mark.parametrize("image", IMAGES)
def test_it_has_the_labels_that_registries_show(image: str) -> None:
    labels = " ".join(recipe(image).of("LABEL"))
    for name in ("title", "description", "licenses", "version", "revision", "source", "base.name"):
        assert f"org.opencontainers.image.{name}=" in labels
    version = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
    assert recipe(image).of("ARG").count(f"VERSION={version}") == 1


def test_the_gateway_s_image_reads_no_heic_unless_it_is_asked_to() -> None:
    text = (FOLDER / "gateway.Dockerfile").read_text()
    assert 'ARG EXTRA_GROUPS=""' in text
    assert "--group heif" not in text
