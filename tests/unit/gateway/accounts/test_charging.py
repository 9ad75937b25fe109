"""A gateway that keeps accounts, over a real channel: who gets in, and what a render costs."""

import asyncio
import dataclasses
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest

from gateway.accounts.keys import new_key
from gateway.accounts.rate import RateLimit
from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.errors import InferenceFailedError
from gateway.rpc import auth_interceptor
from packshot import (
    AsyncClient,
    CallCancelledError,
    InvalidRequestError,
    OutOfCreditsError,
    PackshotError,
    RateLimitedError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)
from tests.support.accounts import Books
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from tests.support.scrape import total

PHOTO = encode(product_photo())


@asynccontextmanager
async def caller(gateway: Gateway, api_key: str | None) -> AsyncIterator[AsyncClient]:
    target = f"127.0.0.1:{gateway.port}"
    async with AsyncClient(target, timeout_s=10, retries=False, api_key=api_key) as client:
        yield client


async def shown(gateway: Gateway, name: str, **labels: str) -> float:
    return await asyncio.to_thread(total, f"127.0.0.1:{gateway.metrics_port}", name, **labels)


async def refusal(gateway: Gateway, api_key: str | None) -> str:
    async with caller(gateway, api_key) as client:
        with pytest.raises(UnauthenticatedError) as caught:
            await client.models()
    return caught.value.reason


async def test_a_call_without_a_valid_key_hears_why(gateway: Gateway, books: Books) -> None:
    key = books.issue(1)
    other = str(new_key())
    assert await refusal(gateway, None) == "API_KEY_MISSING"
    assert await refusal(gateway, "open sesame") == "API_KEY_INVALID"
    assert await refusal(gateway, other) == "API_KEY_INVALID"
    assert await refusal(gateway, key[:-64] + other[-64:]) == "API_KEY_INVALID"
    books.keys.revoke(key.split("_")[1])
    assert await refusal(gateway, key[:-64] + other[-64:]) == "API_KEY_INVALID"
    await asyncio.sleep(0)
    assert await shown(gateway, "packshot_errors_total", reason="API_KEY_MISSING") == 1
    refused = {"code": "UNAUTHENTICATED", "method": "ListModels"}
    assert await shown(gateway, "packshot_requests_total", **refused) == 5


async def test_health_is_open_and_the_rest_is_not_even_read(gateway: Gateway) -> None:
    async with caller(gateway, None) as client:
        assert isinstance(await client.healthy(), bool)
    target = f"127.0.0.1:{gateway.port}"
    async with grpc.aio.insecure_channel(target) as channel:
        render: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
            "/packshot.v1.PackshotService/Render"
        )
        # Not a message of the interface: parsing it would be an error of its own.
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await render(b"\xff" * 1000)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_revoked_key_renders_no_more_at_once_and_calls_no_more_soon(
    gateway: Gateway, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = books.issue(5)
    async with caller(gateway, key) as client:
        await client.render(PHOTO)
        books.keys.revoke(key.split("_")[1])
        with pytest.raises(UnauthenticatedError) as caught:
            await client.render(PHOTO)
        assert caught.value.reason == "API_KEY_REVOKED"
        assert books.figures(key) == (4, 0, 1)
        await client.models()
        monkeypatch.setattr(auth_interceptor, "CACHE_TTL_S", 0.0)
        async with asyncio.timeout(5):
            while True:
                try:
                    await client.models()
                except UnauthenticatedError as error:
                    assert error.reason == "API_KEY_REVOKED"
                    break
                await asyncio.sleep(0.1)


async def test_a_success_costs_one_and_a_failure_nothing(
    gateway: Gateway, books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(3)
    async with caller(gateway, key) as client:
        await client.render(PHOTO)
        with pytest.raises(InvalidRequestError):
            await client.render(b"not a picture")
        inference.error = InferenceFailedError("broken")
        with pytest.raises(ServiceError):
            await client.render(PHOTO)
        inference.error = None
        account = await client.account()
    assert (account.credits_left, account.credits_held, account.credits_spent) == (2, 0, 1)
    assert (account.key_id, account.name) == (key.split("_")[1], "test")
    assert books.unsettled() == 0


async def test_a_caller_who_has_gone_pays_nothing(
    gateway: Gateway, books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(3)
    inference.delay_s = 5
    async with caller(gateway, key) as client:
        under_way = asyncio.create_task(client.render(PHOTO))
        async with asyncio.timeout(5):
            while books.figures(key) != (2, 1, 0):
                await asyncio.sleep(0.02)
        under_way.cancel()
        with pytest.raises((asyncio.CancelledError, CallCancelledError)):
            await under_way
        async with asyncio.timeout(5):
            while books.figures(key) != (3, 0, 0):
                await asyncio.sleep(0.02)


async def test_a_gateway_that_stops_returns_the_credit_of_a_step_that_outlasts_the_drain(
    config: GatewayConfig,
    inference: FakeInferenceServer,
    books: Books,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun, let_go = threading.Event(), threading.Event()

    def endless(*_args: object, **_kwargs: object) -> bytes:
        begun.set()
        let_go.wait(30)
        raise AssertionError("nobody waits for this picture")

    monkeypatch.setattr("gateway.rendering.renderer.encode_alone", endless)
    key = books.issue(1)
    gateway = Gateway(dataclasses.replace(config, drain_timeout_s=0.1), inference)
    await gateway.start()
    async with caller(gateway, key) as client:
        render = asyncio.create_task(client.render(PHOTO))
        await asyncio.to_thread(begun.wait, 30)
        stopping = asyncio.create_task(gateway.stop())
        with pytest.raises(PackshotError):
            await render
        # Later than the accounts would be closed if nothing waited for the step.
        threading.Timer(1, let_go.set).start()
        await stopping
    assert books.figures(key) == (1, 0, 0)
    assert books.unsettled() == 0


async def test_racing_callers_get_as_many_pictures_as_there_are_credits(
    gateway: Gateway, books: Books
) -> None:
    key = books.issue(10)

    async def one(client: AsyncClient) -> str:
        try:
            await client.render(PHOTO)
        except PackshotError as error:
            return error.reason
        return "OK"

    async with caller(gateway, key) as client:
        outcomes = Counter(await asyncio.gather(*(one(client) for _ in range(25))))
        assert outcomes == {"OK": 10, "OUT_OF_CREDITS": 15}
        with pytest.raises(OutOfCreditsError) as caught:
            await client.render(PHOTO)
    assert caught.value.retry_after_s is None
    assert caught.value.figures["credits_spent"] == "10"
    assert books.figures(key) == (0, 0, 10)
    assert await shown(gateway, "packshot_credits_total", outcome="spent") == 10


async def test_the_client_does_not_repeat_what_no_credit_pays_for(
    gateway: Gateway, books: Books
) -> None:
    target = f"127.0.0.1:{gateway.port}"
    async with AsyncClient(target, api_key=books.issue(0)) as client:
        with pytest.raises(OutOfCreditsError):
            await client.render(PHOTO)
    refused = {"code": "RESOURCE_EXHAUSTED", "method": "Render"}
    assert await shown(gateway, "packshot_requests_total", **refused) == 1


async def test_a_key_that_calls_too_often_hears_when_to_come_back(
    gateway: Gateway, books: Books
) -> None:
    key = books.issue(5, RateLimit(per_s=2, burst=1))
    async with caller(gateway, key) as client:
        await client.models()
        with pytest.raises(RateLimitedError) as caught:
            await client.models()
        assert caught.value.reason == "RATE_LIMITED"
        assert caught.value.figures["limit_per_s"] == "2"
        assert caught.value.retry_after_s is not None
        assert 0 < caught.value.retry_after_s <= 0.5
        await asyncio.sleep(caught.value.retry_after_s)
        await client.models()


async def test_without_its_database_nothing_is_rendered_or_delivered(
    gateway: Gateway, books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(3)
    async with caller(gateway, key) as client:
        await client.render(PHOTO)
        with books.engine.begin(), pytest.raises(UnavailableError) as caught:
            # The writer's lock is taken.
            await client.render(PHOTO, timeout_s=8)
        # Readiness is judged by inferences too, of a black picture.
        assert sum(bool(photo.any()) for photo in inference.seen) == 1
        assert caught.value.reason == "ACCOUNTS_UNAVAILABLE"
        assert caught.value.retry_after_s == 1
        await client.render(PHOTO)
    assert books.figures(key) == (1, 0, 2)


async def test_a_lock_that_outlasts_the_render_keeps_the_reply_back_until_it_is_paid(
    gateway: Gateway, books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(3)
    inference.delay_s = 0.3
    async with caller(gateway, key) as client:
        await client.models()
        under_way = asyncio.create_task(client.render(PHOTO))
        async with asyncio.timeout(5):
            while books.figures(key) != (2, 1, 0):
                await asyncio.sleep(0.02)
        with books.engine.begin():
            await asyncio.sleep(0.8)
            assert not under_way.done()
        await under_way
    assert books.figures(key) == (2, 0, 1)


class TestWithoutAccounts:
    @pytest.fixture
    def config(self, config: GatewayConfig) -> GatewayConfig:
        return dataclasses.replace(config, accounts="")

    async def test_a_gateway_without_accounts_lets_anyone_in_and_tells_of_none(
        self, gateway: Gateway
    ) -> None:
        async with caller(gateway, None) as client:
            await client.render(PHOTO)
            with pytest.raises(UnsupportedError) as caught:
                await client.account()
        assert caught.value.reason == "NO_ACCOUNTS"
