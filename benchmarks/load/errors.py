"""Why a load could not be carried out."""

from serving.errors import ServingError


class LoadError(ServingError):
    """There is nothing to send, or the generator failed; the message says which."""
