"""Accounts whose PostgreSQL stands still, breaks off or loses answers: the books balance after."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import update
from sqlalchemy.exc import InternalError

from gateway.accounts.credits import CreditStore
from gateway.accounts.schema import api_keys
from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.errors import AccountsUnavailableError
from packshot import AsyncClient, PackshotError, UnavailableError
from tests.attack import frozen_database
from tests.attack.frozen_database import connection_pids, server_pids, stopped
from tests.attack.target import Target
from tests.support.accounts import Books
from tests.support.deaf_proxy import DeafProxy, deaf_proxy
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from tests.support.postgres import TemporaryPostgres

PHOTO = encode(product_photo())


@asynccontextmanager
async def running(
    accounts: str, inference: FakeInferenceServer, *, drain_timeout_s: float = 30
) -> AsyncIterator[Gateway]:
    """Run a gateway for the time of a block, which may have stopped it already."""
    config = GatewayConfig(
        port=0,
        metrics_port=0,
        cpu_threads=2,
        decode_workers=0,
        max_wait_s=60,
        drain_timeout_s=drain_timeout_s,
        accounts=accounts,
    )
    gateway = Gateway(config, inference)
    await gateway.start()
    stop = gateway.stop
    stopping: list[asyncio.Task[None]] = []

    async def once() -> None:
        stopping[:] = stopping or [asyncio.create_task(stop())]
        await stopping[0]

    gateway.stop = once  # type: ignore[method-assign]
    try:
        yield gateway
    finally:
        await once()


@asynccontextmanager
async def calling(gateway: Gateway, key: str) -> AsyncIterator[AsyncClient]:
    target = f"127.0.0.1:{gateway.port}"
    async with AsyncClient(target, api_key=key, timeout_s=60, retries=False) as client:
        yield client


@pytest.fixture
def inference() -> FakeInferenceServer:
    return FakeInferenceServer()


@pytest.fixture
def proxy(postgres: TemporaryPostgres) -> Iterator[DeafProxy]:
    with deaf_proxy(port_of(postgres.url)) as proxy:
        yield proxy


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2].partition("/")[0])


def through(proxy: DeafProxy, url: str) -> str:
    return url.replace(f":{port_of(url)}/", f":{proxy.port}/")


async def until_rendered(client: AsyncClient, timeout_s: float) -> list[str]:
    """Render until it succeeds; return the reasons of those that did not."""
    reasons = []
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                await client.render(PHOTO)
            except UnavailableError as error:
                reasons.append(error.reason)
            else:
                return reasons


async def balance(books: Books, key: str, granted: int, delivered: int, unknown: int = 0) -> None:
    faults = await asyncio.to_thread(books.faults, key, granted, delivered, unknown)
    assert faults == []


async def test_frozen_connections_are_replaced_while_they_are_frozen(
    books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(50)
    async with running(books.url, inference) as gateway, calling(gateway, key) as client:
        # As many as there may be, none of them in a transaction.
        await asyncio.gather(*(client.render(PHOTO) for _ in range(6)))
        pids = await asyncio.to_thread(connection_pids, books.url)
        with stopped(pids):
            reasons = await until_rendered(client, timeout_s=20)
            assert set(reasons) <= {"ACCOUNTS_UNAVAILABLE"}
            await asyncio.gather(*(client.render(PHOTO) for _ in range(6)))
        await balance(books, key, 50, delivered=13)


async def test_a_frozen_server_is_away_and_is_found_again(
    books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(50)
    async with running(books.url, inference) as gateway, calling(gateway, key) as client:
        await client.render(PHOTO)
        pids = await asyncio.to_thread(server_pids, books.url)
        with stopped(pids):
            start_s = time.monotonic()
            with pytest.raises(UnavailableError) as caught:
                await client.render(PHOTO)
            assert caught.value.reason == "ACCOUNTS_UNAVAILABLE"
            assert time.monotonic() - start_s < 30  # it is told, not waited for to its deadline
        await until_rendered(client, timeout_s=20)
        await balance(books, key, 50, delivered=2)


async def test_a_settlement_whose_answer_is_lost_is_refunded_when_the_database_answers(
    books: Books, proxy: DeafProxy, inference: FakeInferenceServer
) -> None:
    key = books.issue(50)
    url = through(proxy, books.url)
    async with running(url, inference) as gateway, calling(gateway, key) as client:
        await client.render(PHOTO)
        proxy.lose_answers_after(b"UPDATE holds SET state", b"COMMIT")
        with pytest.raises(UnavailableError):
            await client.render(PHOTO)
        assert proxy.lost.is_set()
        # Spent by a commit of which the gateway knows nothing.
        assert books.figures(key) == (48, 0, 2)
        proxy.heal()
        async with asyncio.timeout(20):
            while books.figures(key) != (49, 0, 1):
                await asyncio.sleep(0.1)
        await client.render(PHOTO)
        await balance(books, key, 50, delivered=2)
    assert books.holds()["refunded"] == 1


async def test_what_a_gateway_never_learned_to_be_spent_its_successor_refunds(
    books: Books, proxy: DeafProxy, inference: FakeInferenceServer
) -> None:
    key = books.issue(50)
    url = through(proxy, books.url)
    async with running(url, inference) as gateway, calling(gateway, key) as client:
        proxy.lose_answers_after(b"UPDATE holds SET state", b"COMMIT")
        with pytest.raises(UnavailableError):
            await client.render(PHOTO)
        assert proxy.lost.is_set()
    # It has stopped, with the database away, and could tell nobody.
    assert books.figures(key) == (49, 0, 1)
    async with running(books.url, inference):
        await balance(books, key, 50, delivered=0)
    assert books.figures(key) == (50, 0, 0)


async def test_a_gateway_stops_in_time_whose_database_stands_still(
    books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(5)
    inference.delay_s = 0.5
    async with (
        running(books.url, inference, drain_timeout_s=2) as gateway,
        calling(gateway, key) as client,
    ):
        under_way = asyncio.create_task(client.render(PHOTO))
        async with asyncio.timeout(10):
            while books.figures(key) != (4, 1, 0):
                await asyncio.sleep(0.02)
        pids = await asyncio.to_thread(server_pids, books.url)
        with stopped(pids):
            async with asyncio.timeout(20):
                await gateway.stop()
        with pytest.raises(PackshotError):
            await under_way
    async with running(books.url, inference):
        await balance(books, key, 5, delivered=0)


async def test_an_ambiguous_settlement_leaves_its_idempotency_key_free(
    books: Books, proxy: DeafProxy, inference: FakeInferenceServer
) -> None:
    key = books.issue(5)
    url = through(proxy, books.url)
    async with running(url, inference) as gateway, calling(gateway, key) as client:
        proxy.lose_answers_after(b"UPDATE holds SET state", b"COMMIT")
        with pytest.raises(UnavailableError):
            await client.render(PHOTO, idempotency_key="k")
        proxy.heal()
        async with asyncio.timeout(20):
            while True:
                try:
                    await client.render(PHOTO, idempotency_key="k")
                except UnavailableError:
                    continue
                break
        await balance(books, key, 5, delivered=1)


async def test_a_stopped_gateway_s_transaction_does_not_lock_a_key_for_good(books: Books) -> None:
    key = books.issue(5)
    store = CreditStore(books.engine, "other")
    with books.engine.connect() as stands_still:
        transaction = stands_still.begin()
        stands_still.execute(update(api_keys).values(credits_left=0))
        async with asyncio.timeout(20):
            while True:
                with suppress(AccountsUnavailableError):  # it is locked
                    await asyncio.to_thread(store.hold, key.split("_")[1], "h")
                    break
        with pytest.raises(InternalError, match="idle-in-transaction"):
            transaction.commit()
    assert books.figures(key) == (4, 1, 0)


async def test_the_books_balance_while_the_database_is_attacked(
    books: Books, inference: FakeInferenceServer
) -> None:
    """Each kind of trouble once, with callers who do not stop; no gateway is killed."""
    granted = 100_000
    key = books.issue(granted)
    outcomes: Counter[str] = Counter()
    over = asyncio.Event()

    async def call(client: AsyncClient) -> None:
        while not over.is_set():
            try:
                await client.render(PHOTO)
            except PackshotError as error:
                outcomes[error.reason or error.code.name] += 1
                await asyncio.sleep(0.05)
            else:
                outcomes["OK"] += 1

    async with running(books.url, inference) as gateway, calling(gateway, key) as client:
        target = Target(
            f"127.0.0.1:{gateway.port}",
            f"127.0.0.1:{gateway.metrics_port}",
            0,
            api_key=key,
            accounts=books.url,
        )
        callers = [asyncio.create_task(call(client)) for _ in range(4)]
        print(await asyncio.to_thread(frozen_database.attack, target, 25.0))
        await until_rendered(client, timeout_s=20)
        outcomes["OK"] += 1
        over.set()
        await asyncio.gather(*callers)
        print(dict(outcomes))
        assert outcomes.keys() <= {"OK", "ACCOUNTS_UNAVAILABLE"}
        assert outcomes["OK"] > 10
        await balance(books, key, granted, outcomes["OK"])
