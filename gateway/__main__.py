"""`python -m gateway`: run the gateway; `python -m gateway keys`: look after its API keys."""

import asyncio
import os
import sys

from gateway.accounts import cli as keys_cli
from gateway.config import GatewayConfig
from gateway.serve import serve
from gateway.start import StartError
from gateway.supervision.supervisor import supervise
from processes.logs import set_up_logging
from processes.settings import SettingError, load


def main() -> int:
    """Run until told to stop; returns the exit status: 0 drained, 1 cannot start, 2 usage."""
    if sys.argv[1:2] == ["keys"]:
        return keys_cli.main(sys.argv[2:])
    try:
        config = load(GatewayConfig, os.environ, sys.argv[1:], prog="python -m gateway")
    except SettingError as exc:
        print(f"error: {exc}", file=sys.stderr)  # noqa: T201
        return 2
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        # The client library would turn to files then, and lose exemplars and figures on the way.
        print(  # noqa: T201
            "error: PROMETHEUS_MULTIPROC_DIR is set, but each gateway keeps its own metrics, on a "
            "port of its own: unset it",
            file=sys.stderr,
        )
        return 2
    set_up_logging(config.log_level, config.log_format)
    try:
        if config.processes > 1:
            return asyncio.run(supervise(config))
        serve(config)
    except StartError as exc:
        print(f"error: {exc}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
