"""The command `python -m monitoring NAME …`."""

import argparse
from types import ModuleType

from monitoring import run
from monitoring.dashboards import command as dashboards
from monitoring.pictures import command as pictures

_COMMANDS: dict[str, tuple[ModuleType, str]] = {
    "dashboards": (
        dashboards,
        "write Grafana's dashboards, or check that they are as the code says",
    ),
    "pictures": (pictures, "draw the dashboards from the data of a Prometheus that runs"),
    "run": (run, "run Triton, the gateway and a real Prometheus in the foreground"),
}


def main() -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m monitoring", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, summary) in _COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=summary))
    arguments = parser.parse_args()
    status: int = _COMMANDS[arguments.command][0].run(arguments)
    return status


if __name__ == "__main__":
    raise SystemExit(main())
