"""Queries to a Prometheus, by its HTTP interface (https://prometheus.io/docs/prometheus/latest/querying/api/)."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

_TIMEOUT_S: Final = 30.0


class QueryError(Exception):
    """Prometheus did not answer, or refused the query; the message says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series at one moment.

    Attributes:
        labels: Its labels, its name among them.
        value: Its value; may be infinite or no number.
        time_s: The moment, seconds since the epoch.
    """

    labels: dict[str, str]
    value: float
    time_s: float


@dataclass(frozen=True, slots=True)
class Series:
    """One series over a time.

    Attributes:
        labels: Its labels, its name among them.
        times_s: Moments, seconds since the epoch.
        values: A value for each.
    """

    labels: dict[str, str]
    times_s: list[float]
    values: list[float]


def query(base_url: str, expr: str) -> list[Sample]:
    """Evaluate an expression now; a scalar is a sample without labels.

    Raises:
        QueryError: Prometheus is away or refuses the expression.
    """
    data = _get(base_url, "query", {"query": expr})
    if data["resultType"] == "scalar":
        time_s, value = data["result"]
        return [Sample({}, _number(value), float(time_s))]
    return [
        Sample(each["metric"], _number(each["value"][1]), float(each["value"][0]))
        for each in data["result"]
    ]


def query_range(
    base_url: str, expr: str, start_s: float, end_s: float, step_s: float
) -> list[Series]:
    """Evaluate an expression over a time.

    Args:
        base_url: Prometheus's address, http://HOST:PORT.
        expr: The expression.
        start_s: The first moment, seconds since the epoch.
        end_s: The last.
        step_s: Seconds between two.

    Raises:
        QueryError: Prometheus is away or refuses the expression.
    """
    span = {"start": f"{start_s:.3f}", "end": f"{end_s:.3f}", "step": f"{step_s:g}"}
    data = _get(base_url, "query_range", {"query": expr, **span})
    return [
        Series(
            each["metric"],
            [float(time_s) for time_s, _ in each["values"]],
            [_number(value) for _, value in each["values"]],
        )
        for each in data["result"]
    ]


def firing(base_url: str) -> dict[str, str]:
    """Return the names of the alerts that fire now, with the gravest severity of each."""
    grave = ("info", "ticket", "page")
    found: dict[str, str] = {}
    for alert in _get(base_url, "alerts", {})["alerts"]:
        if alert["state"] == "firing":
            name, severity = alert["labels"]["alertname"], alert["labels"]["severity"]
            found[name] = max(severity, found.get(name, "info"), key=grave.index)
    return found


def rules(base_url: str) -> list[dict[str, Any]]:
    """Return every rule, with its health, its last error and, of an alert, its state."""
    groups = _get(base_url, "rules", {})["groups"]
    return [rule for group in groups for rule in group["rules"]]


def targets(base_url: str) -> dict[str, str]:
    """Return the health of what is scraped, "up", "down" or "unknown", by its address."""
    active = _get(base_url, "targets", {})["activeTargets"]
    return {each["scrapeUrl"]: each["health"] for each in active}


def _get(base_url: str, what: str, parameters: Mapping[str, str]) -> Any:
    url = f"{base_url.rstrip('/')}/api/v1/{what}?{urlencode(parameters)}"
    try:
        with urlopen(url, timeout=_TIMEOUT_S) as reply:  # noqa: S310  http, by its callers
            return json.load(reply)["data"]
    except HTTPError as exc:
        with exc:
            text = exc.read().decode(errors="replace")
        raise QueryError(f"{url}: {text}") from exc
    except (OSError, HTTPException, ValueError, KeyError) as exc:
        raise QueryError(f"{url}: {exc}") from exc


def _number(text: str) -> float:
    return {"+Inf": math.inf, "-Inf": -math.inf, "NaN": math.nan}.get(text) or float(text)
