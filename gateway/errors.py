"""What can go wrong on a photo's way, each with the reason that callers can switch on.

    GatewayError
    ├── InvalidRequestError         the caller must change the request
    │   ├── InvalidPhotoError       not a picture, or a broken one
    │   ├── PhotoLimitError         over a limit of bytes or pixels
    │   ├── InvalidOptionError      an option is unknown or out of range
    │   └── IdempotencyKeyReusedError  the idempotency key came with another request before
    ├── ModelNotFoundError          no such model
    ├── NoForegroundError           no product in the photo
    ├── OverloadedError             full, come back later
    ├── InferenceUnavailableError   Triton or the model is away
    ├── DecodingUnavailableError    nothing decodes photos now
    ├── DeadlineError               the time was up
    │   ├── StreamIdleError         nothing moved on a stream for too long
    │   └── DeadlineTooShortError   the time would not have sufficed
    ├── DrainingError               the gateway is about to stop
    ├── InferenceFailedError        Triton answered, but with an error of its own
    ├── UnauthenticatedError        nobody may call like this
    │   ├── KeyMissingError         the call carries no API key
    │   ├── KeyInvalidError         nobody has this key
    │   └── KeyRevokedError         the key is no longer valid
    ├── RateLimitedError            the key calls too often, come back later
    ├── OutOfCreditsError           the key has no credit left
    ├── AccountsUnavailableError    the accounts' database is away
    └── NoAccountsError             this gateway keeps no accounts

`gateway.rpc.status` turns each into a gRPC status.
"""

from collections.abc import Mapping


class GatewayError(Exception):
    """Base of every error that a caller gets to see.

    Attributes:
        reason: UPPER_SNAKE_CASE name for machines; stable.
        figures: Limits and values behind the message, as text.
        field: The request's field at fault, as a proto path; empty when none is.
    """

    reason = "INTERNAL"

    def __init__(
        self, message: str, *, field: str = "", figures: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.field = field
        self.figures = {key: str(value) for key, value in (figures or {}).items()}


class InvalidRequestError(GatewayError):
    """The request cannot be served as it is."""

    reason = "INVALID_REQUEST"


class InvalidPhotoError(InvalidRequestError):
    """The bytes are no picture of an accepted format, or a broken one."""

    reason = "INVALID_PHOTO"


class PhotoLimitError(InvalidRequestError):
    """The photo is over, or under, a limit."""

    reason = "PHOTO_LIMIT"


class InvalidOptionError(InvalidRequestError):
    """An option is unknown, out of range or contradicts another."""

    reason = "INVALID_OPTION"


class IdempotencyKeyReusedError(InvalidRequestError):
    """The caller's idempotency key came with another request before, within a day."""

    reason = "IDEMPOTENCY_KEY_REUSED"


class ModelNotFoundError(GatewayError):
    """Triton has no model of this name that takes a photo and gives a matte."""

    reason = "MODEL_NOT_FOUND"


class NoForegroundError(GatewayError):
    """The model found no product in the photo."""

    reason = "NO_FOREGROUND"


class OverloadedError(GatewayError):
    """The gateway or Triton holds as much work as it may.

    Attributes:
        retry_after_s: When to come back, seconds.
    """

    reason = "OVERLOADED"

    def __init__(
        self, message: str, *, retry_after_s: float, figures: Mapping[str, object]
    ) -> None:
        super().__init__(message, figures=figures)
        self.retry_after_s = retry_after_s


class InferenceUnavailableError(GatewayError):
    """Triton cannot be reached, or the model does not answer now; safe to retry."""

    reason = "INFERENCE_UNAVAILABLE"


class DecodingUnavailableError(GatewayError):
    """No process can be started, or given a photo, to decode it; safe to retry."""

    reason = "DECODING_UNAVAILABLE"


class DeadlineError(GatewayError):
    """The caller's deadline passed before the picture was ready."""

    reason = "DEADLINE_EXCEEDED"


class StreamIdleError(DeadlineError):
    """A stream stood still, with no photo in flight, for longer than it may."""

    reason = "STREAM_IDLE"


class DeadlineTooShortError(DeadlineError):
    """The caller leaves less time than a photo takes at present; nothing was begun."""

    reason = "DEADLINE_TOO_SHORT"


class DrainingError(GatewayError):
    """The gateway is about to stop and begins nothing new; safe to retry elsewhere."""

    reason = "DRAINING"


class InferenceFailedError(GatewayError):
    """Triton failed on this request in a way that a retry would not mend."""

    reason = "INFERENCE_FAILED"


class UnauthenticatedError(GatewayError):
    """The call does not say, or does not prove, on whose account it is."""

    reason = "UNAUTHENTICATED"


class KeyMissingError(UnauthenticatedError):
    """The call carries no API key."""

    reason = "API_KEY_MISSING"


class KeyInvalidError(UnauthenticatedError):
    """There is no such API key, or its secret is another; which of them is not told."""

    reason = "API_KEY_INVALID"


class KeyRevokedError(UnauthenticatedError):
    """The API key is right, but revoked."""

    reason = "API_KEY_REVOKED"


class RateLimitedError(GatewayError):
    """The API key calls more often than it may.

    Attributes:
        retry_after_s: When its next call is due, seconds.
    """

    reason = "RATE_LIMITED"

    def __init__(
        self, message: str, *, retry_after_s: float, figures: Mapping[str, object]
    ) -> None:
        super().__init__(message, figures=figures)
        self.retry_after_s = retry_after_s


class OutOfCreditsError(GatewayError):
    """The API key has no credit left for a render; coming back later does not help."""

    reason = "OUT_OF_CREDITS"


class AccountsUnavailableError(GatewayError):
    """The accounts' database cannot be reached, so nothing can be charged; safe to retry."""

    reason = "ACCOUNTS_UNAVAILABLE"


class NoAccountsError(GatewayError):
    """This gateway keeps no accounts, so there is none to tell of."""

    reason = "NO_ACCOUNTS"


def all_reasons() -> tuple[str, ...]:
    """Return the reason of every error, sorted."""
    found, waiting = set(), [GatewayError]
    while waiting:
        error = waiting.pop()
        found.add(error.reason)
        waiting += error.__subclasses__()
    return tuple(sorted(found))
