"""The clients against a real server that answers as each test wants."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2

import packshot
from packshot import AsyncClient, Client, PackshotError
from packshot.v1 import packshot_pb2 as pb
from tests.support.scripted_service import ANSWER, Scripted, failing, serving


@pytest.fixture
def service() -> Scripted:
    return Scripted()


@pytest.fixture
def target(service: Scripted) -> Iterator[str]:
    with serving(service) as target:
        yield target


async def test_both_clients_send_the_options_and_read_the_answer(
    target: str, service: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"from a file")

    def blocking() -> packshot.Packshot:
        with Client(target) as client:
            return client.render(tmp_path / "photo.jpg", size=(300, 200), background="#010203")

    async with AsyncClient(target) as client:
        shots = [
            await asyncio.to_thread(blocking),
            await client.render(
                tmp_path / "photo.jpg", size=(300, 200), background="#010203", timeout_s=5
            ),
        ]
    for shot, request in zip(shots, service.requests, strict=True):
        assert (shot.picture, shot.confidence) == (b"picture", 0.75)
        assert request.idempotency_key
        request.ClearField("idempotency_key")
        assert request == pb.RenderRequest(
            photo=b"from a file",
            background=pb.Background(color="#010203"),
            frame=pb.Frame(width_px=300, height_px=200),
        )


async def test_both_clients_send_their_key_and_read_their_account(target: str) -> None:
    def blocking() -> packshot.Account:
        with Client(target, api_key="pk_1_2") as client:
            return client.account()

    async with AsyncClient(target, api_key="pk_1_2") as client:
        account = await client.account()
    assert account == await asyncio.to_thread(blocking)
    assert (account.key_id, account.name) == ("Bearer pk_1_2", "shop")
    assert (account.credits_left, account.credits_held, account.credits_spent) == (7, 0, 3)
    assert account.created_at.isoformat() == "1970-01-02T00:00:00+00:00"


async def test_both_clients_list_the_presets(target: str) -> None:
    def blocking() -> list[packshot.Preset]:
        with Client(target) as client:
            return client.presets()

    async with AsyncClient(target) as client:
        assert await client.presets() == await asyncio.to_thread(blocking)
    (preset,) = blocking()
    assert preset == packshot.Preset(
        name="bazaar",
        summary="A stall's picture.",
        source="https://bazaar.example/rules",
        checked_on="2026-01-31",
        rules=("White ground.", "At least 100 px wide."),
    )


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, packshot.InvalidRequestError),
        (grpc.StatusCode.NOT_FOUND, packshot.ModelNotFoundError),
        (grpc.StatusCode.FAILED_PRECONDITION, packshot.NoForegroundError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, packshot.OverloadedError),
        (grpc.StatusCode.UNAVAILABLE, packshot.UnavailableError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, packshot.DeadlineExceededError),
        (grpc.StatusCode.INTERNAL, packshot.ServiceError),
        (grpc.StatusCode.UNKNOWN, packshot.ServiceError),
    ],
)
async def test_both_clients_raise_the_typed_error_with_its_details(
    target: str, service: Scripted, code: grpc.StatusCode, error: type[PackshotError]
) -> None:
    service.script = [
        failing(
            code,
            "what happened",
            error_details_pb2.ErrorInfo(
                reason="WHY", domain="packshot.dev", metadata={"limit": "3"}
            ),
            error_details_pb2.RetryInfo(
                retry_delay=duration_pb2.Duration(seconds=1, nanos=500000000)
            ),
        )
    ]

    def blocking() -> None:
        with Client(target, retries=False) as client:
            client.render(b"photo")

    async def asynchronous() -> None:
        async with AsyncClient(target, retries=False) as client:
            await client.render(b"photo")

    for call in (asyncio.to_thread(blocking), asynchronous()):
        with pytest.raises(error, match="what happened") as caught:
            await call
        assert type(caught.value) is error
        assert caught.value.code is code
        assert (caught.value.reason, caught.value.figures) == ("WHY", {"limit": "3"})
        assert caught.value.retry_after_s == 1.5


def test_an_error_without_details_still_has_its_type(target: str, service: Scripted) -> None:
    service.script = [failing(grpc.StatusCode.NOT_FOUND, "gone")]
    with (
        Client(target) as client,
        pytest.raises(packshot.ModelNotFoundError, match="gone") as caught,
    ):
        client.render(b"photo")
    assert (caught.value.reason, caught.value.retry_after_s) == ("", None)


def test_repeats_a_large_request_when_the_service_was_away(target: str, service: Scripted) -> None:
    away = failing(grpc.StatusCode.UNAVAILABLE, "away")
    service.script = [away, away, lambda _context: ANSWER]
    with Client(target) as client:
        assert client.render(bytes(20 * 2**20)).model == "matte"
    assert len(service.requests) == 3
    # One key: an answer that was lost is not charged again.
    (key,) = {request.idempotency_key for request in service.requests}
    assert key


def test_gives_up_after_four_tries(target: str, service: Scripted) -> None:
    service.script = [failing(grpc.StatusCode.UNAVAILABLE, "away")]
    with Client(target) as client, pytest.raises(packshot.UnavailableError):
        client.render(b"photo")
    assert len(service.requests) == 4


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED]
)
def test_repeats_nothing_else(target: str, service: Scripted, code: grpc.StatusCode) -> None:
    service.script = [failing(code, "no")]
    with Client(target) as client, pytest.raises(PackshotError):
        client.render(b"photo")
    assert len(service.requests) == 1


def test_nobody_at_the_address_is_unavailable() -> None:
    with Client("127.0.0.1:1", retries=False) as client:
        with pytest.raises(packshot.UnavailableError):
            client.render(b"photo")
        with pytest.raises(packshot.UnavailableError):
            client.healthy()


def test_wrong_arguments_are_refused_before_the_call(target: str, service: Scripted) -> None:
    with Client(target) as client:
        with pytest.raises(ValueError, match="square contradicts a size of 3x4"):
            client.render(b"photo", square=True, size=(3, 4))
        with pytest.raises(ValueError, match="format is 'tiff'"):
            client.render(b"photo", format="tiff")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="no such option: fill"):
            client.render(b"photo", fill=0.5)  # type: ignore[call-arg]
        with pytest.raises(FileNotFoundError):
            client.render("no/such/file.jpg")
    assert not service.requests


def test_a_picture_is_not_saved_under_another_format_s_name(target: str, tmp_path: Path) -> None:
    with Client(target) as client:
        shot = client.render(b"photo")
    with pytest.raises(ValueError, match="the picture is png"):
        shot.save(tmp_path / "shot.jpg")
    shot.save(tmp_path / "shot.png")
    assert (tmp_path / "shot.png").read_bytes() == b"picture"


def test_the_public_names_are_these() -> None:
    assert sorted(packshot.__all__) == [
        "Account",
        "AsyncClient",
        "BackgroundPicture",
        "Blur",
        "Box",
        "CallCancelledError",
        "Check",
        "Client",
        "DeadlineExceededError",
        "InvalidRequestError",
        "LinearGradient",
        "Model",
        "ModelCard",
        "ModelNotFoundError",
        "ModelSource",
        "NoForegroundError",
        "Order",
        "OutOfCreditsError",
        "OverloadedError",
        "Packshot",
        "PackshotError",
        "Preset",
        "RadialGradient",
        "RateLimitedError",
        "RenderOptions",
        "Rendered",
        "Scene",
        "Security",
        "ServiceError",
        "Sides",
        "UnauthenticatedError",
        "UnavailableError",
        "UnsupportedError",
        "Verdict",
    ]
    assert all(hasattr(packshot, name) for name in packshot.__all__)
