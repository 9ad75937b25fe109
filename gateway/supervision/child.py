"""One gateway process of several.

python -m gateway.supervision.child SOCKET

Its supervisor starts it, tells it by the socket what it is, and hears from it by the socket.
"""

import pickle
import socket
import sys
from typing import TYPE_CHECKING

from gateway.serve import serve
from gateway.start import StartError
from gateway.supervision.kernel import end_with
from gateway.supervision.membership import OneOfSeveral
from gateway.supervision.reports import MAX_BYTES, Report
from processes.logs import set_up_logging

if TYPE_CHECKING:
    from gateway.supervision.place import Place


def main() -> int:
    """Serve until told to stop; returns the exit status: 0 drained, 1 cannot start."""
    with socket.socket(fileno=int(sys.argv[1])) as supervisor:
        message = supervisor.recv(MAX_BYTES)
        if not message:
            return 1  # the supervisor has ended
        place: Place = pickle.loads(message)  # noqa: S301  of the process that started this one
        end_with(place.supervisor)
        config = place.config
        set_up_logging(config.log_level, config.log_format, process=place.number)
        try:
            serve(config, OneOfSeveral(place.number, supervisor, place.rates))
        except StartError as exc:
            supervisor.send(Report(error=str(exc)).encoded())
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
