"""The errors of the service; those of photos and options are in `imaging.errors`.

    ReasonedError                   of `imaging.errors`
    ├── InvalidInputError           of `imaging.errors`: photo, option, limit
    │   └── IdempotencyKeyReusedError  the idempotency key came with another request before
    ├── ModelNotFoundError          no such model
    ├── InferenceUnavailableError   Triton or the model is away
    ├── DecodingUnavailableError    nothing decodes photos now
    ├── DeadlineError               the time was up
    │   ├── StreamIdleError         nothing moved on a stream for too long
    │   └── DeadlineTooShortError   the time would not have sufficed
    ├── DrainingError               the gateway is about to stop
    ├── InferenceFailedError        Triton answered, but with an error of its own
    ├── UnauthenticatedError        the call proves no account
    │   ├── KeyMissingError         the call carries no API key
    │   ├── KeyInvalidError         there is no such key
    │   └── KeyRevokedError         the key is no longer valid
    ├── RateLimitedError            the key calls too often, come back later
    ├── OutOfCreditsError           the key has no credit left
    ├── AccountsUnavailableError    the accounts' database is away
    └── NoAccountsError             this gateway keeps no accounts

`gateway.rpc.status` turns each into a gRPC status, and imaging's option words into fields.
"""

from collections.abc import Mapping

from imaging.errors import InvalidInputError, ReasonedError


class IdempotencyKeyReusedError(InvalidInputError):
    """The caller's idempotency key came with another request before, within a day."""

    reason = "IDEMPOTENCY_KEY_REUSED"


class ModelNotFoundError(ReasonedError):
    """Triton has no model of this name that takes a photo and gives a matte."""

    reason = "MODEL_NOT_FOUND"


class InferenceUnavailableError(ReasonedError):
    """Triton cannot be reached, or the model does not answer now; safe to retry."""

    reason = "INFERENCE_UNAVAILABLE"


class DecodingUnavailableError(ReasonedError):
    """No process can be started, or given a photo, to decode it; safe to retry."""

    reason = "DECODING_UNAVAILABLE"


class DeadlineError(ReasonedError):
    """The caller's deadline passed before the picture was ready."""

    reason = "DEADLINE_EXCEEDED"


class StreamIdleError(DeadlineError):
    """A stream stood still, with no photo in flight, for longer than it may."""

    reason = "STREAM_IDLE"


class DeadlineTooShortError(DeadlineError):
    """The caller leaves less time than a photo takes at present; the render was not begun."""

    reason = "DEADLINE_TOO_SHORT"


class DrainingError(ReasonedError):
    """The gateway is about to stop and begins nothing new; safe to retry elsewhere."""

    reason = "DRAINING"


class InferenceFailedError(ReasonedError):
    """Triton failed on this request in a way that a retry would not mend."""

    reason = "INFERENCE_FAILED"


class UnauthenticatedError(ReasonedError):
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


class RateLimitedError(ReasonedError):
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


class OutOfCreditsError(ReasonedError):
    """The API key has no credit left for a render; coming back later does not help."""

    reason = "OUT_OF_CREDITS"


class AccountsUnavailableError(ReasonedError):
    """The accounts' database cannot be reached, so nothing can be charged; safe to retry."""

    reason = "ACCOUNTS_UNAVAILABLE"


class NoAccountsError(ReasonedError):
    """This gateway keeps no accounts."""

    reason = "NO_ACCOUNTS"


def all_reasons() -> tuple[str, ...]:
    """Return the reason of every error, sorted."""
    found, waiting = set(), [ReasonedError]
    while waiting:
        error = waiting.pop()
        found.add(error.reason)
        waiting += error.__subclasses__()
    return tuple(sorted(found))
