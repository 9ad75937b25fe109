"""Keys are looked up together, and made-up ones cost what wrong ones do."""

import asyncio
import threading
from collections.abc import Collection, Iterator, Mapping

import pytest
from prometheus_client import CollectorRegistry

from gateway.accounts import lookup
from gateway.accounts.keys import new_key
from gateway.accounts.lookup import KeyLookup
from gateway.accounts.store import Account
from gateway.accounts.threads import DatabaseThreads
from gateway.app import Gateway
from gateway.errors import AccountsUnavailableError
from gateway.observability.metrics import Metrics
from packshot import AsyncClient, UnauthenticatedError
from tests.support.accounts import Books
from tests.support.scrape import total


@pytest.fixture
def threads() -> Iterator[DatabaseThreads]:
    threads = DatabaseThreads(2, Metrics(CollectorRegistry()))
    yield threads
    threads.close()


class Slow:
    """A database that answers when it is told to."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.asked: list[int] = []
        self.go = threading.Event()

    def find(self, key_ids: Collection[str]) -> Mapping[str, Account]:
        self.asked.append(len(key_ids))
        assert self.go.wait(5)
        return self._books.keys.find_all(key_ids)


async def test_what_is_asked_for_during_a_query_goes_into_the_next_one(
    books: Books, threads: DatabaseThreads
) -> None:
    key_id = books.issue(1).split("_")[1]
    slow = Slow(books)
    keys = KeyLookup(slow.find, threads)
    wanted = [new_key().key_id for _ in range(40)] + [key_id, key_id]
    asking = [asyncio.create_task(keys.account(each)) for each in wanted]
    async with asyncio.timeout(5):
        while not slow.asked:
            await asyncio.sleep(0.01)
    late = asyncio.create_task(keys.account(new_key().key_id))
    await asyncio.sleep(0)
    slow.go.set()
    found = await asyncio.gather(*asking)
    assert [account.key_id for account in found if account] == [key_id, key_id]
    assert found[:40] == [None] * 40
    assert await late is None
    assert slow.asked == [41, 1]


async def test_a_caller_that_goes_takes_nobody_s_answer_along(
    books: Books, threads: DatabaseThreads
) -> None:
    key_id = books.issue(1).split("_")[1]
    slow = Slow(books)
    keys = KeyLookup(slow.find, threads)
    goes, stays = (asyncio.create_task(keys.account(key_id)) for _ in range(2))
    await asyncio.sleep(0)
    goes.cancel()
    slow.go.set()
    account = await stays
    assert account
    assert account.key_id == key_id


async def test_a_database_that_is_away_is_said_to_be_by_every_lookup(
    threads: DatabaseThreads,
) -> None:
    def away(_key_ids: Collection[str]) -> Mapping[str, Account]:
        raise AccountsUnavailableError("away")

    keys = KeyLookup(away, threads)
    for _ in range(2):
        ends = await asyncio.gather(keys.account("a"), keys.account("b"), return_exceptions=True)
        assert [type(end) for end in ends] == [AccountsUnavailableError] * 2


async def test_lookups_that_wait_are_bounded(
    books: Books, threads: DatabaseThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_MOST_WAITING", 3)
    slow = Slow(books)
    keys = KeyLookup(slow.find, threads)
    asking = [asyncio.create_task(keys.account(f"{number}")) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(AccountsUnavailableError, match="the limit is 3"):
        await keys.account("3")
    slow.go.set()
    assert await asyncio.gather(*asking) == [None] * 3


async def test_a_wrong_secret_is_looked_up_whether_its_id_is_known_or_made_up(
    gateway: Gateway, books: Books
) -> None:
    """A refusal that came from memory would tell by its time that the id is in use."""
    key = books.issue(1)
    address = f"127.0.0.1:{gateway.metrics_port}"

    async def lookups() -> float:
        name = "packshot_accounts_duration_seconds_count"
        return await asyncio.to_thread(total, address, name, operation="find")

    async def call(api_key: str) -> None:
        target = f"127.0.0.1:{gateway.port}"
        async with AsyncClient(target, api_key=api_key, retries=False) as client:
            await client.presets()

    await call(key)
    wrong = key[:-64] + "0" * 64
    for refused in (wrong, wrong, str(new_key()), str(new_key())):
        before = await lookups()
        with pytest.raises(UnauthenticatedError):
            await call(refused)
        assert await lookups() == before + 1
    # The right one is believed still: what is refused pushes nothing out.
    before = await lookups()
    await call(key)
    assert await lookups() - before in (0, 1)
