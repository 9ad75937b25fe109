"""Accounts in a real PostgreSQL, and books that balance while the gateway is killed."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.accounts.accounts import prepare
from gateway.accounts.credits import CreditStore
from gateway.accounts.database import open_engine, parse_url
from gateway.accounts.leases import HoldLeases
from gateway.accounts.migrate import migrate
from gateway.accounts.schema import metadata
from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.errors import OutOfCreditsError
from gateway.start import StartError
from packshot import AsyncClient, UnavailableError
from tests.credits_drill import Plan, drill
from tests.integration.processes import Triton
from tests.support.accounts import Books
from tests.support.fake_inference import FakeInferenceServer
from tests.support.pictures import encode, product_photo
from tests.support.postgres import TemporaryPostgres

PHOTO = encode(product_photo())


@pytest.fixture
def empty(postgres: TemporaryPostgres) -> TemporaryPostgres:
    """The database without any table."""
    engine = open_engine(parse_url(postgres.url))
    with engine.begin() as connection:
        metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    engine.dispose()
    return postgres


@pytest.fixture
async def gateway(books: Books) -> AsyncIterator[Gateway]:
    config = GatewayConfig(port=0, metrics_port=0, cpu_threads=2, accounts=books.url)
    gateway = Gateway(config, FakeInferenceServer())
    await gateway.start()
    yield gateway
    await gateway.stop()


def together(count: int, work: object) -> list[BaseException]:
    """Run work in threads, and return what it raised."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)  # type: ignore[operator]
        except BaseException as exc:  # noqa: BLE001  a thread's exception would go nowhere
            failures.append(exc)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_gateways_do_not_migrate_postgresql_by_themselves_and_operators_do_not_race(
    empty: TemporaryPostgres,
) -> None:
    engines = [open_engine(parse_url(empty.url)) for _ in range(4)]
    with pytest.raises(StartError, match="keys migrate"):
        prepare(engines[0])
    assert together(4, lambda number: migrate(engines[number])) == []
    prepare(engines[0])
    for engine in engines:
        engine.dispose()


def test_gateways_that_share_a_key_never_overspend_it(books: Books) -> None:
    key = books.issue(60)

    def spend(worker: int) -> None:
        engine = open_engine(parse_url(books.url))
        store = CreditStore(engine, str(worker))
        leases = HoldLeases(engine)
        try:
            for turn in range(30):
                hold = f"{worker}-{turn}"
                try:
                    store.hold(key.split("_")[1], hold)
                except OutOfCreditsError:
                    continue
                if turn % 3:
                    store.settle(hold)
                else:
                    store.release(hold)
                leases.sweep()
        finally:
            engine.dispose()

    assert together(4, spend) == []
    left, held, spent = books.figures(key)
    assert (left + spent, held) == (60, 0)
    assert spent >= 4 * 20 - 30


async def test_a_restarted_postgresql_is_away_for_as_long_as_it_is_and_no_longer(
    gateway: Gateway, books: Books, postgres: TemporaryPostgres
) -> None:
    key = books.issue(5)
    target = f"127.0.0.1:{gateway.port}"
    async with AsyncClient(target, api_key=key, timeout_s=10, retries=False) as client:
        await client.render(PHOTO)
        postgres.stop()
        with pytest.raises(UnavailableError) as caught:
            await client.render(PHOTO)
        assert caught.value.reason == "ACCOUNTS_UNAVAILABLE"
        postgres.start()
        await client.render(PHOTO)
        account = await client.account()
    assert (account.credits_left, account.credits_held, account.credits_spent) == (3, 0, 2)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_the_books_balance_while_the_gateway_is_killed(
    database: str, triton: Triton, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The short form of `make credits-drill`."""
    accounts = f"sqlite:///{tmp_path}/accounts.db"
    if database == "postgresql":
        accounts = request.getfixturevalue("postgres").url
    plan = Plan(triton.grpc_address, accounts, credits=60, callers=16, kills=2, seed=3)
    report = await drill(plan, tmp_path)
    print(report)
    assert report.faults() == [], report
    assert report.delivered > 0
