"""Prometheus's rules: valid, tested case by case by promtool itself, and documented."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.observability.metrics import all_metrics
from gateway.supervision import metrics as supervision
from monitoring.prometheus_server import CONFIGURATION, RULES, write_configuration
from processes.metrics import Kind
from tests.support.prometheus import need

CASES = CONFIGURATION.parent / "tests"
SEVERITIES = {"page", "ticket", "info"}


def rules(kind: str) -> list[dict[str, Any]]:
    return [
        rule
        for file in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if kind in rule
    ]


ALERTS = sorted({rule["alert"] for rule in rules("alert")})


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(
        [need("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_and_its_rules_are_valid() -> None:
    promtool("check", "config", CONFIGURATION)


def test_so_are_those_of_a_drill(tmp_path: Path) -> None:
    written = write_configuration(["127.0.0.1:1"], ["127.0.0.1:2"], tmp_path, 120, 0.5)
    promtool("check", "config", written)
    assert len(list((tmp_path / "rules").iterdir())) == len(list(RULES.iterdir()))


def test_every_case_is_as_expected() -> None:
    promtool("test", "rules", *sorted(CASES.glob("*.yml")))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_case_that_fires_and_one_that_does_not(alert: str) -> None:
    names = [case["name"] for case in yaml.safe_load((CASES / "alerts.yml").read_text())["tests"]]
    assert any(re.match(rf"{alert}\b", name) for name in names)
    assert any(re.match(rf"not {alert}\b", name) for name in names)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_is_the_matter_and_where_to_read_on(alert: str, root: Path) -> None:
    for rule in (rule for rule in rules("alert") if rule["alert"] == alert):
        assert rule["labels"]["severity"] in SEVERITIES
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        document, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert anchor == alert.lower()
        headings = re.findall(r"^## (.+)$", (root / document).read_text(), re.MULTILINE)
        assert alert in headings
        assert f"`{alert}`" in (root / "docs/monitoring.md").read_text()


def test_every_recording_rule_has_a_case_or_is_one_of_its_windows() -> None:
    cases = yaml.safe_load((CASES / "recording.yml").read_text())["tests"]
    tested = {
        re.sub(r"\d+[mhd]$", "", test["expr"])
        for case in cases
        for test in case["promql_expr_test"]
    }
    assert {re.sub(r"\d+[mhd]$", "", rule["record"]) for rule in rules("record")} == tested


def test_the_metrics_that_rules_name_are_the_catalogue_s() -> None:
    suffixes = {Kind.HISTOGRAM: ("_bucket", "_count", "_sum")}
    known = {
        metric.name + suffix
        for metric in (*all_metrics(), *supervision.all_metrics())
        for suffix in suffixes.get(metric.kind, ("",))
    }
    for rule in (*rules("record"), *rules("alert")):
        named = set(re.findall(r"(?<![\w:])packshot_\w+(?![\w:])", rule["expr"]))
        assert named <= known, rule
