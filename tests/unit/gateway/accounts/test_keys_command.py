"""`python -m gateway keys`, as an operator runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.accounts.cli import main
from tests.support.accounts import Books


def run(books: Books, *arguments: str) -> int:
    return main([*arguments, "--accounts", books.url])


def test_a_key_is_issued_listed_topped_up_and_revoked(
    books: Books, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(books, "issue", "the shop", "--credits", "7", "--rate", "2.5") == 0
    key = capsys.readouterr().out.strip()
    key_id = key.split("_")[1]
    assert books.figures(key) == (7, 0, 0)
    assert run(books, "credit", key_id, "5") == 0
    assert run(books, "revoke", key_id) == 0
    assert run(books, "revoke", key_id) == 0
    assert run(books, "list") == 0
    listed = capsys.readouterr().out
    assert key.split("_")[2] not in listed
    row = listed.splitlines()[1]
    assert row.startswith(f"{key_id}  the shop  ")
    assert row.endswith("12    0     0      2.5/s, 2 at once  revoked")


def test_a_new_key_comes_with_free_credits(
    books: Books, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(books, "issue", "new") == 0
    assert books.figures(capsys.readouterr().out.strip()) == (50, 0, 0)


@pytest.mark.parametrize("command", [("revoke", "nobody"), ("credit", "nobody", "1")])
def test_an_unknown_key_is_an_error(
    books: Books, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(books, *command) == 1
    assert capsys.readouterr().err == "error: there is no key nobody\n"


def test_wrong_usage_exits_with_two_and_shows_no_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list", "--accounts", "mysql://me:secret@host/db"]) == 2
    assert main(["list", "--accounts", "sqlite://"]) == 2
    assert main(["list", "--accounts", "nonsense:secret"]) == 2
    assert "secret" not in capsys.readouterr().err


def test_the_gateway_s_command_has_it(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "gateway", "keys", "migrate"],
        env={"PACKSHOT_ACCOUNTS": f"sqlite:///{tmp_path}/new.db"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == "the tables are those of revision 0002\n"
