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

# By name: the module, which has `add_arguments` and `run`, and a summary. A module is imported only
# when its command is called, since each needs other packages.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "all": ("benchmarks.run_all", "all that a GPU is chosen by, within half an hour"),
    "cost": ("benchmarks.cost.command", "cost of 1000 images, and machines for a day's photos"),
    "edges": ("benchmarks.edges", "a network's cuts along the edges, at photos' full size"),
    "limits": ("benchmarks.limits.command", "what the hardware allows, and the share that is used"),
    "load": ("benchmarks.load.command", "throughput and latency in closed and open loops"),
    "matte-quality": ("benchmarks.matte_quality", "quality of the model's mattes, and of cleaning"),
    "peers": (
        "benchmarks.peers.command",
        "the same work by rembg, LitServe, BentoML, Triton alone",
    ),
    "perf-analyzer": ("benchmarks.perf_analyzer", "NVIDIA's load generator against one model"),
    "precision": ("benchmarks.precision", "speed and quality of a model's variants"),
    "processes": ("benchmarks.processes", "one gateway process against several on one port"),
    "report": ("benchmarks.report.command", "one page with charts, from saved records only"),
    "steps": ("benchmarks.steps", "cost of the gateway's steps, and quality of its edges"),
    "sweep": ("benchmarks.sweep.command", "a model's best configuration under a p95"),
    "why-gpu": ("benchmarks.gpu_run", "batches, sizes, precisions, training; CPU and GPU"),
}


def main() -> int:
    """Run the command; a signal to stop also stops the servers that it has started."""
    # A shell that runs this in the background has it ignore Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells each request
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
