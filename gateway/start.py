"""Why a gateway cannot start."""


class StartError(Exception):
    """Something that the gateway needs from its start on is missing; the message names it."""
