"""Uploads that are too large, too slow, broken or too many, and those that are none of it."""

import asyncio
import dataclasses
import gc
import json
import weakref
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
import pytest

from tests.support.faces import serving_face
from tests.support.pictures import encode, product_photo
from web.config import WebConfig
from web.parts import Parts

PHOTO = encode(product_photo())
FILES = {"image_file": ("photo.png", PHOTO)}


def cause(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


async def talk(url: str, *parts: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    for part in parts:
        writer.write(part)
    await writer.drain()
    return reader, writer


def head(length: int, *more: str) -> bytes:
    lines = [
        "POST /v1.0/removebg HTTP/1.1",
        "Host: x",
        "Content-Type: multipart/form-data; boundary=b",
        f"Content-Length: {length}",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_a_body_that_is_too_long_is_refused_on_its_header(
    http: httpx.AsyncClient, config: WebConfig
) -> None:
    reader, writer = await talk(
        str(http.base_url).rstrip("/"), head(10 * config.max_photo_bytes + 2**21)
    )
    answer = await asyncio.wait_for(reader.read(), 20)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"file_too_large" in answer
    assert b"connection: close" in answer.lower()
    writer.close()


async def test_a_file_is_refused_where_it_exceeds_the_limit(
    http: httpx.AsyncClient, config: WebConfig
) -> None:
    big = {"image_file": ("photo.png", PHOTO + bytes(config.max_photo_bytes))}
    assert cause(await http.post("/v1.0/removebg", files=big)) == (400, "file_too_large")

    async def endless() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="image_file"; filename="x"\r\n\r\n'
        for _ in range(10_000):
            yield bytes(10_000)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    # The connection is closed in the midst of it, so the answer may be lost on its way.
    try:
        answer = await http.post("/v1.0/removebg", content=endless(), headers=headers)
    except httpx.TransportError:
        pass
    else:
        assert cause(answer) == (400, "file_too_large")


async def test_an_upload_that_stands_still_is_ended(config: WebConfig) -> None:
    quick = dataclasses.replace(config, idle_timeout_s=0.3)
    async with serving_face(quick) as url:
        reader, writer = await talk(url, head(1000), b"--b\r\n")
        answer = await asyncio.wait_for(reader.read(), 30)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"upload_too_slow" in answer
        writer.close()


async def test_an_upload_that_trickles_is_ended_as_well(config: WebConfig) -> None:
    quick = dataclasses.replace(config, idle_timeout_s=5, receive_timeout_s=0.5)
    async with serving_face(quick) as url:
        reader, writer = await talk(url, head(100_000), b"--b\r\n")
        answer = asyncio.ensure_future(reader.read())
        while not answer.done():
            writer.write(b"x")
            await asyncio.wait({answer}, timeout=0.1)
        assert answer.result().startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_connection_that_asks_for_nothing_is_ended(config: WebConfig) -> None:
    quick = dataclasses.replace(config, idle_timeout_s=0.3)
    async with serving_face(quick) as url:
        for begun in (b"", b"POST /v1.0/removebg HTTP/1.1\r\nHost: x\r\n"):
            reader, writer = await talk(url, begun)
            with suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), 30) == b""
            writer.close()
        # One that has asked before as well.
        reader, writer = await talk(url, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"alive\n"), 30)
        writer.write(b"GET ")
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 30) == b""
        writer.close()


async def test_what_has_no_room_is_refused_and_gives_its_room_back(config: WebConfig) -> None:
    small = dataclasses.replace(config, max_requests=1)
    async with (
        serving_face(small) as url,
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http,
    ):
        _, writer = await talk(url, head(1000), b"--b\r\n")
        while True:
            answer = await http.post("/v1.0/removebg", files=FILES)
            if answer.status_code != 200:
                break
        assert cause(answer) == (503, "overloaded")
        assert answer.headers["Retry-After"] == "1"
        writer.close()
        await writer.wait_closed()
        while answer.status_code != 200:
            answer = await http.post("/v1.0/removebg", files=FILES)
        metrics = (await http.get("/metrics")).text
        assert "packshot_web_bytes_in_flight 0.0" in metrics
        assert "packshot_web_requests_in_flight 0.0" in metrics
        assert 'packshot_web_refusals_total{bound="requests"}' in metrics


async def test_slow_uploads_hold_no_more_than_the_bytes_allowed(config: WebConfig) -> None:
    """Ten callers with 180 kB each, of which five fit: the others are refused, and come back."""
    part = b'--b\r\nContent-Disposition: form-data; name="image_file"; filename="x"\r\n\r\n'
    async with (
        serving_face(config) as url,
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http,
    ):
        talks = [await talk(url, head(190_000), part, bytes(180_000)) for _ in range(10)]
        answers = [asyncio.ensure_future(reader.read()) for reader, _ in talks]
        done: set[asyncio.Future[bytes]] = set()
        while len(done) < 5:
            done, _ = await asyncio.wait(answers, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        assert all(b"503 Service Unavailable" in each.result() for each in done)
        metrics = (await http.get("/metrics")).text
        (held,) = (
            float(line.split()[1])
            for line in metrics.splitlines()
            if line.startswith("packshot_web_bytes_in_flight ")
        )
        assert 0 < held <= config.max_bytes_in_flight
        for _, writer in talks:
            writer.close()
        await asyncio.gather(*answers, return_exceptions=True)
        answer = await http.post("/v1.0/removebg", files=FILES)
        while answer.status_code == 503:
            answer = await http.post("/v1.0/removebg", files=FILES)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense", "invalid_multipart"),
        ("multipart/form-data", b"--b--", "invalid_multipart"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n", "invalid_multipart"),
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[]", "invalid_json"),
        ("application/json", b'{"size": {}}', "invalid_size"),
        ("application/json", b"[" * 100_000, "invalid_json"),
        (
            "application/json",
            json.dumps({str(n): 1 for n in range(101)}).encode(),
            "too_many_fields",
        ),
        ("application/x-www-form-urlencoded", b"size=hd&size=full", "repeated_parameter"),
        ("application/x-www-form-urlencoded", b"a=&" * 101, "invalid_form"),
        ("application/x-www-form-urlencoded", b"size=\xff", "invalid_form"),
    ],
)
async def test_what_is_broken_is_told(
    http: httpx.AsyncClient, content_type: str, body: bytes, code: str
) -> None:
    headers = {"Content-Type": content_type}
    answer = await http.post("/v1.0/removebg", content=body, headers=headers)
    assert cause(answer) == (400, code)


async def test_another_content_type_is_415(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1.0/removebg", content=PHOTO, headers={"Content-Type": "image/png"})
    assert cause(answer) == (415, "invalid_content_type")


async def test_parts_may_come_byte_by_byte(http: httpx.AsyncClient) -> None:
    whole = await http.post("/v1.0/removebg", files=FILES, data={"size": "full"})
    request = http.build_request("POST", "/v1.0/removebg", files=FILES, data={"size": "full"})
    body = await request.aread()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    headers = {"Content-Type": request.headers["Content-Type"]}
    answer = await http.post("/v1.0/removebg", content=pieces(), headers=headers)
    assert answer.content == whole.content


def test_an_upload_is_forgotten_at_once_and_not_with_the_next_collection() -> None:
    """Parser and callbacks hold each other: what they hold would stay until Python collects it."""
    gc.disable()
    try:
        parts = Parts(b"b", 10**6)
        parts.write(b'--b\r\nContent-Disposition: form-data; name="x"; filename="x"\r\n\r\nabc')
        held = weakref.ref(parts)
        parts.close()
        del parts
        assert held() is None
    finally:
        gc.enable()
