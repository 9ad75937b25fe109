"""What can be wrong with a photo, an option or the machine, each with a reason for programs.

    ReasonedError
    ├── InvalidInputError           the caller must change what it asks
    │   ├── InvalidPhotoError       not a picture, or a broken one
    │   │   └── UnsupportedPhotoError   of a format that this installation does not read
    │   ├── PhotoLimitError         over a limit of bytes or pixels
    │   └── InvalidOptionError      an option is unknown or out of range
    ├── NoForegroundError           no product in the photo
    └── OverloadedError             full or out of memory, come back later

A service adds its own errors below `ReasonedError`.
"""

from collections.abc import Mapping


class ReasonedError(Exception):
    """Base of every error that a caller gets to see.

    Attributes:
        reason: UPPER_SNAKE_CASE name for programs; stable.
        figures: Limits and values behind the message, as text.
        field: The option at fault, as a plain word (`photo`, `margin`); a service that knows it by
            another name maps it. Empty when no option is at fault.
    """

    reason = "INTERNAL"

    def __init__(
        self, message: str, *, field: str = "", figures: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.figures = {key: str(value) for key, value in (figures or {}).items()}


class InvalidInputError(ReasonedError):
    """What is asked cannot be done as it is."""

    reason = "INVALID_REQUEST"


class InvalidPhotoError(InvalidInputError):
    """The bytes are no picture of an accepted format, or a broken one."""

    reason = "INVALID_PHOTO"


class UnsupportedPhotoError(InvalidPhotoError):
    """The photo is of an accepted format whose decoder is not installed."""

    reason = "UNSUPPORTED_PHOTO"


class PhotoLimitError(InvalidInputError):
    """The photo is over, or under, a limit."""

    reason = "PHOTO_LIMIT"


class InvalidOptionError(InvalidInputError):
    """An option is unknown, out of range or contradicts another."""

    reason = "INVALID_OPTION"


class NoForegroundError(ReasonedError):
    """The model found no product in the photo."""

    reason = "NO_FOREGROUND"


class OverloadedError(ReasonedError):
    """There is as much work, or as little memory, as may be.

    Attributes:
        retry_after_s: When to come back, seconds.
    """

    reason = "OVERLOADED"

    def __init__(
        self, message: str, *, retry_after_s: float, figures: Mapping[str, object]
    ) -> None:
        super().__init__(message, figures=figures)
        self.retry_after_s = retry_after_s
