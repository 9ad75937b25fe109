"""A Packshot service on a real port that answers as a test wants."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

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
    magnification=0.5,
    model="matte",
    model_version="1",
    times=pb.StageTimes(decode_s=0.25, verify_s=0.125, total_s=0.5),
    notes=["a note"],
    confidence=0.75,
    cut_off=pb.Sides(bottom=True),
    cut=pb.CUT_KEEP,
)


PRESETS = pb.ListPresetsResponse(
    presets=[
        pb.Preset(
            name="bazaar",
            summary="A stall's picture.",
            source="https://bazaar.example/rules",
            checked_on="2026-01-31",
            rules=["White ground.", "At least 100 px wide."],
        )
    ]
)


class Scripted(PackshotServiceServicer):
    """Answers each Render by the test's script, one entry a call, the last one for ever."""

    def __init__(self) -> None:
        self.script: list[Callable[[Any], pb.RenderResponse]] = [lambda _context: ANSWER]
        self.requests: list[pb.RenderRequest] = []
        self.stream_metadata: tuple[tuple[str, str], ...] = ()
        self.refusals: dict[str, Callable[[Any], Any]] = {}
        self.failures: dict[str, pb.Status] = {}
        self._lock = threading.Lock()

    def Render(  # noqa: N802  the blocking form of the interface
        self, request: pb.RenderRequest, context: Any
    ) -> pb.RenderResponse:
        with self._lock:
            self.requests.append(request)
            answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return answer(context)

    def RenderStream(  # noqa: N802
        self, request_iterator: Iterator[pb.RenderStreamRequest], context: Any
    ) -> Iterator[pb.RenderStreamResponse]:
        """Answer each photo at once; one that begins with "bad" fails, "break" ends the stream.

        What `refusals` hold is answered first: to a stream before its metadata if it stands for
        "stream", else to the photo of that name, once each.
        """
        if refuse := self.refusals.pop("stream", None):
            refuse(context)
        context.send_initial_metadata(self.stream_metadata)
        for message in request_iterator:
            with self._lock:
                self.requests.append(message.request)
            if refuse := self.refusals.pop(message.request.photo.decode(errors="replace"), None):
                refuse(context)
            if error := self.failures.pop(message.request.photo.decode(errors="replace"), None):
                yield pb.RenderStreamResponse(id=message.id, error=error)
                continue
            if message.request.photo.startswith(b"break"):
                context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            if message.request.photo.startswith(b"bad"):
                error = pb.Status(code=grpc.StatusCode.INVALID_ARGUMENT.value[0], message="bad")
                yield pb.RenderStreamResponse(id=message.id, error=error)
            else:
                yield pb.RenderStreamResponse(id=message.id, response=ANSWER)

    def GetAccount(  # noqa: N802
        self,
        request: pb.GetAccountRequest,  # noqa: ARG002
        context: Any,
    ) -> pb.GetAccountResponse:
        """Tell an account whose id is the key that came along."""
        key = dict(context.invocation_metadata()).get("authorization", "")
        response = pb.GetAccountResponse(key_id=key, name="shop", credits_left=7, credits_spent=3)
        response.created_at.FromSeconds(86_400)
        return response

    def ListModels(  # noqa: N802
        self,
        request: pb.ListModelsRequest,  # noqa: ARG002
        context: Any,  # noqa: ARG002
    ) -> pb.ListModelsResponse:
        return pb.ListModelsResponse(models=[pb.Model(name="matte", version="1", ready=True)])

    def ListPresets(  # noqa: N802
        self,
        request: pb.ListPresetsRequest,  # noqa: ARG002
        context: Any,  # noqa: ARG002
    ) -> pb.ListPresetsResponse:
        return PRESETS


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


@contextmanager
def serving(service: Scripted, *, healthy: bool = False) -> Iterator[str]:
    """Serve, with a health service that says SERVING or with none, and give the address."""
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.max_receive_message_length", -1)])
    add_PackshotServiceServicer_to_server(service, server)
    if healthy:
        checks = health.HealthServicer()
        checks.set("", health_pb2.HealthCheckResponse.SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()
