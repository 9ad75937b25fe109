"""The command `python -m benchmarks NAME …`."""

import argparse
import logging
import os
import sys
from types import ModuleType

from benchmarks import credits_drill, cuts, edges, looks, overload, perf_analyzer, precision, soak
from benchmarks.load import command as load
from benchmarks.peers import command as peers
from serving.errors import ServingError

log = logging.getLogger("benchmarks")

_COMMANDS: dict[str, tuple[ModuleType, str]] = {
    "credits": (credits_drill, "whether the books balance while the gateway is killed"),
    "cuts": (cuts, "how good the model's cuts are, and what cleaning makes of them"),
    "edges": (edges, "what the gateway's clean edges cost and bring"),
    "load": (load, "throughput and latency in closed and open loops"),
    "looks": (looks, "what each background and each piece of staging costs"),
    "overload": (overload, "goodput and latency when far more is asked than can be done"),
    "peers": (peers, "the same work by rembg, LitServe, BentoML and Triton bare"),
    "precision": (precision, "what variants of a model cost and bring, on each provider"),
    "soak": (soak, "mixed requests for minutes while Triton is killed; status 1 on a breach"),
    "perf-analyzer": (perf_analyzer, "NVIDIA's load generator against one model of Triton"),
}


def main() -> int:
    """Run the command."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, summary) in _COMMANDS.items():
        module.add_arguments(commands.add_parser(name, help=summary), os.environ)
    arguments = parser.parse_args()
    try:
        _COMMANDS[arguments.command][0].run(arguments, os.environ)
    except ServingError as exc:
        log.error("%s", exc)  # noqa: TRY400 - the message says what to do
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
