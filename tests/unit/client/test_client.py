"""The clients against a real server that answers as each test wants."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

import packshot
from packshot import AsyncClient, Client, PackshotError
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import (
    PackshotServiceServicer,
    add_PackshotServiceServicer_to_server,
)

ANSWER = pb.RenderResponse(
    picture=b"picture",
    format=pb.IMAGE_FORMAT_PNG,
    media_type="image/png",
    width_px=30,
    height_px=20,
    product=pb.Box(left_px=1, top_px=2, right_px=3, bottom_px=4),
    product_scale=0.5,
    model="matte",
    model_version="1",
    times=pb.StageTimes(decode_s=0.25, total_s=0.5),
    notes=["a note"],
)


class Scripted(PackshotServiceServicer):
    """Answers each Render by the test's script, one entry a call, the last one for ever."""

    def __init__(self) -> None:
        self.script: list[Callable[[Any], pb.RenderResponse]] = [lambda _context: ANSWER]
        self.requests: list[pb.RenderRequest] = []
        self._lock = threading.Lock()

    def Render(  # noqa: N802  the blocking form of the interface
        self, request: pb.RenderRequest, context: Any
    ) -> pb.RenderResponse:
        with self._lock:
            self.requests.append(request)
            answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return answer(context)

    def ListModels(  # noqa: N802
        self,
        request: pb.ListModelsRequest,  # noqa: ARG002
        context: Any,  # noqa: ARG002
    ) -> pb.ListModelsResponse:
        return pb.ListModelsResponse(models=[pb.Model(name="matte", version="1", ready=True)])


def failing(
    code: grpc.StatusCode, message: str, *details: Any
) -> Callable[[Any], pb.RenderResponse]:
    def answer(context: Any) -> pb.RenderResponse:
        status = status_pb2.Status(code=code.value[0], message=message)
        for detail in details:
            holder = any_pb2.Any()
            holder.Pack(detail)
            status.details.append(holder)
        context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
        context.abort(code, message)
        raise AssertionError

    return answer


@pytest.fixture
def service() -> Scripted:
    return Scripted()


@pytest.fixture
def target(service: Scripted) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)])
    add_PackshotServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


def test_reads_the_whole_answer(target: str) -> None:
    with Client(target) as client:
        shot = client.render(b"photo")
    assert shot.picture == b"picture"
    assert (shot.format, shot.media_type, shot.width_px, shot.height_px) == (
        *("png", "image/png"),
        *(30, 20),
    )
    assert shot.product == (1, 2, 3, 4)
    assert (shot.product_scale, shot.model, shot.model_version) == (0.5, "matte", "1")
    assert shot.notes == ("a note",)
    assert (shot.stages_s["decode"], shot.stages_s["total"]) == (0.25, 0.5)


def test_sends_every_option(target: str, service: Scripted, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"from a file")
    with Client(target) as client:
        client.render(
            tmp_path / "photo.jpg",
            background="#010203",
            size=(300, 200),
            fill=0.5,
            format="webp",
            quality=70,
            dpi=300,
            keep_metadata=True,
            model="other",
        )
        client.render(b"x", background="transparent", square=True)
        client.render(b"x", format="avif")
    first, second, third = service.requests
    assert third.output == pb.Output(format=pb.IMAGE_FORMAT_AVIF)
    assert first == pb.RenderRequest(
        photo=b"from a file",
        model="other",
        background=pb.Background(color="#010203"),
        frame=pb.Frame(width_px=300, height_px=200, fill=0.5),
        output=pb.Output(
            format=pb.IMAGE_FORMAT_WEBP, quality=70, resolution_dpi=300, keep_metadata=True
        ),
    )
    assert second.background.WhichOneof("kind") == "transparent"
    assert second.HasField("frame")
    assert third.background.color == "#FFFFFF"
    assert not third.HasField("frame")


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


def test_contradicting_arguments_are_refused_before_the_call(
    target: str, service: Scripted
) -> None:
    with Client(target) as client:
        with pytest.raises(ValueError, match="square contradicts a size of 3x4"):
            client.render(b"photo", square=True, size=(3, 4))
        with pytest.raises(ValueError, match="format is 'tiff'"):
            client.render(b"photo", format="tiff")  # type: ignore[arg-type]
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
        "AsyncClient",
        "Box",
        "CallCancelledError",
        "Client",
        "DeadlineExceededError",
        "InvalidRequestError",
        "Model",
        "ModelNotFoundError",
        "NoForegroundError",
        "OverloadedError",
        "Packshot",
        "PackshotError",
        "ServiceError",
        "UnavailableError",
    ]
    assert all(hasattr(packshot, name) for name in packshot.__all__)
