"""Grafana's dashboards: as the code says, whole, and of metrics that exist."""

import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalogue import telemetry
from gateway.observability.metrics import all_metrics
from monitoring.dashboards import DASHBOARDS
from monitoring.dashboards.command import FOLDER
from monitoring.dashboards.evaluate import filled_in
from monitoring.dashboards.grafana import as_json
from monitoring.dashboards.panels import COLUMNS, Dashboard, Panel
from processes.metrics import Kind as MetricKind
from tests.support.prometheus import need

PANELS = [
    pytest.param(panel, id=f"{dashboard.uid}-{panel.title}")
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
]
EVERY = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)


def read(dashboard: Dashboard) -> Any:
    return json.loads((FOLDER / f"{dashboard.uid}.json").read_text())


@EVERY
def test_the_file_is_as_the_code_says(dashboard: Dashboard) -> None:
    assert (FOLDER / f"{dashboard.uid}.json").read_text() == as_json(dashboard)


def test_there_is_no_file_of_another() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {each.uid for each in DASHBOARDS}


@EVERY
def test_grafana_finds_in_the_file_what_it_needs(dashboard: Dashboard) -> None:
    made = read(dashboard)
    assert (made["uid"], made["title"]) == (dashboard.uid, dashboard.title)
    panels = [panel for panel in made["panels"] if panel["type"] != "row"]
    assert [panel["title"] for panel in panels] == [panel.title for panel in dashboard.panels]
    assert len({panel["id"] for panel in made["panels"]}) == len(made["panels"])
    for panel, spec in zip(panels, dashboard.panels, strict=True):
        assert panel["fieldConfig"]["defaults"]["unit"] == spec.unit
        assert panel["datasource"]["uid"] == "${datasource}"
        assert [target["expr"] for target in panel["targets"]] == [q.expr for q in spec.queries]
    variables = [variable["name"] for variable in made["templating"]["list"]]
    used = set(re.findall(r"\$(\w+)", json.dumps([p["targets"] for p in panels])))
    assert used - {"__rate_interval", "__range"} <= set(variables)


@EVERY
def test_nothing_overlaps_or_stands_beside_the_sheet(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for _, place in dashboard.places():
        mine = set(
            itertools.product(
                range(place.x, place.x + place.width), range(place.y, place.y + place.height)
            )
        )
        assert place.x + place.width <= COLUMNS
        assert not taken & mine
        taken |= mine


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows(panel: Panel) -> None:
    assert panel.title
    assert panel.about.endswith(".")
    assert panel.queries
    for query in panel.queries:
        assert query.legend or len(panel.queries) == 1
        assert "$" not in filled_in(query.expr)


def test_expressions_are_promql(tmp_path: Path) -> None:
    expressions = [
        filled_in(query.expr)
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for query in panel.queries
    ]
    rules = [{"record": f"e{number}", "expr": expr} for number, expr in enumerate(expressions)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        [need("promtool"), "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_of_the_gateway_is_on_a_dashboard_and_no_other() -> None:
    suffix = {MetricKind.HISTOGRAM: "(?:_bucket|_count|_sum)"}
    names = {metric.name: metric.name + suffix.get(metric.kind, "") for metric in all_metrics()}
    shown = " ".join(
        query.expr
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for query in panel.queries
    )
    missing = {name for name, pattern in names.items() if not re.search(rf"\b{pattern}\b", shown)}
    assert not missing
    known = [*names.values(), *(metric.name for metric in telemetry.all_metrics())]
    for named in set(re.findall(r"\bpackshot_\w+", shown)):
        assert any(re.fullmatch(pattern, named) for pattern in known), named


@pytest.mark.parametrize("what", ["datasources", "dashboards"])
def test_the_provisioning_is_read_as_yaml_with_its_version(what: str) -> None:
    for file in (FOLDER.parent / "provisioning" / what).glob("*.yml"):
        assert yaml.safe_load(file.read_text())["apiVersion"] == 1
