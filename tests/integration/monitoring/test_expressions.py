"""Every expression that is watched, evaluated by a real Prometheus on a real stack."""

import re
import time
from collections.abc import Callable
from typing import Final

import pytest

from monitoring.dashboards import DASHBOARDS
from monitoring.dashboards.evaluate import filled_in
from monitoring.queries import Sample, query, rules
from tests.integration.monitoring.conftest import Watched

# What no stack without a GPU has.
GPU: Final = re.compile(r'^nv_gpu_|device="gpu"')
# What no gateway of one process has.
SEVERAL: Final = re.compile(r"^packshot_process")
# Prometheus's own, there only while something is the matter.
ALERTS: Final = "ALERTS"
_SELECTOR: Final = re.compile(r"\b([a-zA-Z_][\w:]*)(\{[^}]*\})?(?:\[\w+\])?(?![\w:(])")
# What looks like a metric's name and is a word of the language, or a label in a list of them.
_GROUPS: Final = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)")
_OPERATORS: Final = {"and", "or", "unless", "bool", "offset"}
_AGGREGATIONS: Final = {"sum", "min", "max", "avg", "count"}


def selectors(expression: str) -> set[str]:
    """Return the instant selectors of an expression, such as `up{job="gateway"}`."""
    found = set()
    for match in _SELECTOR.finditer(_GROUPS.sub("", expression)):
        name, labels = match[1], match[2] or ""
        if name not in _OPERATORS | _AGGREGATIONS and not re.fullmatch(
            r"inf|nan|\d\w*", name, re.IGNORECASE
        ):
            found.add(name + labels)
    return found


def test_selectors_are_found() -> None:
    expression = (
        'sum by (job, a) (rate(x_total{b=~"c|d", e="f"}[5m])) / on (job) (y:z:rate5m > 0)\n'
        '  unless on () max(max_over_time(ALERTS{g="h"}[1h])) or up == 0'
    )
    assert selectors(expression) == {
        'x_total{b=~"c|d", e="f"}',
        "y:z:rate5m",
        'ALERTS{g="h"}',
        "up",
    }


def with_data(
    ask: Callable[[], dict[str, list[Sample]]], timeout_s: float = 40
) -> dict[str, list[Sample]]:
    """Ask until every expression has data, or the time is up."""
    give_up_s = time.monotonic() + timeout_s
    while True:
        answers = ask()
        if all(answers.values()) or time.monotonic() > give_up_s:
            return answers
        time.sleep(0.5)


@pytest.mark.timeout(200)
def test_every_expression_has_data_and_none_errs(watched: Watched) -> None:
    url = watched.prometheus.url
    all_rules = rules(url)
    recorded = {rule["name"] for rule in all_rules if rule["type"] == "recording"}
    selected = {
        selector
        for rule in all_rules
        for selector in selectors(rule["query"])
        if not (GPU.search(selector) or SEVERAL.search(selector) or selector.startswith(ALERTS))
    }
    assert len(recorded) > 20
    assert any(selector.startswith("packshot_ready") for selector in selected)
    answers = with_data(lambda: {expr: query(url, expr) for expr in recorded | selected})
    assert not [expr for expr, samples in answers.items() if not samples]
    panels = {
        filled_in(asked.expr, "10s", "60s"): asked.need
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for asked in panel.queries
    }
    assert len(panels) > 60
    # What needs a GPU is asked as well, and may have nothing to say.
    for expr, need in panels.items():
        if need:
            query(url, expr)
    shown = with_data(
        lambda: {expr: query(url, expr) for expr, need in panels.items() if need is None}
    )
    assert not [expr for expr, samples in shown.items() if not samples]
    after = rules(url)
    assert {rule["health"] for rule in after} == {"ok"}, [
        (rule["name"], rule["lastError"]) for rule in after if rule["health"] != "ok"
    ]
