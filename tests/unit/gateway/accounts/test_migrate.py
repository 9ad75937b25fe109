"""Databases are brought to this version's tables once, whoever else has one open."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from gateway.accounts import database, migrations
from gateway.accounts.accounts import prepare
from gateway.accounts.database import open_engine, parse_url
from gateway.accounts.leases import SIGHTINGS, HoldLeases
from gateway.accounts.migrate import migrate, newest_revision
from gateway.accounts.schema import metadata
from gateway.accounts.store import KeyStore
from tests.support.accounts import Books

GATEWAYS = 3
SCRIPTS = Path(migrations.__file__).parent


def test_the_migrations_make_the_tables_that_the_code_works_with(books: Books) -> None:
    migrate(books.engine)
    with books.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_holds_of_the_first_revision_are_carried_over(tmp_path: Path) -> None:
    engine = open_engine(parse_url(f"sqlite:///{tmp_path}/old.db"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql(
            "INSERT INTO api_keys VALUES ('k', 'name', x'00', 0, NULL, 0, 1, 7, 1, 2)"
        )
        connection.exec_driver_sql(
            "INSERT INTO holds (id, key_id, gateway, settled, expires_at_s) "
            "VALUES ('open', 'k', 'g', 0, 0), ('settled', 'k', 'g', 1, 0)"
        )
    migrate(engine)
    leases = HoldLeases(engine)
    assert sum(leases.sweep().returned for _ in range(SIGHTINGS)) == 1
    account = KeyStore(engine).find("k")
    assert account
    assert (account.credits_left, account.credits_held, account.credits_spent) == (8, 0, 2)
    engine.dispose()


def test_gateways_that_start_together_migrate_once(tmp_path: Path) -> None:
    url = parse_url(f"sqlite:///{tmp_path}/new.db")
    engines = [open_engine(url) for _ in range(GATEWAYS)]
    with ThreadPoolExecutor(GATEWAYS) as gateways:
        list(gateways.map(prepare, engines))
    for engine in engines:
        engine.dispose()


@contextmanager
def another_writer(path: Path) -> Iterator[sqlite3.Connection]:
    """Lock a file of SQLite's, as a process that makes tables does."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE IF NOT EXISTS theirs (id INTEGER)")
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_a_new_file_that_another_process_writes_is_waited_for(tmp_path: Path) -> None:
    engine = open_engine(parse_url(f"sqlite:///{tmp_path}/new.db"))
    with another_writer(tmp_path / "new.db") as theirs:
        threading.Timer(0.2, theirs.commit).start()
        assert migrate(engine) == newest_revision()
    with engine.begin() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
    engine.dispose()


def test_a_migration_waits_longer_than_a_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT_S", 0.05)
    engine = open_engine(parse_url(f"sqlite:///{tmp_path}/new.db"))
    engine.connect().close()
    with another_writer(tmp_path / "new.db") as theirs:
        with pytest.raises(OperationalError, match="locked"), engine.begin():
            pass
        threading.Timer(0.3, theirs.commit).start()
        assert migrate(engine) == newest_revision()
    with another_writer(tmp_path / "new.db"), pytest.raises(OperationalError, match="locked"):
        engine.connect().begin()
    engine.dispose()


def test_a_file_that_stays_locked_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT_S", 0.05)
    engine = open_engine(parse_url(f"sqlite:///{tmp_path}/new.db"))
    with another_writer(tmp_path / "new.db"), pytest.raises(OperationalError, match="locked"):
        engine.connect()
    engine.dispose()
