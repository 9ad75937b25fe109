"""A render that comes again by the same idempotency key is charged once."""

import asyncio
import dataclasses
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.errors import InferenceFailedError
from gateway.rpc.requests.idempotency import request_digest
from packshot import AsyncClient, DeadlineExceededError, InvalidRequestError, ServiceError
from packshot.v1 import packshot_pb2 as pb
from tests.support.accounts import Books
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from tests.support.scrape import total

PHOTO = encode(product_photo())


@asynccontextmanager
async def caller(
    gateway: Gateway, api_key: str | None, *, retries: bool = False
) -> AsyncIterator[AsyncClient]:
    target = f"127.0.0.1:{gateway.port}"
    async with AsyncClient(target, timeout_s=15, retries=retries, api_key=api_key) as client:
        yield client


async def test_the_same_render_by_the_same_key_is_charged_once(
    gateway: Gateway, books: Books
) -> None:
    key = books.issue(1)
    async with caller(gateway, key) as client:
        first = await client.render(PHOTO, idempotency_key="order-7/front")
        again = await client.render(PHOTO, idempotency_key="order-7/front")
    assert first.picture == again.picture
    assert books.figures(key) == (0, 0, 1)
    address = f"127.0.0.1:{gateway.metrics_port}"
    counted = [
        await asyncio.to_thread(total, address, "packshot_credits_total", outcome=outcome)
        for outcome in ("spent", "repeated")
    ]
    assert counted == [1, 1]


async def test_another_render_by_the_same_key_is_refused(gateway: Gateway, books: Books) -> None:
    key = books.issue(3)
    async with caller(gateway, key) as client:
        await client.render(PHOTO, idempotency_key="k")
        for other in ({"quality": 50}, {"background": "#ff0000"}, {"priority": "bulk"}):
            with pytest.raises(InvalidRequestError) as caught:
                await client.render(PHOTO, idempotency_key="k", **other)
            assert caught.value.reason == "IDEMPOTENCY_KEY_REUSED"
    assert books.figures(key) == (2, 0, 1)


async def test_renders_at_once_by_one_key_are_charged_once_and_all_answered(
    gateway: Gateway, books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(9)
    inference.delay_s = 0.3
    async with caller(gateway, key) as client:
        renders = (client.render(PHOTO, idempotency_key="k") for _ in range(4))
        packshots = await asyncio.gather(*renders)
    assert len({packshot.picture for packshot in packshots}) == 1
    assert books.figures(key) == (8, 0, 1)


async def test_a_render_that_failed_is_charged_when_it_succeeds(
    gateway: Gateway, books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(2)
    async with caller(gateway, key) as client:
        inference.error = InferenceFailedError("broken")
        with pytest.raises(ServiceError):
            await client.render(PHOTO, idempotency_key="k")
        assert books.figures(key) == (2, 0, 0)
        inference.error = None
        await client.render(PHOTO, idempotency_key="k")
    assert books.figures(key) == (1, 0, 1)


async def test_photos_of_a_stream_have_keys_of_their_own(gateway: Gateway, books: Books) -> None:
    key = books.issue(5)
    async with caller(gateway, key) as client:
        for _ in range(2):
            rendered = [
                each async for each in client.render_many([PHOTO] * 3, idempotency_key="job-1")
            ]
            assert [each.error for each in rendered] == [None] * 3
    assert books.figures(key) == (2, 0, 3)


@pytest.mark.parametrize("key", ["a" * 129, "a b", "ä", "a\x00b", "\n"])
async def test_a_key_of_another_form_is_refused(gateway: Gateway, books: Books, key: str) -> None:
    async with caller(gateway, books.issue(1)) as client:
        with pytest.raises(InvalidRequestError) as caught:
            await client.render(PHOTO, idempotency_key=key)
    assert "idempotency_key" in str(caught.value)


async def test_the_client_names_its_renders_where_it_repeats_them(
    gateway: Gateway, books: Books
) -> None:
    key = books.issue(5)
    async with caller(gateway, key, retries=True) as client:
        await client.render(PHOTO)
        await client.render(PHOTO)
    assert books.figures(key) == (3, 0, 2)
    with books.engine.begin() as connection:
        names = connection.exec_driver_sql("SELECT idempotency_key FROM holds").scalars().all()
    assert len(set(names)) == 2
    assert all(names)


def test_a_digest_tells_requests_apart_and_leaves_the_key_out() -> None:
    def request(**fields: Any) -> pb.RenderRequest:
        return pb.RenderRequest(photo=b"photo", **fields)

    color = pb.Background(color="#ff0000")
    requests = [
        request(),
        request(model="photo"),
        request(preset="photo"),
        request(background=color),
        request(background=pb.Background(transparent=pb.Transparent())),
        request(background=pb.Background(picture=pb.BackgroundPicture(picture=b"photo"))),
        request(output=pb.Output(quality=1)),
        request(output=pb.Output(quality=11)),
        pb.RenderRequest(photo=b"phot"),
        pb.RenderRequest(),
    ]
    assert len({request_digest(each) for each in requests}) == len(requests)
    assert request_digest(request(idempotency_key="k")) == request_digest(request())
    copy = pb.RenderRequest.FromString(requests[3].SerializeToString())
    assert request_digest(copy) == request_digest(requests[3])


class TestWithoutAccounts:
    @pytest.fixture
    def config(self, config: GatewayConfig) -> GatewayConfig:
        return dataclasses.replace(config, accounts="")

    async def test_a_key_does_nothing_where_no_accounts_are_kept(self, gateway: Gateway) -> None:
        async with caller(gateway, None) as client:
            await client.render(PHOTO, idempotency_key="k")
            await client.render(PHOTO, idempotency_key="k", quality=50)


async def test_a_request_stays_counted_until_its_digest_is_done(
    gateway: Gateway, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def held(request: pb.RenderRequest) -> bytes:
        begun.set()
        assert let_go.wait(30)
        return request_digest(request)

    def admitted() -> float:
        registry = gateway._telemetry.registry  # noqa: SLF001  as scraped
        return total(registry, "packshot_admitted_requests")

    monkeypatch.setattr("gateway.rpc.render.request_digest", held)
    key = books.issue(1)
    async with caller(gateway, key) as client:
        render = asyncio.create_task(client.render(PHOTO, idempotency_key="k", timeout_s=0.5))
        await asyncio.to_thread(begun.wait, 30)
        with pytest.raises(DeadlineExceededError):
            await render
        # The gateway's own deadline comes after the caller's.
        await asyncio.sleep(0.5)
        assert admitted() == 1
        let_go.set()
        async with asyncio.timeout(10):
            while admitted():
                await asyncio.sleep(0.02)
    assert books.figures(key) == (1, 0, 0)
