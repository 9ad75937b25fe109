"""What the HTTP face costs: images a second beside gRPC's, and memory under slow uploads.

Rounds of both ways alternate, so that the machine's unrest meets both; the ratio of each pair is
what counts.
"""

import argparse
import http.client
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from deploy.local.stack import Stack, StackError, running_aside
from packshot import Client

_BOUNDARY: Final = "packshot-benchmark"
_HEADERS: Final = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
_OK: Final = 200
_IDLE_S: Final = 2.0

Send = Callable[[], None]


def add_arguments(parser: argparse.ArgumentParser, _environ: Mapping[str, str]) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--photo", type=Path, default=Path("samples/mug.jpg"), help="the photo")
    parser.add_argument("--callers", type=int, default=4, help="callers at once")
    parser.add_argument("--rounds", type=int, default=6, help="rounds of each way")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one round")
    parser.add_argument("--slow-callers", type=int, default=64, help="who upload slowly")
    parser.add_argument("--slow-seconds", type=float, default=20.0, help="that an upload takes")


def run(args: argparse.Namespace, _environ: Mapping[str, str]) -> None:
    """Measure both and print the figures."""
    photo = args.photo.read_bytes()
    with tempfile.TemporaryDirectory() as scratch, running_aside(Path(scratch), web=True) as stack:
        _compare(stack, photo, args)
        _watch_memory(stack, photo, args.slow_callers, args.slow_seconds)


def _compare(stack: Stack, photo: bytes, args: argparse.Namespace) -> None:
    with ExitStack() as held, ThreadPoolExecutor(args.callers) as pool:
        ways = {
            "gRPC": [_by_grpc(stack.target, photo, held) for _ in range(args.callers)],
            "HTTP": [_by_http(stack.page, photo, held) for _ in range(args.callers)],
        }
        for senders in ways.values():
            _rate(senders, pool, 1.0)
        ratios = []
        spent: dict[str, float] = dict.fromkeys(("web", "gateway", "serving"), 0.0)
        images = 0.0
        for number in range(args.rounds):
            order = list(ways) if number % 2 else list(reversed(ways))
            rates = {}
            for way in order:
                before = _processor_s(stack)
                rates[way] = _rate(ways[way], pool, args.seconds)
                if way == "HTTP":
                    images += rates[way] * args.seconds
                    for name, seconds in _processor_s(stack).items():
                        spent[name] += seconds - before[name]
            ratios.append(rates["HTTP"] / rates["gRPC"])
            told = ", ".join(f"{way} {rate:.1f}/s" for way, rate in sorted(rates.items()))
            print(f"round {number + 1}: {told}, ratio {ratios[-1]:.3f}", flush=True)
    print(
        f"HTTP makes {statistics.median(ratios):.3f} of gRPC's images a second "
        f"({min(ratios):.3f} to {max(ratios):.3f}), {args.callers} callers"
    )
    told = ", ".join(f"{name} {1000 * seconds / images:.1f} ms" for name, seconds in spent.items())
    print(f"processor time of an image by HTTP: {told}")


def _processor_s(stack: Stack) -> dict[str, float]:
    """Return the processor time that each part and what is below it has taken so far."""
    taken = {}
    for part in stack.parts:
        process = psutil.Process(part.process.pid)
        family = [process, *process.children(recursive=True)]
        taken[part.name] = sum(sum(each.cpu_times()[:2]) for each in family)
    return taken


def _rate(senders: list[Send], pool: ThreadPoolExecutor, seconds: float) -> float:
    """Return the images a second that all callers get together."""
    end_s = time.monotonic() + seconds

    def work(send: Send) -> int:
        count = 0
        while time.monotonic() < end_s:
            send()
            count += 1
        return count

    start_s = time.monotonic()
    count = sum(pool.map(work, senders))
    return count / (time.monotonic() - start_s)


def _by_grpc(target: str, photo: bytes, held: ExitStack) -> Send:
    client = held.enter_context(Client(target))

    def send() -> None:
        client.render(photo, background="white", format="jpeg")

    return send


def _by_http(url: str, photo: bytes, held: ExitStack) -> Send:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    held.callback(connection.close)
    body = _form(photo)
    last_s = 0.0

    def send() -> None:
        nonlocal last_s
        if time.monotonic() - last_s > _IDLE_S:
            connection.close()  # the other round was so long that the face may have closed it
        connection.request("POST", "/v1.0/removebg", body, _HEADERS)
        answer = connection.getresponse()
        content = answer.read()
        last_s = time.monotonic()
        if answer.status != _OK:
            raise StackError(f"the face answered {answer.status}: {content[:300]!r}")

    return send


def _form(photo: bytes) -> bytes:
    fields = {"size": "full", "format": "jpg", "bg_color": "white"}
    heads = {
        name: f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        for name in fields
    }
    parts = [f"{heads[name]}{value}\r\n".encode() for name, value in fields.items()]
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image_file"; '
        'filename="photo.jpg"\r\n\r\n'
    )
    return b"".join(parts) + head.encode() + photo + f"\r\n--{_BOUNDARY}--\r\n".encode()


def _watch_memory(stack: Stack, photo: bytes, callers: int, seconds: float) -> None:
    """Let many upload at once, a little at a time, three times over, and watch the memory."""
    (face,) = (part.process.pid for part in stack.parts if part.name == "web")
    memory = psutil.Process(face).memory_info
    print(
        f"{callers} callers upload {len(photo)} bytes each within {seconds:g} s, three times over; "
        f"the face before: {memory().rss / 2**20:.1f} MiB"
    )
    for number in range(3):
        peaks = [memory().rss for _ in _upload_slowly(stack.page, photo, callers, seconds)]
        print(
            f"pass {number + 1}: at most {max(peaks) / 2**20:.1f} MiB, "
            f"after it {memory().rss / 2**20:.1f} MiB"
        )


def _upload_slowly(url: str, photo: bytes, callers: int, seconds: float) -> Iterator[None]:
    parts = urlsplit(url)
    body = _form(photo)
    head = (
        f"POST /v1.0/removebg HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: {_HEADERS['Content-Type']}\r\nConnection: close\r\n\r\n"
    ).encode()
    steps = 40
    with ExitStack() as held:
        address = (parts.hostname or "", parts.port or 80)
        sockets = [held.enter_context(socket.create_connection(address)) for _ in range(callers)]
        for each in sockets:
            each.sendall(head)
        for step in range(steps):
            # The last piece stays away: no render shall begin, this is about uploads.
            piece = body[step * len(body) // (steps + 1) : (step + 1) * len(body) // (steps + 1)]
            for each in sockets:
                each.sendall(piece)
            time.sleep(seconds / steps)
            yield
