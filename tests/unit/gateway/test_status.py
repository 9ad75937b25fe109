import grpc
import pytest
from google.rpc import error_details_pb2

import imaging.errors
from gateway import errors
from gateway.errors import InferenceUnavailableError
from gateway.rpc.status import status_code, to_status
from imaging.errors import (
    InvalidInputError,
    InvalidOptionError,
    InvalidPhotoError,
    NoForegroundError,
    OverloadedError,
    PhotoLimitError,
    ReasonedError,
    UnsupportedPhotoError,
)


def subclasses(cls: type[ReasonedError]) -> list[type[ReasonedError]]:
    return [found for direct in cls.__subclasses__() for found in (direct, *subclasses(direct))]


WANTED: dict[type[ReasonedError], grpc.StatusCode] = {
    InvalidInputError: grpc.StatusCode.INVALID_ARGUMENT,
    UnsupportedPhotoError: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidPhotoError: grpc.StatusCode.INVALID_ARGUMENT,
    PhotoLimitError: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidOptionError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.IdempotencyKeyReusedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.ModelNotFoundError: grpc.StatusCode.NOT_FOUND,
    NoForegroundError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.DeadlineTooShortError: grpc.StatusCode.DEADLINE_EXCEEDED,
    OverloadedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.InferenceUnavailableError: grpc.StatusCode.UNAVAILABLE,
    errors.DecodingUnavailableError: grpc.StatusCode.UNAVAILABLE,
    errors.DeadlineError: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.StreamIdleError: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.DrainingError: grpc.StatusCode.UNAVAILABLE,
    errors.InferenceFailedError: grpc.StatusCode.INTERNAL,
    errors.UnauthenticatedError: grpc.StatusCode.UNAUTHENTICATED,
    errors.KeyMissingError: grpc.StatusCode.UNAUTHENTICATED,
    errors.KeyInvalidError: grpc.StatusCode.UNAUTHENTICATED,
    errors.KeyRevokedError: grpc.StatusCode.UNAUTHENTICATED,
    errors.RateLimitedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.OutOfCreditsError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.AccountsUnavailableError: grpc.StatusCode.UNAVAILABLE,
    errors.NoAccountsError: grpc.StatusCode.UNIMPLEMENTED,
}


def test_every_error_of_the_domain_is_listed_here() -> None:
    assert set(subclasses(ReasonedError)) == set(WANTED)


@pytest.mark.parametrize("error", WANTED)
def test_every_error_has_its_status_and_a_reason_of_its_own(error: type[ReasonedError]) -> None:
    made = error.__new__(error)
    assert status_code(made) is WANTED[error]
    assert [cls.reason for cls in WANTED].count(error.reason) == 1


def test_every_error_s_place_is_drawn_in_the_module() -> None:
    drawn = f"{errors.__doc__} {imaging.errors.__doc__}"
    assert all(error.__name__ in drawn for error in WANTED)


@pytest.mark.parametrize(
    ("word", "field"),
    [
        ("margin", "frame.margin"),
        ("format", "output.format"),
        ("keep_metadata", "output.keep_metadata"),
        ("background", "background.picture.picture"),
        ("keep_mask", "hints.keep_mask"),
        ("erase_mask", "hints.erase_mask"),
        ("photo", "photo"),
        ("frame.fill", "frame.fill"),
    ],
)
def test_an_option_s_word_becomes_the_field_that_holds_it(word: str, field: str) -> None:
    status = to_status(InvalidOptionError("wrong", field=word))
    bad_request = error_details_pb2.BadRequest()
    assert status.details[1].Unpack(bad_request)
    assert [each.field for each in bad_request.field_violations] == [field]


def test_the_details_are_those_of_google_rpc() -> None:
    status = to_status(InvalidOptionError("too much", field="frame.fill", figures={"value": 2}))
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad_request)
    assert dict(info.metadata) == {"value": "2"}
    assert bad_request.field_violations[0].description == "too much"


def test_what_is_safe_to_retry_says_when() -> None:
    retry = error_details_pb2.RetryInfo()
    assert to_status(InferenceUnavailableError("away")).details[1].Unpack(retry)
    assert retry.retry_delay.seconds == 1


def test_the_trace_s_id_goes_along() -> None:
    info = error_details_pb2.ErrorInfo()
    assert to_status(ReasonedError("internal error"), "4bf9").details[0].Unpack(info)
    assert dict(info.metadata) == {"trace_id": "4bf9"}
