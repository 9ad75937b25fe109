"""Writes the presets' tables into their document, or checks that they are as the data say.

python -m tools.presets_table [--check]
"""

import argparse
import re
import sys
from pathlib import Path

from gateway.presets.load import load_presets
from gateway.presets.table import as_markdown

_DOCUMENT = Path("docs/presets.md")
_PATTERN = re.compile("<!-- presets -->.*?<!-- end -->", re.DOTALL)


def with_tables(document: str) -> str:
    """Return the document's text with the tables as the data have them."""
    tables = f"<!-- presets -->\n{as_markdown(load_presets())}\n<!-- end -->"
    document, count = _PATTERN.subn(lambda _match: tables, document)
    if count != 1:
        raise ValueError(f"{_DOCUMENT} has {count} places for the presets, not one")
    return document


def main() -> int:
    """Run the command; returns 1 if a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.presets_table", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, change nothing")
    check = parser.parse_args().check
    document = _DOCUMENT.read_text()
    wanted = with_tables(document)
    if check and document != wanted:
        print(f"{_DOCUMENT}: the presets differ from the data: run python -m tools.presets_table")
        return 1
    if not check:
        _DOCUMENT.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
