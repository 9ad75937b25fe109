"""What a call can raise.

PackshotError
├── InvalidRequestError      the photo or an option is at fault; do not repeat it
├── ModelNotFoundError       no such model
├── NoForegroundError        no product in the photo
├── UnauthenticatedError     the service wants an API key, or another one
├── OutOfCreditsError        the API key has no credit left; do not repeat it
├── OverloadedError          the service is full; `retry_after_s` says when to come back
│   └── RateLimitedError     the API key calls too often
├── UnavailableError         the service or its inference server is away; safe to repeat
├── DeadlineExceededError    the time was up
├── CallCancelledError       the call was cancelled
├── UnsupportedError         the service does not have this call
└── ServiceError             a defect of the service, or an answer that no client expects
"""

import re

import grpc
from google.protobuf.message import DecodeError, Message

from packshot.wire.v1 import wire_pb2 as wire


class PackshotError(Exception):
    """Base of every error of this package.

    Attributes:
        code: The gRPC status.
        reason: The service's name for the cause, such as "PHOTO_LIMIT"; empty if it gave none.
        figures: Limits and values behind the message, as text.
        retry_after_s: Seconds after which to come back; None if the service gave none.
        trace_id: By which the service's operators find the call; empty if it gave none.
    """

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode,
        reason: str = "",
        figures: dict[str, str] | None = None,
        retry_after_s: float | None = None,
        trace_id: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.figures = figures or {}
        self.retry_after_s = retry_after_s
        self.trace_id = trace_id


class InvalidRequestError(PackshotError):
    """The photo or an option is at fault."""


class ModelNotFoundError(PackshotError):
    """The service has no such model."""


class NoForegroundError(PackshotError):
    """The model found no product in the photo."""


class OverloadedError(PackshotError):
    """The service is full."""


class RateLimitedError(OverloadedError):
    """The API key calls more often than it may."""


class UnauthenticatedError(PackshotError):
    """The call carries no API key, or none that is valid."""


class OutOfCreditsError(PackshotError):
    """The API key has no credit left."""


class UnavailableError(PackshotError):
    """The service or its inference server is away."""


class DeadlineExceededError(PackshotError):
    """The time was up before the answer came."""


class CallCancelledError(PackshotError):
    """The call was cancelled before the answer came."""


class UnsupportedError(PackshotError):
    """The service does not have this call; of `account`: it keeps no accounts."""


class ServiceError(PackshotError):
    """A defect of the service, or an answer that no client expects."""


_BY_CODE: dict[grpc.StatusCode, type[PackshotError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: ModelNotFoundError,
    grpc.StatusCode.FAILED_PRECONDITION: NoForegroundError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.CANCELLED: CallCancelledError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.UNIMPLEMENTED: UnsupportedError,
}
# What gRPC says by itself where it reaches nobody.
_UNANSWERED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}
# Where one status has several causes with different remedies.
_BY_REASON: dict[str, type[PackshotError]] = {
    "OUT_OF_CREDITS": OutOfCreditsError,
    "RATE_LIMITED": RateLimitedError,
}


# The reason that the service gives for a photo of too many bytes.
_PHOTO_LIMIT = "PHOTO_LIMIT"
# What gRPC says of a request that it receives no further than to its length.
_TOO_LARGE = re.compile(r"message larger than max \((\d+) vs\. (\d+)\)")


def photo_too_large(value: int, limit: int) -> InvalidRequestError:
    """Build the error of a photo that cannot be sent.

    Args:
        value: Its bytes, or its request's, as far as they were counted.
        limit: The most that can be received.
    """
    return InvalidRequestError(
        f"the photo takes {value} bytes; the service receives {limit} at most",
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason=_PHOTO_LIMIT,
        figures={"value": str(value), "limit": str(limit)},
    )


def from_rpc_error(
    code: grpc.StatusCode,
    message: str | None,
    trailers: dict[str, str | bytes],
    route: str = "",
) -> PackshotError:
    """Build the typed error of a failed call.

    Args:
        code: Its status.
        message: What the status says, for people.
        trailers: What came with it.
        route: Where the call went, told where the service has not answered.
    """
    status = wire.Status()
    details = trailers.get("grpc-status-details-bin", b"")
    try:
        status.ParseFromString(details if isinstance(details, bytes) else details.encode())
    except DecodeError:
        status.Clear()  # a proxy's trailer: the code and the message still stand
    info, retry = wire.ErrorInfo(), wire.RetryInfo()
    _find(status, info)
    has_retry = _find(status, retry)
    if not info.reason and (sizes := _TOO_LARGE.search(message or "")):
        return photo_too_large(int(sizes[1]), int(sizes[2]))
    if route and not info.reason and code in _UNANSWERED:
        message = f"{message or code.name} (to {route})"
    figures = dict(info.metadata)
    trace_id = figures.pop("trace_id", "")
    return _BY_REASON.get(info.reason, _BY_CODE.get(code, ServiceError))(
        message or code.name,
        code=code,
        reason=info.reason,
        figures=figures,
        retry_after_s=retry.retry_delay.ToTimedelta().total_seconds() if has_retry else None,
        trace_id=trace_id,
    )


def _find(status: wire.Status, message: Message) -> bool:
    """Fill a message of ours from the detail of the same name in google.rpc."""
    for detail in status.details:
        if detail.type_url.rpartition("/")[2] == f"google.rpc.{message.DESCRIPTOR.name}":
            message.ParseFromString(detail.value)
            return True
    return False
