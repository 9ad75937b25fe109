"""`python -m gateway keys`: makes, lists, revokes and tops up API keys."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.accounts.accounts import prepare
from gateway.accounts.database import open_engine, parse_url
from gateway.accounts.migrate import migrate
from gateway.accounts.rate import RateLimit
from gateway.accounts.store import Account, KeyStore
from gateway.errors import AccountsUnavailableError
from gateway.start import StartError

_FREE_CREDITS: Final = 50
_ENV: Final = "PACKSHOT_ACCOUNTS"
_MAX_CREDITS: Final = 10**15


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit status: 0 done, 1 it failed, 2 wrong usage."""
    arguments = _parser().parse_args(argv)
    if not arguments.accounts:
        return _complain(f"which accounts? give --accounts URL or set {_ENV}", status=2)
    try:
        url = parse_url(arguments.accounts)
    except ValueError as exc:
        return _complain(f"--accounts or {_ENV}: {exc}", status=2)
    engine = open_engine(url)
    command: Callable[[Engine, argparse.Namespace], int] = arguments.run
    try:
        if command is not _migrate:
            prepare(engine)
        return command(engine, arguments)
    except (StartError, AccountsUnavailableError, SQLAlchemyError) as exc:
        return _complain(str(exc), status=1)
    finally:
        engine.dispose()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway keys", description=__doc__)
    everywhere = argparse.ArgumentParser(add_help=False)
    everywhere.add_argument(
        "--accounts",
        metavar="URL",
        default=os.environ.get(_ENV, ""),
        help=f"the accounts' database (environment: {_ENV}, which keeps a password out of `ps`)",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[..., int], summary: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, parents=[everywhere], help=summary, description=summary)
        command.set_defaults(run=run)
        return command

    issue = add("issue", _issue, "Make a key and print it, this once.")
    issue.add_argument("name", help="whose it is, for the list")
    issue.add_argument(
        "--credits",
        type=_whole(0, _MAX_CREDITS),
        default=_FREE_CREDITS,
        help="renders that are free (default: %(default)s)",
    )
    issue.add_argument(
        "--rate", type=_rate, default=0.0, help="most calls a second; 0: no limit (the default)"
    )
    issue.add_argument(
        "--burst",
        type=_whole(1, 10**6),
        default=None,
        help="most calls at once after a pause (default: those of one second, at least 1)",
    )
    add("list", _list, "List the keys; a revoked one stays, with its figures.")
    revoke = add("revoke", _revoke, "Make a key invalid for good.")
    revoke.add_argument("key_id", metavar="ID")
    credit = add("credit", _credit, "Add credits to a key.")
    credit.add_argument("key_id", metavar="ID")
    credit.add_argument("credits", type=_whole(1, _MAX_CREDITS))
    add("migrate", _migrate, "Bring the database's tables to this version; safe to repeat.")
    return parser


def _issue(engine: Engine, arguments: argparse.Namespace) -> int:
    burst = arguments.burst or max(1, round(arguments.rate))
    key = KeyStore(engine).issue(
        arguments.name, arguments.credits, RateLimit(arguments.rate, burst)
    )
    print(key)  # noqa: T201  the one thing that it is for
    return 0


def _list(engine: Engine, _arguments: argparse.Namespace) -> int:
    header = ("id", "name", "issued", "left", "held", "spent", "rate", "state")
    rows = [header, *(_row(account) for account in KeyStore(engine).all())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())  # noqa: T201
    return 0


def _row(account: Account) -> tuple[str, ...]:
    limit = account.limit
    return (
        account.key_id,
        account.name,
        datetime.fromtimestamp(account.created_at_s, UTC).strftime("%Y-%m-%d %H:%M"),
        str(account.credits_left),
        str(account.credits_held),
        str(account.credits_spent),
        f"{limit.per_s:g}/s, {limit.burst} at once" if limit.per_s else "any",
        "revoked" if account.revoked else "valid",
    )


def _revoke(engine: Engine, arguments: argparse.Namespace) -> int:
    if not KeyStore(engine).revoke(arguments.key_id):
        return _complain(f"there is no key {arguments.key_id}", status=1)
    return 0


def _credit(engine: Engine, arguments: argparse.Namespace) -> int:
    if not KeyStore(engine).grant(arguments.key_id, arguments.credits):
        return _complain(f"there is no key {arguments.key_id}", status=1)
    return 0


def _migrate(engine: Engine, _arguments: argparse.Namespace) -> int:
    print(f"the tables are those of revision {migrate(engine)}")  # noqa: T201
    return 0


def _whole(at_least: int, at_most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not at_least <= value <= at_most:
            raise argparse.ArgumentTypeError(f"{text} is not between {at_least} and {at_most}")
        return value

    return number


def _rate(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 10**6:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1000000")
    return value


def _complain(what: str, *, status: int) -> int:
    print(f"error: {what}", file=sys.stderr)  # noqa: T201
    return status
