"""Waiting for what another thread or process brings about."""

import time
from collections.abc import Callable

_POLL_S = 0.01


def wait_until(holds: Callable[[], object], timeout_s: float = 60) -> None:
    """Wait for a condition; it is an assertion error if it does not hold in time."""
    give_up_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(_POLL_S)
