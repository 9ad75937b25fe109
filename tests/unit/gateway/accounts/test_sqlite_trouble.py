"""A gateway whose SQLite file is locked, read-only, full or gone: nothing is unpaid or lost."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from gateway.accounts import holds
from gateway.accounts.credits import CreditStore
from gateway.app import Gateway
from gateway.errors import AccountsUnavailableError
from packshot import AsyncClient, UnavailableError
from tests.attack import frozen_database
from tests.attack.target import Target
from tests.support.accounts import Books
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo

PHOTO = encode(product_photo())
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def caller(gateway: Gateway, api_key: str) -> AsyncIterator[AsyncClient]:
    target = f"127.0.0.1:{gateway.port}"
    async with AsyncClient(target, timeout_s=30, retries=False, api_key=api_key) as client:
        yield client


@contextmanager
def locked(path: str) -> Iterator[None]:
    """Have another process hold the writer's lock for the time of a block."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCKER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline()
        yield
        process.stdin.close()


def path_of(books: Books) -> str:
    return str(books.engine.url.database)


async def test_a_file_locked_by_another_process_costs_nobody_a_credit(
    gateway: Gateway, books: Books, inference: FakeInferenceServer
) -> None:
    key = books.issue(9)
    inference.delay_s = 0.5
    async with caller(gateway, key) as client:
        under_way = asyncio.create_task(client.render(PHOTO))
        async with asyncio.timeout(5):
            while books.figures(key) != (8, 1, 0):
                await asyncio.sleep(0.02)
        with locked(path_of(books)):
            # Longer than settling is tried for.
            ends = await asyncio.gather(
                under_way, *(client.render(PHOTO) for _ in range(3)), return_exceptions=True
            )
        assert [type(end) for end in ends] == [UnavailableError] * 4
        async with asyncio.timeout(10):
            while books.figures(key) != (9, 0, 0):
                await asyncio.sleep(0.05)
        await client.render(PHOTO)
    assert await asyncio.to_thread(books.faults, key, 9, 1) == []


class Pragma:
    """Has a pragma written whenever a connection of an engine is taken out of its pool."""

    def __init__(self, engine: Engine, pragma: str) -> None:
        self.pragma = pragma
        event.listen(engine, "checkout", self._write)

    def _write(self, connection: sqlite3.Connection, *_more: object) -> None:
        connection.execute(f"PRAGMA {self.pragma}")


@contextmanager
def read_only(engine: Engine) -> Iterator[None]:
    """Let nothing be written, as on a disk that the kernel has mounted read-only."""
    pragma = Pragma(engine, "query_only = 1")
    yield
    pragma.pragma = "query_only = 0"


@contextmanager
def broken(engine: Engine) -> Iterator[None]:
    """Write nonsense over the file's first page, and put it right again."""
    path = Path(str(engine.url.database))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    whole = path.read_bytes()
    engine.dispose()
    path.write_bytes(b"\xff" * 100 + whole[100:])
    yield
    engine.dispose()
    path.write_bytes(whole)


@pytest.mark.parametrize("trouble", [read_only, broken])
async def test_a_file_that_cannot_be_used_is_the_accounts_being_away(
    gateway: Gateway, books: Books, trouble: Callable[[Engine], AbstractContextManager[None]]
) -> None:
    key = books.issue(3)
    async with caller(gateway, key) as client:
        await client.render(PHOTO)
        engine = gateway._accounts._engine  # type: ignore[union-attr]  # noqa: SLF001  it is broken
        with trouble(engine):
            with pytest.raises(UnavailableError) as caught:
                await client.render(PHOTO)
            assert caught.value.reason == "ACCOUNTS_UNAVAILABLE"
        async with asyncio.timeout(10):
            while True:
                try:
                    await client.render(PHOTO)
                except UnavailableError:
                    continue
                break
    assert books.figures(key) == (1, 0, 2)


def test_a_full_disk_takes_no_credit_and_returns_those_held(books: Books) -> None:
    """SQLite says of a file that may not grow what it says of a full disk."""
    key = books.issue(5_000)
    store = CreditStore(books.engine, "test")
    pragma = Pragma(books.engine, "max_page_count = 1")  # no more than it has
    held = []
    with suppress(AccountsUnavailableError):
        for number in range(5_000):
            store.hold(key.split("_")[1], f"h{number}")
            held.append(f"h{number}")
    assert 0 < len(held) < 5_000
    assert books.figures(key) == (5_000 - len(held), len(held), 0)
    for hold in held[: len(held) // 2]:
        store.release(hold)
    assert all(store.settle(hold) for hold in held[len(held) // 2 :])
    pragma.pragma = "max_page_count = 1000000"
    store.hold(key.split("_")[1], "room")
    spent = len(held) - len(held) // 2
    assert books.figures(key) == (5_000 - spent - 1, 1, spent)


async def test_the_books_balance_while_the_file_is_locked_again_and_again(
    gateway: Gateway, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short form of the attack on SQLite."""
    monkeypatch.setattr(frozen_database, "_STILL_S", 2.5)
    monkeypatch.setattr(holds, "_PERSISTENCE_S", 1.0)
    key = books.issue(10_000)
    target = Target("", "", 0, accounts=books.url)
    attacking = asyncio.create_task(asyncio.to_thread(frozen_database.attack, target, 9.0))
    outcomes = []
    async with caller(gateway, key) as client:

        async def call() -> None:
            while not attacking.done():
                try:
                    await client.render(PHOTO)
                    outcomes.append("OK")
                except UnavailableError as error:
                    outcomes.append(error.reason)
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(call() for _ in range(4)))
    print(attacking.result(), {each: outcomes.count(each) for each in set(outcomes)})
    assert set(outcomes) == {"OK", "ACCOUNTS_UNAVAILABLE"}
    assert await asyncio.to_thread(books.faults, key, 10_000, outcomes.count("OK")) == []
