"""A panel's expressions with Grafana's variables filled in, as Prometheus can evaluate them."""

from collections.abc import Mapping
from typing import Final

from monitoring.dashboards.panels import INSTANCE, TEXT_VARIABLES

_DEFAULTS: Final[Mapping[str, str]] = {
    INSTANCE: ".*",
    **{name: value for name, (_, value) in TEXT_VARIABLES.items()},
}


def filled_in(expr: str, rate_interval: str = "1m", time_range: str = "1h") -> str:
    """Fill an expression's variables in.

    Args:
        expr: The expression.
        rate_interval: What Grafana makes of the scrape interval and the resolution.
        time_range: What is shown.

    Returns:
        The expression without a variable.
    """
    values = {"__rate_interval": rate_interval, "__range": time_range, **_DEFAULTS}
    # The longest first: none is the beginning of another then.
    for name in sorted(values, key=len, reverse=True):
        expr = expr.replace(f"${name}", values[name])
    return expr
