"""A storm of connections to the gRPC port: TLS handshakes, whole, half and none at all.

No key and no certificate is needed for it. Four processes connect as fast as they can.
"""

import multiprocessing
import socket
import ssl
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from typing import Final

from tests.attack.target import Target

PROCESSES: Final = 4
_TIMEOUT_S: Final = 5.0
_GARBAGE: Final = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + bytes(509)


def attack(target: Target, seconds: float) -> str:
    """Connect from four processes for some seconds.

    Returns:
        What came of the connections, in figures.
    """
    # Spawned, not forked: this process may have threads of gRPC's.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        began_s = time.monotonic()
        storms = [pool.submit(_storm, target.address, seconds) for _ in range(PROCESSES)]
        done = sum((storm.result() for storm in storms), Counter[str]())
        took_s = time.monotonic() - began_s
    figures = ", ".join(f"{count} {what}" for what, count in sorted(done.items()))
    return f"{figures or 'nothing'} from {PROCESSES} processes in {took_s:.1f} s"


def _storm(address: str, seconds: float) -> Counter[str]:
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    done: Counter[str] = Counter()
    end_s = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end_s:
        number += 1
        try:
            with socket.create_connection((host, int(port)), _TIMEOUT_S) as plain:
                done[_connect(plain, context, number)] += 1
        except OSError:
            done["failed connections"] += 1
    return done


def _connect(plain: socket.socket, context: ssl.SSLContext, number: int) -> str:
    """Make most handshakes whole; leave some after their first flight, or begin with nonsense."""
    if number % 20 == 0:
        plain.sendall(_GARBAGE)
        return "garbage hellos"
    if number % 10 == 0:
        hello = ssl.MemoryBIO()
        with suppress(ssl.SSLWantReadError):
            context.wrap_bio(ssl.MemoryBIO(), hello).do_handshake()
        plain.sendall(hello.read())
        return "handshakes left"
    with context.wrap_socket(plain):
        return "handshakes"
