"""The guard before addresses that callers name; its server is on loopback."""

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_address

import httpx
import pytest
from prometheus_client import CollectorRegistry

from tests.support.faces import serving_face
from tests.support.pictures import encode, product_photo
from web.config import WebConfig
from web.errors import WebError
from web.fetching import Fetcher, RefusedError, is_public, resolve
from web.metrics import Metrics
from web.room import Room

PHOTO = encode(product_photo())


class Site:
    """A web server on loopback that says what it is told by its paths."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.answer(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split()[1]
        self.seen.append(path)
        head, body = "200 OK", PHOTO
        if path.startswith("/to/"):
            head, body = f"302 Found\r\nLocation: {path.removeprefix('/to/')}", b""
        elif path == "/round":
            head, body = "302 Found\r\nLocation: /round", b""
        elif path == "/missing":
            head = "404 Not Found"
        elif path == "/slow":
            await asyncio.sleep(60)
        if path == "/endless":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while not writer.is_closing():
                writer.write(bytes(10_000))
                try:
                    await writer.drain()
                except ConnectionError:
                    break
        else:
            writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    tasks: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(site.serve(reader, writer))
        tasks.add(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    yield site
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def settings(**more: object) -> WebConfig:
    return WebConfig(
        fetch_urls=True,
        max_photo_bytes=200_000,
        max_bytes_in_flight=1_000_000,
        **more,  # type: ignore[arg-type]
    )


async def fetch(url: str, config: WebConfig) -> bytes:
    metrics = Metrics(CollectorRegistry())
    with Room(1, 10**6, metrics).place() as place:
        return await Fetcher(config, metrics).fetch("image_url", url, place)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "0.0.0.1", "255.255.255.255", "224.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1"),
        *("::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1"),
    ],
)
def test_addresses_that_are_not_public_are_none_to_fetch_from(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_public_ones_are(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0x7f.1/"),
        *("http://2130706433/", "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest"),
        *("http://127.0.0.1:22/", "file:///etc/passwd", "ftp://example.com/", "gopher://x/"),
        *("http://user@example.com/", "http:///x", "//example.com", "http://exa mple.com/"),
        *("http://ex\u00e4mple.com/", "http://[/", "http://example.com:99999/", "x" * 3000),
    ],
)
async def test_nothing_inside_is_reached(url: str) -> None:
    with pytest.raises(WebError) as caught:
        await fetch(url, settings())
    assert caught.value.code == "invalid_image_url", caught.value.detail


async def test_a_host_is_resolved_once_and_connected_to_as_it_was_judged(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that gives a public address first and loopback then gains nothing."""
    loop = asyncio.get_running_loop()
    real, asked = loop.getaddrinfo, []

    async def rebinding(host: str, port: int, **kwargs: object) -> object:
        if host != "rebind.example":
            return await real(host, port, **kwargs)  # type: ignore[arg-type]
        asked.append(host)
        address = "127.0.0.1" if len(asked) > 1 else "203.0.114.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(loop, "getaddrinfo", rebinding)
    assert str(await resolve("rebind.example", 80, is_listed=False)) == "203.0.114.1"
    with pytest.raises(RefusedError):
        await resolve("rebind.example", 80, is_listed=False)
    asked.clear()
    with pytest.raises(WebError) as caught:
        await fetch("http://rebind.example/", settings(fetch_timeout_s=0.5))
    # It went to the public address, where nobody answers a test, and asked no second time.
    assert caught.value.code == "failed_image_download"
    assert asked == ["rebind.example"]
    assert site.seen == []


async def test_one_bad_address_among_good_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    async def mixed(_host: str, port: int, **_: object) -> object:
        return [(socket.AF_INET, 1, 6, "", (each, port)) for each in ("203.0.114.1", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", mixed)
    with pytest.raises(RefusedError, match="not public"):
        await resolve("mixed.example", 80, is_listed=False)


async def test_a_listed_host_may_be_inside_and_no_other_is_reached(site: Site) -> None:
    listed = settings(fetch_hosts=("localhost",))
    here = f"http://localhost:{site.port}"
    assert await fetch(f"{here}/photo.png", listed) == PHOTO
    assert await fetch(f"{here}/to//photo.png", listed) == PHOTO
    for url in (f"http://127.0.0.1:{site.port}/photo.png", "https://example.com/photo.png"):
        with pytest.raises(WebError, match="not among the hosts"):
            await fetch(url, listed)


async def test_redirects_are_judged_again_and_bounded(site: Site) -> None:
    listed = settings(fetch_hosts=("localhost",))
    here = f"http://localhost:{site.port}"
    for target in (f"http://127.0.0.1:{site.port}/photo.png", "http://169.254.169.254/"):
        with pytest.raises(WebError, match="not among the hosts"):
            await fetch(f"{here}/to/{target}", listed)
    with pytest.raises(WebError, match="redirects more than 3 times"):
        await fetch(f"{here}/round", listed)
    assert site.seen.count("/round") == 4
    assert "/photo.png" not in site.seen


async def test_a_listed_host_is_refused_where_clouds_keep_credentials() -> None:
    with pytest.raises(WebError, match="not public"):
        await fetch("http://169.254.169.254/", settings(fetch_hosts=("169.254.169.254",)))


async def test_bytes_and_time_are_bounded_and_failures_told(site: Site) -> None:
    listed = settings(fetch_hosts=("localhost",), fetch_timeout_s=1.0)
    here = f"http://localhost:{site.port}"
    for path, code in (
        ("/endless", "file_too_large"),
        ("/slow", "failed_image_download"),
        ("/missing", "failed_image_download"),
    ):
        with pytest.raises(WebError) as caught:
            await fetch(f"{here}{path}", listed)
        assert caught.value.code == code


async def test_switched_on_a_photo_comes_by_its_address(config: WebConfig, site: Site) -> None:
    on = dataclasses.replace(config, fetch_urls=True, fetch_hosts=("localhost",))
    async with serving_face(on) as url, httpx.AsyncClient(trust_env=False) as http:
        there = f"http://localhost:{site.port}/photo.png"
        by_url = await http.post(f"{url}/v1.0/removebg", data={"image_url": there})
        by_file = await http.post(
            f"{url}/v1.0/removebg", files={"image_file": ("photo.png", PHOTO)}
        )
        assert by_url.content == by_file.content
        behind = await http.post(
            f"{url}/v1.0/removebg",
            files={"image_file": ("photo.png", PHOTO)},
            data={"bg_image_url": there},
        )
        assert behind.headers["Content-Type"] == "image/jpeg"
        metrics = (await http.get(f"{url}/metrics")).text
        assert 'packshot_web_fetches_total{outcome="ok"} 2.0' in metrics


async def test_switched_off_nothing_is_asked_for(http: httpx.AsyncClient, site: Site) -> None:
    there = f"http://localhost:{site.port}/photo.png"
    answer = await http.post("/v1.0/removebg", data={"image_url": there})
    assert answer.json()["errors"][0]["code"] == "invalid_image_url"
    assert site.seen == []
