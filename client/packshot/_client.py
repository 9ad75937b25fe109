"""The two clients, thin: what they share is in `_messages`, `_channel` and `_errors`."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Self, cast

import grpc
import grpc.aio

from packshot._channel import DEFAULT_TARGET, DEFAULT_TIMEOUT_S, channel_options
from packshot._errors import from_rpc_error
from packshot._messages import (
    FormatName,
    Model,
    Packshot,
    Photo,
    from_models,
    from_response,
    to_request,
)
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from packshot.wire.v1 import wire_pb2 as wire

_HEALTH_CHECK = "/grpc.health.v1.Health/Check"
_SERVING = 1


class Client:
    """A client of the Packshot service; safe to share between threads.

    Args:
        target: The gateway's address, HOST:PORT or any target that gRPC resolves.
        timeout_s: Seconds that a call may take, retries included, unless the call says otherwise.
        retries: Whether calls that meet an absent service are repeated.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: bool = True,
    ) -> None:
        self._timeout_s = timeout_s
        self._channel = grpc.insecure_channel(target, options=channel_options(retries=retries))
        self._stub = PackshotServiceStub(self._channel)
        self._check = self._channel.unary_unary(
            _HEALTH_CHECK,
            request_serializer=wire.HealthCheckRequest.SerializeToString,
            response_deserializer=wire.HealthCheckResponse.FromString,
        )

    def render(
        self,
        photo: Photo,
        *,
        background: str = "white",
        square: bool = False,
        size: int | tuple[int, int] | None = None,
        fill: float | None = None,
        format: FormatName | None = None,  # noqa: A002  the callers' word for it
        quality: int | None = None,
        dpi: int | None = None,
        keep_metadata: bool = False,
        model: str | None = None,
        timeout_s: float | None = None,
    ) -> Packshot:
        """Cut the product out of one photo and set it on a background.

        Args:
            photo: The file's bytes, or its path: JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF.
            background: "white", "transparent" or a colour as "#RRGGBB".
            square: Whether to centre the product in a square frame.
            size: The frame's side, or its width and height, in pixels; with neither `square` nor
                `size` nor `fill` the photo's own frame is kept. Without a size, the frame is just
                large enough for the product to keep its size.
            fill: Share of the frame that the product fills, 0.05 to 1; 0.85 if not given.
            format: "png", "jpeg", "webp" or "avif"; if not given, PNG on a transparent background
                and JPEG otherwise.
            quality: Of JPEG, WebP and AVIF, 1 to 100; 90 if not given.
            dpi: The resolution that the file states, pixels per inch, 1 to 2400; 72 if not given.
            keep_metadata: Whether the photo's EXIF data, place and time included, go into the file.
            model: A name from `models`; the service's default model if not given.
            timeout_s: Seconds that the call may take, retries included.

        Returns:
            The packshot.

        Raises:
            PackshotError: The call failed; the subclasses say why.
            OSError: The photo's path cannot be read.
            ValueError: The arguments contradict each other.
        """
        request = to_request(
            photo,
            background=background,
            square=square,
            size=size,
            fill=fill,
            format=format,
            quality=quality,
            dpi=dpi,
            keep_metadata=keep_metadata,
            model=model,
        )
        with _translated():
            return from_response(self._stub.Render(request, timeout=timeout_s or self._timeout_s))

    def models(self, *, timeout_s: float | None = None) -> list[Model]:
        """List the service's models.

        Raises:
            PackshotError: The call failed.
        """
        with _translated():
            return from_models(
                self._stub.ListModels(pb.ListModelsRequest(), timeout=timeout_s or self._timeout_s)
            )

    def healthy(self, *, timeout_s: float | None = None) -> bool:
        """Ask whether the service is ready to render.

        Raises:
            PackshotError: The service cannot be asked.
        """
        with _translated():
            answer = self._check(wire.HealthCheckRequest(), timeout=timeout_s or self._timeout_s)
        return answer.status == _SERVING

    def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncClient:
    """`Client` for asyncio: the same arguments, results and errors."""

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: bool = True,
    ) -> None:
        self._timeout_s = timeout_s
        self._channel = grpc.aio.insecure_channel(target, options=channel_options(retries=retries))
        self._stub = PackshotServiceStub(self._channel)
        self._check = self._channel.unary_unary(
            _HEALTH_CHECK,
            request_serializer=wire.HealthCheckRequest.SerializeToString,
            response_deserializer=wire.HealthCheckResponse.FromString,
        )

    async def render(
        self,
        photo: Photo,
        *,
        background: str = "white",
        square: bool = False,
        size: int | tuple[int, int] | None = None,
        fill: float | None = None,
        format: FormatName | None = None,  # noqa: A002  the callers' word for it
        quality: int | None = None,
        dpi: int | None = None,
        keep_metadata: bool = False,
        model: str | None = None,
        timeout_s: float | None = None,
    ) -> Packshot:
        """Render one photo as `Client.render` does; cancelling the task cancels the work."""
        request = to_request(
            photo,
            background=background,
            square=square,
            size=size,
            fill=fill,
            format=format,
            quality=quality,
            dpi=dpi,
            keep_metadata=keep_metadata,
            model=model,
        )
        async with _translated_async():
            return from_response(
                await self._stub.Render(request, timeout=timeout_s or self._timeout_s)
            )

    async def models(self, *, timeout_s: float | None = None) -> list[Model]:
        """List the service's models as `Client.models` does."""
        async with _translated_async():
            return from_models(
                await self._stub.ListModels(
                    pb.ListModelsRequest(), timeout=timeout_s or self._timeout_s
                )
            )

    async def healthy(self, *, timeout_s: float | None = None) -> bool:
        """Ask whether the service is ready as `Client.healthy` does."""
        async with _translated_async():
            answer = await self._check(
                wire.HealthCheckRequest(), timeout=timeout_s or self._timeout_s
            )
        return answer.status == _SERVING

    async def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except grpc.RpcError as exc:
        # Errors of a blocking call are calls as well; the types do not say so.
        call = cast("grpc.Call", exc)
        trailers = dict(cast("Iterable[tuple[str, str | bytes]]", call.trailing_metadata() or ()))
        raise from_rpc_error(call.code(), call.details(), trailers) from exc


@asynccontextmanager
async def _translated_async() -> AsyncIterator[None]:
    try:
        yield
    except grpc.aio.AioRpcError as exc:
        raise from_rpc_error(exc.code(), exc.details(), dict(exc.trailing_metadata())) from exc
