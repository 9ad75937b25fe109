"""What a supervisor tells a gateway process of its place."""

from dataclasses import dataclass
from pathlib import Path

from gateway.config import GatewayConfig


@dataclass(frozen=True, slots=True)
class Place:
    """A gateway process's place among several.

    Attributes:
        number: Its number, from 1.
        supervisor: The supervisor's process id.
        config: Its own settings.
        rates: The file in which all count the calls of each API key.
    """

    number: int
    supervisor: int
    config: GatewayConfig
    rates: Path
