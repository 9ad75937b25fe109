"""Why a gateway cannot start."""


class StartError(Exception):
    """The gateway lacks something that it needs to start; the message names it."""
