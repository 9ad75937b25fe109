"""Every error's gRPC status, with the rich details that google.rpc defines."""

import math
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from gateway.errors import (
    AccountsUnavailableError,
    DeadlineError,
    DecodingUnavailableError,
    DrainingError,
    InferenceFailedError,
    InferenceUnavailableError,
    ModelNotFoundError,
    NoAccountsError,
    OutOfCreditsError,
    RateLimitedError,
    UnauthenticatedError,
)
from imaging.errors import InvalidInputError, NoForegroundError, OverloadedError, ReasonedError

ERROR_DOMAIN: Final = "packshot.dev"

# When a caller may come back after UNAVAILABLE: about the time that a model takes to load.
_UNAVAILABLE_RETRY_S: Final = 1.0

_CODES: Final[dict[type[ReasonedError], grpc.StatusCode]] = {
    InvalidInputError: grpc.StatusCode.INVALID_ARGUMENT,
    ModelNotFoundError: grpc.StatusCode.NOT_FOUND,
    NoForegroundError: grpc.StatusCode.FAILED_PRECONDITION,
    OverloadedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    InferenceUnavailableError: grpc.StatusCode.UNAVAILABLE,
    DecodingUnavailableError: grpc.StatusCode.UNAVAILABLE,
    DeadlineError: grpc.StatusCode.DEADLINE_EXCEEDED,
    DrainingError: grpc.StatusCode.UNAVAILABLE,
    InferenceFailedError: grpc.StatusCode.INTERNAL,
    UnauthenticatedError: grpc.StatusCode.UNAUTHENTICATED,
    RateLimitedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    OutOfCreditsError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    AccountsUnavailableError: grpc.StatusCode.UNAVAILABLE,
    NoAccountsError: grpc.StatusCode.UNIMPLEMENTED,
}

CODES_BY_NUMBER: Final[dict[int, grpc.StatusCode]] = {
    code.value[0]: code for code in grpc.StatusCode
}


# What `imaging` calls an option, and the request's field that holds it; others have one name.
_FIELDS: Final = {
    "background": "background.picture.picture",
    "erase_mask": "hints.erase_mask",
    "format": "output.format",
    "keep_mask": "hints.keep_mask",
    "keep_metadata": "output.keep_metadata",
    "margin": "frame.margin",
}


def status_code(error: ReasonedError) -> grpc.StatusCode:
    """Return the gRPC status of an error, by its class or the nearest one above."""
    for cls in type(error).__mro__:
        if cls in _CODES:
            return _CODES[cls]
    return grpc.StatusCode.INTERNAL


def to_status(error: ReasonedError, trace_id: str = "") -> status_pb2.Status:
    """Describe an error as a google.rpc.Status with its details.

    Args:
        error: The error.
        trace_id: By which the call is found in logs and traces; empty for none.
    """
    trace = {"trace_id": trace_id} if trace_id else {}
    details = [
        error_details_pb2.ErrorInfo(
            reason=error.reason, domain=ERROR_DOMAIN, metadata={**error.figures, **trace}
        )
    ]
    if isinstance(error, InvalidInputError) and error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_FIELDS.get(error.field, error.field), description=str(error), reason=error.reason
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    retry_after_s = _retry_after_s(error)
    if retry_after_s is not None:
        delay = duration_pb2.Duration()
        # Rounded up: a caller who comes back a fraction early would be refused again.
        delay.FromMilliseconds(math.ceil(retry_after_s * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    packed = []
    for detail in details:
        holder = any_pb2.Any()
        holder.Pack(detail)
        packed.append(holder)
    return status_pb2.Status(code=status_code(error).value[0], message=str(error), details=packed)


def _retry_after_s(error: ReasonedError) -> float | None:
    if isinstance(error, OverloadedError | RateLimitedError):
        return error.retry_after_s
    away = status_code(error) is grpc.StatusCode.UNAVAILABLE
    return _UNAVAILABLE_RETRY_S if away else None


def fail(context: grpc.aio.ServicerContext[Any, Any], status: status_pb2.Status) -> None:
    """Give a call a status whose rich form goes along, as gRPC's status libraries expect."""
    context.set_code(CODES_BY_NUMBER[status.code])
    context.set_details(status.message)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
