"""Brings a database's tables to what this version of the gateway works with."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from gateway.accounts.database import no_time_limit

_SCRIPTS: Final = Path(__file__).with_name("migrations")

# Any number, as long as nothing else in the same database takes the same.
_ADVISORY_LOCK: Final = 7_225_746_864


def migrate(engine: Engine) -> str:
    """Run the migrations that a database lacks, in one transaction.

    Processes that start at the same time run one after the other, and all but the first find
    nothing to do.

    Returns:
        The revision that it now has.
    """
    with no_time_limit(engine).begin() as connection:
        # SQLite's transaction has locked the file already.
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
        config = Config()
        # Alembic reads it as an ini file's value, in which % has a meaning.
        config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return newest_revision()


def present_revision(engine: Engine) -> str | None:
    """Return the revision that a database has; None for an empty one."""
    with engine.begin() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """Return the revision that this version of the gateway works with."""
    head = ScriptDirectory(str(_SCRIPTS)).get_current_head()
    assert head is not None  # noqa: S101  the scripts are part of the package
    return head
