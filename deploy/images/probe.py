"""The images' health check: `python probe.py PORT_VARIABLE PATH` asks this container by HTTP.

It needs the standard library alone, so that it costs a container little, and no shell.
"""

import http.client
import os
import sys
from typing import Final

_TIMEOUT_S: Final = 4.0
_OK: Final = 200


def main(port_variable: str, path: str) -> int:
    """Ask once; returns the exit status: 0 if the answer is 200, else 1, which is said.

    Args:
        port_variable: The environment variable that holds the port, such as `PACKSHOT_WEB_PORT`.
        path: What is asked for, such as `/livez`.
    """
    port = os.environ.get(port_variable, "")
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=_TIMEOUT_S)
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException) as exc:
        print(f"{port_variable}={port} {path}: {exc}", file=sys.stderr)
        return 1
    print(f"{port_variable}={port} {path}: {status}", file=sys.stderr)
    return 0 if status == _OK else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
