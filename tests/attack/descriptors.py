"""Connections that say nothing, as many as the gateway has descriptors, and renders meanwhile."""

import socket
import time
from collections import Counter
from contextlib import ExitStack, suppress

from packshot import Client, PackshotError
from tests.attack.target import Target
from tests.support.pictures import encode, sample_photo

# A gateway of 256 descriptors has none left long before.
_MOST = 600
_BETWEEN_RENDERS_S = 0.5


def attack(target: Target, seconds: float) -> str:
    """Hold idle connections to both ports; return how many, and what became of renders."""
    photo = encode(sample_photo(900, 700), "JPEG")
    end_s = time.monotonic() + seconds
    outcomes: Counter[str] = Counter()
    with (
        Client(
            target.address, timeout_s=10, retries=False, ca=target.ca, api_key=target.api_key
        ) as client,
        ExitStack() as held,
    ):
        opened, next_render_s = 0, 0.0
        while time.monotonic() < end_s:
            for address in (target.address, target.metrics_address):
                if opened < _MOST:
                    host, port = address.rsplit(":", 1)
                    # Whoever no longer accepts leaves it waiting.
                    with suppress(OSError):
                        connection = socket.create_connection((host, int(port)), timeout=0.05)
                        held.enter_context(connection)
                        opened += 1
            if time.monotonic() < next_render_s and opened < _MOST:
                continue
            try:
                client.render(photo, background="white")
                outcomes["OK"] += 1
            except PackshotError as error:
                outcomes[error.code.name] += 1
            next_render_s = time.monotonic() + _BETWEEN_RENDERS_S
    told = ", ".join(f"{count} {code}" for code, count in sorted(outcomes.items()))
    return f"{opened} idle connections; renders meanwhile: {told or 'none'}"
