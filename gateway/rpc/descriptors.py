"""How many connections the process' limit of descriptors allows.

Callers decide how many connections there are. Decoding keeps a reserve of descriptors
(`gateway.rendering.decoding.reserve`), but a waiting accept may take one at the moment in which
decoding opens the reserve. So gRPC accepts only as many connections as leave the reserve whole.
"""

import logging
import resource
from typing import Final

import psutil

from gateway.rendering.decoding.reserve import KEPT

log = logging.getLogger(__name__)

# Beside those for decoding: channels to Triton, workers, the metrics port, files and a database.
_OTHERS: Final = 64
_KEPT: Final = KEPT + _OTHERS
_MOST_SHARE: Final = 0.5


def most_connections(wanted: int) -> int:
    """Return how many connections may be accepted; fewer than wanted are logged.

    The process' soft limit of descriptors is raised first, within the hard one.

    Args:
        wanted: Connections that the settings allow.
    """
    in_use = psutil.Process().num_fds()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    needed = in_use + wanted + _KEPT
    if soft < needed and (hard == resource.RLIM_INFINITY or hard > soft):
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    kept = min(_KEPT, int(soft * _MOST_SHARE))
    allowed = max(min(wanted, soft - in_use - kept), 1)
    if allowed < wanted:
        log.warning(
            "%d connections are accepted, not the %d of PACKSHOT_MAX_CONNECTIONS: "
            "the process may open %d files (ulimit -n)",
            allowed,
            wanted,
            soft,
        )
    return allowed
