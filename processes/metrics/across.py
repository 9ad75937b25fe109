"""What several processes that show one metric make of it."""

from enum import StrEnum


class Across(StrEnum):
    """How the values of processes that live become one; those of a counter are always summed."""

    SUM = "sum"
    LEAST = "min"
    MOST = "max"

    @property
    def mode(self) -> str:
        """The name that prometheus_client's multiprocess mode has for it."""
        return f"live{self}"
