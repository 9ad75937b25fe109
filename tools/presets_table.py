"""Writes the presets' tables into their document, or checks that they are as the data say.

python -m tools.presets_table [--check]
"""

import sys
from pathlib import Path

from imaging.presets.load import load_presets
from imaging.presets.table import as_markdown
from tools.documents import filled, run

_DOCUMENT = Path("docs/presets.md")


def with_tables(document: str) -> str:
    """Return the document's text with the tables as the data have them."""
    return filled(document, "presets", as_markdown(load_presets()))


if __name__ == "__main__":
    sys.exit(run("tools.presets_table", _DOCUMENT, with_tables))
