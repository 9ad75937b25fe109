"""What each of several processes may use of what one setting says for all."""

import dataclasses
import math
from typing import Final

from gateway.config import GatewayConfig
from imaging.decode.pixels_held import MOST_CHARGED

# What one process needs to serve more than one caller, whatever the number of processes.
_LEAST: Final = {"max_in_flight": 4, "max_streams": 4, "max_receiving": 4, "max_connections": 64}


def share(config: GatewayConfig, number: int) -> GatewayConfig:
    """Return the settings of one of `config.processes` processes.

    Threads and decode workers are divided, at least one to each. So are the limits, rounded up, but
    each process has room for the largest request and for a few callers. So the limits of many
    processes may come to more than the setting.

    Args:
        config: The settings of all.
        number: Which of them, from 1.
    """
    processes = config.processes
    limits = {
        name: max(math.ceil(getattr(config, name) / processes), min(getattr(config, name), least))
        for name, least in {
            **_LEAST,
            "max_bytes_in_flight": 2 * config.max_photo_bytes,
            "max_pixels_in_flight": MOST_CHARGED * config.max_photo_pixels,
        }.items()
    }
    return dataclasses.replace(
        config,
        processes=1,
        cpu_threads=_part(config.worker_threads, processes, number),
        decode_workers=_part(config.decode_workers, processes, number)
        if config.decode_workers > 0
        else config.decode_workers,
        **limits,
    )


def _part(total: int, processes: int, number: int) -> int:
    """Return a part of a number; the first processes have the remainder."""
    return max(1, total // processes + (number <= total % processes))
