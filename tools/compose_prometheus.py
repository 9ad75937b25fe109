"""Writes the compose file's Prometheus configuration from monitoring's, or checks that it follows.

python -m tools.compose_prometheus [--check]
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from monitoring.prometheus_server import CONFIGURATION

_HEAD: Final = "# Written by python -m tools.compose_prometheus from monitoring's prometheus.yml.\n"
_WRITTEN: Final = Path("deploy/compose/prometheus.yml")
# Of each job, the name by which the services of one kind are found, however many there are.
_SERVICES: Final = {"gateway": ("gateway", 9095), "triton": ("triton", 8002)}


def for_compose(source: str) -> str:
    """Return monitoring's configuration with the compose file's services as its targets."""
    configuration: dict[str, Any] = yaml.safe_load(source)
    for job in configuration["scrape_configs"]:
        name, port = _SERVICES[job["job_name"]]
        del job["static_configs"]
        job["dns_sd_configs"] = [{"names": [name], "type": "A", "port": port}]
    return _HEAD + yaml.safe_dump(configuration, sort_keys=False)


def main() -> int:
    """Write the file, or with `--check` only compare; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.compose_prometheus")
    parser.add_argument("--check", action="store_true", help="only compare, change nothing")
    wanted = for_compose(CONFIGURATION.read_text())
    if not parser.parse_args().check:
        _WRITTEN.write_text(wanted)
        return 0
    if not _WRITTEN.is_file() or _WRITTEN.read_text() != wanted:
        print(f"{_WRITTEN} is out of date: run python -m tools.compose_prometheus")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
