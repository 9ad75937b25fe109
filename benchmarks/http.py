"""The cost of HTTP: images a second beside gRPC, and memory under slow uploads.

Rounds of both ways alternate, so that what disturbs the machine disturbs both. The ratio of each
pair of rounds is what counts.
"""

import argparse
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import urlsplit

import psutil

from benchmarks.load.usage import Usage
from benchmarks.peers.callers import Connect, HttpCaller, PackshotCaller
from benchmarks.peers.turn import take_turn
from deploy.local.stack import Stack, running_aside

_PATH: Final = "/v1.0/removebg"
_FIELDS: Final = {"size": "full", "format": "jpg", "bg_color": "white"}
_STEPS: Final = 40


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--photo", type=Path, default=Path("samples/mug.jpg"), help="the photo")
    parser.add_argument("--callers", type=int, default=4, help="callers at once")
    parser.add_argument("--rounds", type=int, default=6, help="rounds of each way")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one round")
    parser.add_argument("--slow-callers", type=int, default=64, help="callers that upload slowly")
    parser.add_argument("--slow-seconds", type=float, default=20.0, help="length of an upload")


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure both and print the figures."""
    photo = arguments.photo.read_bytes()
    with tempfile.TemporaryDirectory() as scratch, running_aside(Path(scratch), web=True) as stack:
        port = urlsplit(stack.page).port or 80
        _compare(stack, port, photo, arguments)
        _watch_memory(stack, port, photo, arguments.slow_callers, arguments.slow_seconds)


def _compare(stack: Stack, port: int, photo: bytes, arguments: argparse.Namespace) -> None:
    options = {"background": "white", "format": "jpeg"}
    ways: dict[str, Connect] = {
        "gRPC": partial(PackshotCaller, stack.target, [photo], options),
        "HTTP": partial(HttpCaller, port, _PATH, [photo], "image_file", _FIELDS),
    }
    parts = {part.name: part.process.pid for part in stack.parts}
    for connect in ways.values():
        take_turn(connect, list(parts.values()), arguments.callers, 1.0, 0.0)
    ratios = []
    cpu_s = dict.fromkeys(parts, 0.0)
    images = 0
    for number in range(arguments.rounds):
        rates = {}
        for way in sorted(ways, reverse=bool(number % 2)):
            before = {name: Usage.of([pid]).cpu_s for name, pid in parts.items()}
            turn = take_turn(
                ways[way], list(parts.values()), arguments.callers, arguments.seconds, 0.0
            )
            rates[way] = turn.images_per_s
            if way == "HTTP":
                images += len(turn.latencies_s)
                for name, pid in parts.items():
                    cpu_s[name] += Usage.of([pid]).cpu_s - before[name]
        ratios.append(rates["HTTP"] / rates["gRPC"])
        told = ", ".join(f"{way} {rate:.1f}/s" for way, rate in sorted(rates.items()))
        print(f"round {number + 1}: {told}, ratio {ratios[-1]:.3f}", flush=True)
    print(
        f"HTTP makes {median(ratios):.3f} of gRPC's images a second "
        f"({min(ratios):.3f} to {max(ratios):.3f}), {arguments.callers} callers"
    )
    told = ", ".join(f"{name} {1000 * seconds / images:.1f} ms" for name, seconds in cpu_s.items())
    print(f"processor time of an image by HTTP: {told}")


def _watch_memory(stack: Stack, port: int, photo: bytes, callers: int, seconds: float) -> None:
    """Upload from many callers at once, a little at a time, three times, and watch the memory."""
    (web,) = (part.process.pid for part in stack.parts if part.name == "web")
    memory = psutil.Process(web).memory_info
    caller = HttpCaller(port, _PATH, [photo], "image_file", _FIELDS)
    print(
        f"{callers} callers upload {len(photo)} bytes each within {seconds:g} s, three times; "
        f"the web process before: {memory().rss / 2**20:.1f} MiB"
    )
    for number in range(3):
        peaks = [memory().rss for _ in _upload_slowly(caller, callers, seconds)]
        print(
            f"pass {number + 1}: at most {max(peaks) / 2**20:.1f} MiB, "
            f"after it {memory().rss / 2**20:.1f} MiB"
        )


def _upload_slowly(caller: HttpCaller, callers: int, seconds: float) -> Iterator[None]:
    body = caller.bodies[0]
    head = (
        f"POST {_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{caller.port}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: {caller.content_type}\r\nConnection: close\r\n\r\n"
    ).encode()
    with ExitStack() as held:
        address = ("127.0.0.1", caller.port)
        sockets = [held.enter_context(socket.create_connection(address)) for _ in range(callers)]
        for each in sockets:
            each.sendall(head)
        for step in range(_STEPS):
            # The last piece is never sent: no render shall begin, since this is about uploads.
            first, end = (at * len(body) // (_STEPS + 1) for at in (step, step + 1))
            for each in sockets:
                each.sendall(body[first:end])
            time.sleep(seconds / _STEPS)
            yield
