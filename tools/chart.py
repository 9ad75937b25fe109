"""Writes what follows from the chart's schema, or checks that it is as the schema says.

python -m tools.chart [--check]

`values.schema.json` is the one source of the chart's values: `values.yaml` has its defaults and
descriptions, the table in docs/deploy.md as well. The schema's lists of settings come from the
processes' own dataclasses.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gateway.config import GatewayConfig
from serving.config import ServingConfig
from tools.documents import filled
from web.config import WebConfig

CHART: Final = Path("deploy/helm/packshot")
_DOCUMENT: Final = Path("docs/deploy.md")
_WIDTH: Final = 96
_PROCESSES: Final = {"gateway": GatewayConfig, "web": WebConfig, "triton": ServingConfig}
# What the templates set from values of their own, or from where the pod is.
SET_BY_THE_CHART: Final = frozenset(
    {
        "PACKSHOT_ACCOUNTS",
        "PACKSHOT_ALLOW_ANONYMOUS",
        "PACKSHOT_CONNECTION_AGE_GRACE_S",
        "PACKSHOT_CPU_THREADS",
        "PACKSHOT_DEFAULT_MODEL",
        "PACKSHOT_DRAIN_TIMEOUT_S",
        "PACKSHOT_EXPECT_GPU",
        "PACKSHOT_HOST",
        "PACKSHOT_LOG_FORMAT",
        "PACKSHOT_LOG_LEVEL",
        "PACKSHOT_MAX_CONNECTION_AGE_S",
        "PACKSHOT_METRICS_PORT",
        "PACKSHOT_MODEL_REPOSITORY",
        "PACKSHOT_OTLP_ENDPOINT",
        "PACKSHOT_PORT",
        "PACKSHOT_TLS_CERT",
        "PACKSHOT_TLS_CLIENT_CA",
        "PACKSHOT_TLS_KEY",
        "PACKSHOT_TRITON",
        "PACKSHOT_TRITON_DIR",
        "PACKSHOT_TRITON_EXIT_TIMEOUT_S",
        "PACKSHOT_TRITON_GRPC_PORT",
        "PACKSHOT_TRITON_HOST",
        "PACKSHOT_TRITON_HTTP_PORT",
        "PACKSHOT_TRITON_MAX_CONNECTION_AGE_S",
        "PACKSHOT_TRITON_METRICS_PORT",
        "PACKSHOT_TRITON_MODELS",
        "PACKSHOT_TRITON_START_TIMEOUT_S",
        "PACKSHOT_WEB_ALLOW_ANONYMOUS",
        "PACKSHOT_WEB_DRAIN_TIMEOUT_S",
        "PACKSHOT_WEB_GATEWAY",
        "PACKSHOT_WEB_GATEWAY_CA",
        "PACKSHOT_WEB_GATEWAY_CERT",
        "PACKSHOT_WEB_GATEWAY_KEY",
        "PACKSHOT_WEB_GATEWAY_TLS",
        "PACKSHOT_WEB_HOST",
        "PACKSHOT_WEB_PLAINTEXT_KEY",
        "PACKSHOT_WEB_PORT",
    }
)


def settings_of(config: type[Any]) -> list[str]:
    """Return the settings of a process that values may add."""
    known = {field.metadata["env"] for field in dataclasses.fields(config)}
    return sorted(known - SET_BY_THE_CHART)


def with_settings(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with the settings that the processes have."""
    schema = json.loads(json.dumps(schema))
    for part, config in _PROCESSES.items():
        settings = schema["properties"][part]["properties"]["settings"]
        settings["propertyNames"] = {"enum": settings_of(config)}
    return schema


def values(schema: dict[str, Any]) -> str:
    """Return values.yaml: every default, under its description."""
    lines = [
        "# Written by `python -m tools.chart` from values.schema.json, which says what is allowed."
    ]
    for name, each in schema["properties"].items():
        lines += ["", *_value_lines(name, each, "")]
    return "\n".join(lines) + "\n"


def table(schema: dict[str, Any]) -> str:
    """Return the values as a Markdown table."""
    rows = ["| value | default | meaning |", "|---|---|---|"]
    for path, each in _leaves(schema, ""):
        default = json.dumps(each["default"])
        rows.append(f"| `{path}` | `{default}` | {_meaning(each)} |")
    return "\n".join(rows)


def _value_lines(name: str, schema: dict[str, Any], indent: str) -> Iterator[str]:
    words = f"{indent}#"
    for word in _meaning(schema).split():
        if len(words) + len(word) >= _WIDTH:
            yield words
            words = f"{indent}#"
        words += f" {word}"
    yield words
    if "properties" not in schema:
        yield f"{indent}{name}: {json.dumps(schema['default'])}"
        return
    yield f"{indent}{name}:"
    for inner, each in schema["properties"].items():
        yield from _value_lines(inner, each, f"{indent}  ")


def _leaves(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, each in schema["properties"].items():
        inner = f"{path}.{name}" if path else name
        if "properties" in each:
            yield from _leaves(each, inner)
        else:
            yield inner, each


def _meaning(schema: dict[str, Any]) -> str:
    text = str(schema["description"])
    if "enum" in schema:
        text += f" One of {', '.join(schema['enum'])}."
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None:
        text += f" From {least} to {most}." if most is not None else f" At least {least}."
    return text


def main() -> int:
    """Run the command; returns the exit status: 1 if a check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.chart", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare, change nothing")
    check = parser.parse_args().check
    source = CHART / "values.schema.json"
    schema = with_settings(json.loads(source.read_text()))
    written = {
        source: json.dumps(schema, indent=2) + "\n",
        CHART / "values.yaml": values(schema),
        _DOCUMENT: filled(_DOCUMENT.read_text(), "chart values", table(schema)),
    }
    status = 0
    for path, wanted in written.items():
        if check and (not path.exists() or path.read_text() != wanted):
            print(f"{path} is out of date: run python -m tools.chart")
            status = 1
        if not check:
            path.write_text(wanted)
    return status


if __name__ == "__main__":
    sys.exit(main())
