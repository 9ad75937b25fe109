"""The command `python -m serving`."""

import logging
import os
import sys

from processes.logs import LogFormat, set_up_logging
from processes.settings import SettingError, load
from serving.config import ServingConfig
from serving.errors import ServingError
from serving.server import serve

log = logging.getLogger("serving")


def main() -> int:
    """Run the command; the exit status is Triton's, 1 if it could not be started, 2 for usage."""
    try:
        config = load(ServingConfig, os.environ, sys.argv[1:], "python -m serving")
    except SettingError as exc:
        set_up_logging(logging.INFO, LogFormat.AUTO)
        log.error("%s", exc)  # noqa: TRY400 - a wrong setting needs no stack
        return 2
    set_up_logging(logging.INFO, config.log_format)
    try:
        return serve(config, os.environ)
    except ServingError as exc:
        log.error("%s", exc)  # noqa: TRY400 - the message says what to do
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
