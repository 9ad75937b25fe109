"""Writes the contracts' tables into their document, or checks that they are as the code says.

python -m tools.http_table [--check]
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from tools.documents import filled, run
from web import page_api, photoroom
from web.orders import Parameter
from web.removebg import parameters as removebg

_DOCUMENT = Path("docs/http.md")
_TABLES = {
    "removebg": removebg.PARAMETERS,
    "segment": photoroom.PARAMETERS,
    "render": page_api.PARAMETERS,
}


def with_tables(document: str) -> str:
    """Return the document's text with the tables as the code has them."""
    for name, parameters in _TABLES.items():
        document = filled(document, f"parameters: {name}", as_markdown(parameters))
    return document


def as_markdown(parameters: Iterable[Parameter]) -> str:
    """Return parameters as a Markdown table."""
    rows = ["| parameter | | values | how |", "|---|---|---|---|"]
    rows += [
        f"| `{parameter.name}` | {parameter.support} | {_values(parameter)} | {parameter.how} |"
        for parameter in parameters
    ]
    return "\n".join(rows)


def _values(parameter: Parameter) -> str:
    schema = parameter.schema
    if "enum" in schema:
        text = ", ".join(f"`{value}`" for value in schema["enum"])
    elif "minimum" in schema:
        text = f"{schema['minimum']} to {schema['maximum']}"
    elif schema.get("format") == "binary":
        text = "a file"
    else:
        text = {"boolean": "`true`, `false`"}.get(schema["type"], "a text")
    default = schema.get("default")
    if default is None:
        return text
    return f"{text}; else `{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    sys.exit(run("tools.http_table", _DOCUMENT, with_tables))
