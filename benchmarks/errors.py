"""The errors of the benchmarks; each message names the cause.

ServingError
├── LoadError
├── PeerError
└── SweepError
"""

from serving.errors import ServingError


class LoadError(ServingError):
    """There is nothing to send, or the load generator failed."""


class PeerError(ServingError):
    """A peer could not be installed, did not start, or failed."""


class SweepError(ServingError):
    """A sweep could not be made, or its result cannot be applied."""
