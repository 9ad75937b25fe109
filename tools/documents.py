"""Tables that are made from code or data, written into their documents or compared with them."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path


def filled(document: str, name: str, content: str) -> str:
    """Return a document's text with new content between `<!-- NAME -->` and `<!-- end -->`.

    Raises:
        ValueError: It has no such place, or several.
    """
    place = re.compile(f"<!-- {re.escape(name)} -->.*?<!-- end -->", re.DOTALL)
    new = f"<!-- {name} -->\n{content}\n<!-- end -->"
    document, count = place.subn(lambda _match: new, document)
    if count != 1:
        raise ValueError(f"the document has {count} places for the {name}, not one")
    return document


def run(tool: str, path: Path, with_tables: Callable[[str], str]) -> int:
    """Run a tool's command: write its tables, or with `--check` only compare.

    Args:
        tool: Its module.
        path: The document.
        with_tables: Gives the document's text as it should be.

    Returns:
        The exit status: 1 if a check finds a difference.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {tool}")
    parser.add_argument("--check", action="store_true", help="only compare, change nothing")
    check = parser.parse_args().check
    document = path.read_text()
    wanted = with_tables(document)
    if check and document != wanted:
        print(f"{path}: its tables are out of date: run python -m {tool}")
        return 1
    if not check:
        path.write_text(wanted)
    return 0
