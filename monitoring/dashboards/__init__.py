"""Grafana's dashboards: what they show, as data, from which JSON, pictures and tests are made."""

from typing import Final

from monitoring.dashboards.accounts import ACCOUNTS
from monitoring.dashboards.capacity import CAPACITY
from monitoring.dashboards.overview import OVERVIEW
from monitoring.dashboards.panels import Dashboard
from monitoring.dashboards.triton import TRITON

DASHBOARDS: Final[tuple[Dashboard, ...]] = (OVERVIEW, TRITON, CAPACITY, ACCOUNTS)

__all__ = ["DASHBOARDS"]
