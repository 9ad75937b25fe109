"""Writes the tables of settings into the README, or checks that they are as the code says.

python -m tools.settings_table [--check]
"""

import argparse
import re
import sys
from pathlib import Path

from gateway.config import GatewayConfig
from serving.config import ServingConfig
from settings import as_table

_README = Path("README.md")
_TABLES = {"gateway": GatewayConfig, "serving": ServingConfig}


def with_tables(readme: str) -> str:
    """Return the README's text with the tables as the code has them."""
    for name, cls in _TABLES.items():
        title = f"**`python -m {name}`**"
        table = f"<!-- settings: {name} -->\n{title}\n\n{as_table(cls)}\n<!-- end -->"
        pattern = rf"<!-- settings: {name} -->.*?<!-- end -->"
        readme, count = re.subn(pattern, lambda _match, t=table: t, readme, flags=re.DOTALL)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"the README has {count} places for the settings of {name}, not one")
    return readme


def main() -> int:
    """Run the command; returns 1 if a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.settings_table", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, change nothing")
    check = parser.parse_args().check
    readme = _README.read_text()
    wanted = with_tables(readme)
    if check and readme != wanted:
        print("README.md: the settings differ from the code: run `make readme`")
        return 1
    if not check:
        _README.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
