"""Why a sweep could not be made, or its outcome not be applied."""

from serving.errors import ServingError


class SweepError(ServingError):
    """The message says what to do."""
