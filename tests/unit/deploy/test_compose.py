"""The compose file: valid, of one mind with the settings and with the images."""

import json
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from processes.settings import load
from tests.support.recipes import CONFIGS, USER, recipe, settings_of
from tools.compose_prometheus import for_compose

FILE = Path("deploy/compose.yaml")
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: found for name, found in SERVICES.items() if found["image"].startswith("packshot-")}


def image_of(name: str) -> str:
    return str(OURS[name]["image"]).removeprefix("packshot-")


def module_of(name: str) -> str:
    command = recipe(image_of(name)).command()
    return str(OURS[name].get("command", command[2:])[0])


def environment_of(name: str) -> dict[str, str]:
    """Return what the service's process gets: the image's environment and the file's."""
    given = {
        variable: re.sub(r"\$\{\w+:-(.*)\}", r"\1", str(value))
        for variable, value in OURS[name].get("environment", {}).items()
    }
    return {**recipe(image_of(name)).environment(), **given}


def test_it_is_what_the_compose_specification_allows() -> None:
    folder = resources.files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    # The schema would find a wrong name.
    wrong = {**COMPOSE, "services": {"gateway": {"imagge": "packshot-gateway"}}}
    assert list(validator.iter_errors(wrong)) != []


def test_each_profile_is_a_whole() -> None:
    def in_profile(profile: str) -> set[str]:
        return {name for name, service in SERVICES.items() if profile in service["profiles"]}

    assert in_profile("cpu") == {"serving-cpu", "gateway", "web"}
    assert in_profile("gpu") == {"serving-gpu", "gateway", "web"}
    assert in_profile("monitoring") == {"prometheus", "grafana", "collector"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_is_its_image_with_settings_that_its_process_takes(name: str) -> None:
    module = module_of(name)
    given = {each for each in OURS[name].get("environment", {}) if each.startswith("PACKSHOT_")}
    assert given <= settings_of(module)
    # The process's own check of every value.
    load(CONFIGS[module], environment_of(name), [], module)
    build = OURS[name]["build"]
    assert (FILE.parent / build["context"] / build["dockerfile"]).is_file()
    assert Path(build["dockerfile"]).stem == image_of(name)


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_service_may_do_no_more_than_it_must(name: str) -> None:
    service = OURS[name]
    assert service["user"] == USER
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert any(each.startswith("/tmp:") for each in service["tmpfs"])  # noqa: S108


@pytest.mark.parametrize("name", sorted(OURS))
def test_its_end_is_waited_for_longer_than_it_takes(name: str) -> None:
    config: Any = load(CONFIGS[module_of(name)], environment_of(name), [], name)
    grace_s = int(OURS[name]["stop_grace_period"].removesuffix("s"))
    takes_s = {"gateway": "drain_timeout_s", "web": "drain_timeout_s", "serving": "exit_timeout_s"}
    # After the drain: 4 s for steps and 3 s for credits, or 10 s until Triton is killed.
    assert grace_s > getattr(config, takes_s[module_of(name)]) + 10


def test_ports_are_open_to_this_machine_alone_and_lead_to_listeners() -> None:
    for name, service in SERVICES.items():
        for published in service.get("ports", []):
            host, _, inner = published.split(":")
            assert host == "127.0.0.1"
            if name in OURS:
                assert inner in recipe(image_of(name)).of("EXPOSE")[0].split()
    assert environment_of("gateway")["PACKSHOT_TRITON"] == "triton:8001"
    for name in ("serving-cpu", "serving-gpu"):
        assert OURS[name]["networks"]["default"]["aliases"] == ["triton"]
        assert environment_of(name)["PACKSHOT_TRITON_GRPC_PORT"] == "8001"
    assert environment_of("web")["PACKSHOT_WEB_GATEWAY"] == "gateway:50051"
    assert environment_of("gateway")["PACKSHOT_PORT"] == "50051"


@pytest.mark.parametrize("name", ["gateway", "web"])
def test_its_health_check_is_the_image_s_program_asking_for_readiness(name: str) -> None:
    kind, *check = OURS[name]["healthcheck"]["test"]
    assert kind == "CMD"
    assert check[:2] == recipe("gateway").health_check()[:2]
    assert check[2] in environment_of(name)
    assert check[3] == "/readyz"


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (FILE.parent / source).exists()
            else:
                assert source in COMPOSE["volumes"]


def test_prometheus_follows_monitoring_s_one_configuration(tmp_path: Path) -> None:
    source = Path("monitoring/prometheus/prometheus.yml").read_text()
    written = Path("deploy/compose/prometheus.yml").read_text()
    assert written == for_compose(source)
    ports = {"gateway": "PACKSHOT_METRICS_PORT", "triton": "PACKSHOT_TRITON_METRICS_PORT"}
    services = {"gateway": "gateway", "triton": "serving-cpu"}
    for job in yaml.safe_load(written)["scrape_configs"]:
        name = job["job_name"]
        (found,) = job["dns_sd_configs"]
        assert str(found["port"]) == environment_of(services[name])[ports[name]]
    if promtool := shutil.which("promtool"):
        shutil.copytree("monitoring/prometheus/rules", tmp_path / "rules")
        (tmp_path / "prometheus.yml").write_text(written)
        done = subprocess.run(
            [promtool, "check", "config", tmp_path / "prometheus.yml"],
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_collector_listens_where_traces_are_sent_by_the_file_s_own_words() -> None:
    collector = yaml.safe_load(Path("deploy/compose/collector.yaml").read_text())
    port = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    assert f"PACKSHOT_OTLP_ENDPOINT=http://collector:{port}" in FILE.read_text()
    pipeline = collector["service"]["pipelines"]["traces"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) <= set(collector[kind])


def test_the_command_that_the_documents_name_is_the_file_s_own() -> None:
    command = "docker compose -f deploy/compose.yaml --profile cpu up --build --wait"
    for document in ("README.md", "docs/images.md", "deploy/compose.yaml"):
        assert command in Path(document).read_text()
