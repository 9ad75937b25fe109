"""Why a peer could not be measured."""

from serving.errors import ServingError


class PeerError(ServingError):
    """A peer could not be installed, did not start, or failed; the message says which."""
