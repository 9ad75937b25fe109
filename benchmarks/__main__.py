"""The command `python -m benchmarks NAME …`."""

import argparse
import importlib
import logging
import os
import signal
import sys
from typing import Final

from serving.errors import ServingError

log = logging.getLogger("benchmarks")

# Each with its module, which has `add_arguments` and `run` and is imported if it is asked for: what
# one benchmark needs, the others do not.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "agree": ("benchmarks.agree", "whether the ratios of two runs agree; status 1 if not"),
    "all": ("benchmarks.every", "those that a GPU is chosen by, within half an hour"),
    "cost": ("benchmarks.cost.command", "what 1000 images cost, and what a day's photos need"),
    "credits": ("benchmarks.credits_drill", "whether the books balance when gateways are killed"),
    "cuts": ("benchmarks.cuts", "how good the model's cuts are, and what cleaning makes of them"),
    "edges": ("benchmarks.edges", "what the gateway's clean edges cost and bring"),
    "http": ("benchmarks.http", "what the HTTP face costs beside gRPC, and its memory"),
    "limits": ("benchmarks.limits.command", "what the hardware allows, and how much of it is used"),
    "load": ("benchmarks.load.command", "throughput and latency in closed and open loops"),
    "looks": ("benchmarks.looks", "what each background and each piece of staging costs"),
    "overload": ("benchmarks.overload", "goodput and latency when far too much is asked"),
    "peers": ("benchmarks.peers.command", "the same work by rembg, LitServe, BentoML, Triton bare"),
    "perf-analyzer": ("benchmarks.perf_analyzer", "NVIDIA's load generator against one model"),
    "precision": ("benchmarks.precision", "what variants of a model cost and bring"),
    "report": ("benchmarks.report.command", "one page and its charts, from saved records only"),
    "soak": ("benchmarks.soak", "mixed requests for minutes while Triton is killed"),
    "sweep": ("benchmarks.sweep.command", "a model's best configuration under a p95"),
    "telemetry": ("benchmarks.telemetry", "what metrics, log and traces cost of throughput"),
    "why-gpu": ("benchmarks.gpu_run", "batches, size, precision, training; CPU and GPU"),
}


def main() -> int:
    """Run the command; a signal to stop also stops the servers that it has started."""
    # A shell that runs this in the background has it ignore Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    parsers = {
        name: commands.add_parser(name, help=summary) for name, (_, summary) in COMMANDS.items()
    }
    asked = next((word for word in sys.argv[1:2] if word in COMMANDS), None)
    if asked is None:
        parser.parse_args()
        return 2
    module = importlib.import_module(COMMANDS[asked][0])
    module.add_arguments(parsers[asked], os.environ)
    try:
        module.run(parser.parse_args(), os.environ)
    except ServingError as exc:
        log.error("%s", exc)  # noqa: TRY400 - the message says what to do
        return 1
    except KeyboardInterrupt:
        log.error("stopped")  # noqa: TRY400 - nothing failed
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
