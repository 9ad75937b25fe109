"""Connections that say nothing, as many as the gateway has descriptors, and renders meanwhile."""

import socket
import time
from collections import Counter
from contextlib import ExitStack, suppress

from packshot import Client, PackshotError
from tests.attack.target import Target
from tests.support.pictures import encode, product_photo

# Of each port; a gateway of 256 descriptors has none left long before.
_MOST = 400


def attack(target: Target, seconds: float) -> str:
    """Hold idle connections to both ports; return how many, and what became of renders."""
    photo = encode(product_photo(900, 700), "JPEG")
    end_s = time.monotonic() + seconds
    outcomes: Counter[str] = Counter()
    with (
        Client(
            target.address, timeout_s=10, retries=False, ca=target.ca, api_key=target.api_key
        ) as client,
        ExitStack() as held,
    ):
        opened = 0
        while time.monotonic() < end_s:
            for address in (target.address, target.metrics_address):
                if opened < 2 * _MOST:
                    host, port = address.rsplit(":", 1)
                    with suppress(OSError):
                        connection = socket.create_connection((host, int(port)), timeout=1)
                        held.enter_context(connection)
                        opened += 1
            if opened % 100 == 0 or opened >= 2 * _MOST:
                try:
                    client.render(photo, background="white")
                    outcomes["OK"] += 1
                except PackshotError as error:
                    outcomes[error.code.name] += 1
    told = ", ".join(f"{count} {code}" for code, count in sorted(outcomes.items()))
    return f"{opened} idle connections; renders meanwhile: {told or 'none'}"
