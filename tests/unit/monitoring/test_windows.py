import pytest
import yaml

from monitoring.prometheus_server import RULES
from monitoring.windows import rules_at, shortened


@pytest.mark.parametrize(
    ("duration", "speed", "expected"),
    [("5m", 60, "5000ms"), ("1d", 60, "1440000ms"), ("15s", 60, "250ms"), ("10ms", 60, "1ms")],
)
def test_a_duration_is_divided(duration: str, speed: float, expected: str) -> None:
    assert shortened(duration, speed) == expected


@pytest.mark.parametrize("duration", ["", "5", "5 m", "1h30m", "five minutes"])
def test_what_is_no_duration_is_an_error(duration: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        shortened(duration, 60)


def test_everything_that_lasts_in_a_rule_is_shortened_and_nothing_else() -> None:
    rules = """
groups:
  - name: g
    interval: 30s
    rules:
      - record: a:b:rate5m
        expr: rate(a{path="[5m]x"}[5m]) + a offset 1h > 5
      - alert: B
        expr: max_over_time(b[1m]) > 300
        for: 10m
"""
    group = yaml.safe_load(rules_at(rules, 60))["groups"][0]
    assert group["interval"] == "500ms"
    # A window of one second would hold a single sample, of which there is no rate.
    recorded, alert = group["rules"]
    assert recorded["record"] == "a:b:rate5m"
    assert recorded["expr"].endswith("[5000ms]) + a offset 60000ms > 5")
    assert alert == {"alert": "B", "expr": "max_over_time(b[3000ms]) > 300", "for": "10000ms"}


def test_at_its_own_speed_a_file_means_the_same() -> None:
    for file in RULES.glob("*.yml"):
        given = yaml.safe_load(file.read_text())["groups"]
        made = yaml.safe_load(rules_at(file.read_text(), 1))["groups"]
        assert len(made) == len(given)
        for before, after in zip(given, made, strict=True):
            assert [set(rule) for rule in after["rules"]] == [set(rule) for rule in before["rules"]]
