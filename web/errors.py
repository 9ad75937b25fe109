"""What a caller gets to hear instead of a picture.

A `WebError` has remove.bg's three words (title, code, detail) and an HTTP status. `from_packshot`
translates the gateway's errors, once; each contract writes them in a form of its own.
"""

import math
import time
from collections.abc import Mapping
from http import HTTPStatus

from packshot import (
    CallCancelledError,
    DeadlineExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    NoForegroundError,
    OutOfCreditsError,
    OverloadedError,
    PackshotError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)

# Where a client gives no time to come back, s.
_RETRY_AFTER_S = 1.0
_TITLES: dict[str, str] = {
    "auth_failed": "Authentication failed",
    "failed_to_read_image": "There was an error reading the image.",
    "file_too_large": "File too large",
    "image_too_small": "Image too small",
    "insufficient_credits": "Insufficient credits",
    "internal_error": "Internal error",
    "no_accounts": "No accounts are kept",
    "overloaded": "The service is full",
    "rate_limit_exceeded": "Rate limit exceeded",
    "resolution_too_high": "Image resolution too high",
    "roi_exceeds_bounds": "ROI exceeds image bounds",
    "timeout": "The time was up",
    "unavailable": "The service is away",
    "unknown_foreground": "Could not identify foreground in image.",
    "unknown_model": "There is no such model",
}


class WebError(Exception):
    """An answer without a picture.

    Attributes:
        status: The HTTP status.
        code: The cause's name in lower case; stable.
        title: What went wrong, in a few words.
        detail: What went wrong, with limit and value; may equal the title.
        headers: To be sent along.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        title: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.title = title or _TITLES.get(code, detail)
        self.headers = dict(headers or {})


def invalid(code: str, detail: str, *, title: str = "") -> WebError:
    """Build the error of a request that its caller must change."""
    return WebError(HTTPStatus.BAD_REQUEST, code, detail, title=title)


def invalid_parameter(name: str, detail: str) -> WebError:
    """Build the error of a parameter whose value is not allowed."""
    return invalid(f"invalid_{name}", detail, title=f"Invalid {name} parameter given")


def overloaded(detail: str) -> WebError:
    """Build the error of a face that holds as much as it may."""
    headers = {"Retry-After": str(math.ceil(_RETRY_AFTER_S))}
    return WebError(HTTPStatus.SERVICE_UNAVAILABLE, "overloaded", detail, headers=headers)


def from_packshot(error: PackshotError) -> WebError:
    """Translate an error of the gateway's."""
    status, code = _status_and_code(error)
    headers = {}
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(math.ceil(error.retry_after_s or _RETRY_AFTER_S))
    if isinstance(error, RateLimitedError):
        headers |= _rate_headers(error)
    if error.trace_id:
        headers["X-Trace-Id"] = error.trace_id
    return WebError(status, code, str(error), headers=headers)


def _status_and_code(error: PackshotError) -> tuple[HTTPStatus, str]:  # noqa: C901, PLR0911  a table
    match error:
        case InvalidRequestError():
            return HTTPStatus.BAD_REQUEST, _code_of_invalid(error)
        case ModelNotFoundError():
            return HTTPStatus.BAD_REQUEST, "unknown_model"
        case NoForegroundError():
            return HTTPStatus.BAD_REQUEST, "unknown_foreground"
        case OutOfCreditsError():
            return HTTPStatus.PAYMENT_REQUIRED, "insufficient_credits"
        case UnauthenticatedError():
            return HTTPStatus.FORBIDDEN, "auth_failed"
        case RateLimitedError():
            return HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_exceeded"
        case OverloadedError():
            return HTTPStatus.SERVICE_UNAVAILABLE, "overloaded"
        case UnavailableError() | CallCancelledError():
            return HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"
        case DeadlineExceededError():
            return HTTPStatus.GATEWAY_TIMEOUT, "timeout"
        case UnsupportedError():
            return HTTPStatus.NOT_FOUND, "no_accounts"
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error"


def _code_of_invalid(error: InvalidRequestError) -> str:
    if "region_px" in error.figures:
        return "roi_exceeds_bounds"
    if error.reason in ("INVALID_PHOTO", "UNSUPPORTED_PHOTO"):
        return "failed_to_read_image"
    if error.reason != "PHOTO_LIMIT":
        return "invalid_parameters"
    if "limit_pixels" in error.figures:
        return "resolution_too_high"
    return "image_too_small" if "limit_px" in error.figures else "file_too_large"


def _rate_headers(error: RateLimitedError) -> dict[str, str]:
    reset_s = math.ceil(time.time() + (error.retry_after_s or _RETRY_AFTER_S))
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset_s)}
    if per_s := error.figures.get("limit_per_s"):
        # The contract counts by the minute.
        headers["X-RateLimit-Limit"] = f"{float(per_s) * 60:.0f}"
    return headers
