"""Writes the tables of settings into docs/settings.md, or checks that they are as the code says.

python -m tools.settings_table [--check]
"""

import sys
from pathlib import Path

from gateway.config import GatewayConfig
from processes.settings import as_table
from serving.config import ServingConfig
from tools.documents import filled, run
from web.config import WebConfig

_DOCUMENT = Path("docs/settings.md")
_TABLES = {"gateway": GatewayConfig, "web": WebConfig, "serving": ServingConfig}


def with_tables(text: str) -> str:
    """Return the document's text with the tables as the code has them."""
    for name, cls in _TABLES.items():
        title = f"**`python -m {name}`**"
        text = filled(text, f"settings: {name}", f"{title}\n\n{as_table(cls)}")
    return text


if __name__ == "__main__":
    sys.exit(run("tools.settings_table", _DOCUMENT, with_tables))
