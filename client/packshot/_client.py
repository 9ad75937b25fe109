"""The two clients, thin: what they share is in `_request`, `_answer`, `_channel` and `_errors`."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Self, Unpack, cast

import grpc
import grpc.aio

from packshot._account import Account, from_account
from packshot._answer import Packshot, Preset, from_presets, from_response
from packshot._channel import DEFAULT_TARGET, DEFAULT_TIMEOUT_S, channel_options
from packshot._errors import from_rpc_error
from packshot._many import DEFAULT_WINDOW, Rendered, stream, stream_async
from packshot._models import Model, from_models
from packshot._options import Photo, RenderOptions
from packshot._request import to_metadata, to_named_request
from packshot._security import Security, credentials, keyed
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
        **security: TLS and the API key, all of it documented in `Security`.

    Raises:
        ValueError: The security's parts contradict each other, or the API key would go to another
            machine in the clear.
        OSError: A file of it cannot be read.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: bool = True,
        **security: Unpack[Security],
    ) -> None:
        self._timeout_s = timeout_s
        self._retries = retries
        options = channel_options(retries=retries)
        proof = credentials(target, security)
        self._channel = (
            grpc.secure_channel(target, proof, options=options)
            if proof
            else grpc.insecure_channel(target, options=options)
        )
        self._stub = PackshotServiceStub(keyed(self._channel, security.get("api_key")))
        self._check = self._channel.unary_unary(
            _HEALTH_CHECK,
            request_serializer=wire.HealthCheckRequest.SerializeToString,
            response_deserializer=wire.HealthCheckResponse.FromString,
        )

    def render(
        self, photo: Photo, *, timeout_s: float | None = None, **options: Unpack[RenderOptions]
    ) -> Packshot:
        """Cut the product out of one photo and set it on a background.

        Args:
            photo: The file's bytes, or its path: JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF.
            timeout_s: Seconds that the call may take, retries included.
            **options: What the packshot shall look like, all of it documented in `RenderOptions`.

        Returns:
            The packshot.

        Raises:
            PackshotError: The call failed; the subclasses say why.
            OSError: The photo's path, or the background picture's, cannot be read.
            TypeError: There is no such option.
            ValueError: A value is none that the option can have, or two options contradict each
                other.
        """
        request = to_named_request(photo, options, repeated=self._retries)
        with _translated():
            return from_response(
                self._stub.Render(
                    request,
                    timeout=timeout_s or self._timeout_s,
                    metadata=to_metadata(options),
                )
            )

    def render_many(
        self,
        photos: Iterable[Photo],
        *,
        timeout_s: float | None = None,
        window: int = DEFAULT_WINDOW,
        **options: Unpack[RenderOptions],
    ) -> Generator[Rendered, None, None]:
        """Render many photos over one call; what fails of them does not stop the others.

        Args:
            photos: As `render` takes them. They are read as room comes free, never all at once.
            timeout_s: Seconds for the whole; None: as long as it takes.
            window: Most photos that are sent and not answered yet.
            **options: As `render` takes them, the same for every photo.

        Yields:
            What became of each, as it is finished, in any order. A generator that is closed, or
            dropped, cancels what is left.

        Raises:
            PackshotError: The call itself failed; the photos that nothing was yielded for have no
                answer.
            OSError: A photo's path cannot be read; those before it have been answered.
            TypeError: There is no such option.
            ValueError: As `render`.
        """
        with _translated():
            yield from stream(self._stub.RenderStream, photos, options, window, timeout_s)

    def models(self, *, timeout_s: float | None = None) -> list[Model]:
        """List the service's models.

        Raises:
            PackshotError: The call failed.
        """
        with _translated():
            return from_models(
                self._stub.ListModels(pb.ListModelsRequest(), timeout=timeout_s or self._timeout_s)
            )

    def presets(self, *, timeout_s: float | None = None) -> list[Preset]:
        """List the marketplaces' presets that the service knows.

        Raises:
            PackshotError: The call failed.
        """
        with _translated():
            return from_presets(
                self._stub.ListPresets(
                    pb.ListPresetsRequest(), timeout=timeout_s or self._timeout_s
                )
            )

    def account(self, *, timeout_s: float | None = None) -> Account:
        """Tell the state of the account whose API key this client has.

        Raises:
            PackshotError: The call failed: `UnsupportedError` if the service keeps no accounts.
        """
        with _translated():
            return from_account(
                self._stub.GetAccount(pb.GetAccountRequest(), timeout=timeout_s or self._timeout_s)
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
        **security: Unpack[Security],
    ) -> None:
        self._timeout_s = timeout_s
        self._retries = retries
        options = channel_options(retries=retries)
        proof = credentials(target, security)
        self._channel = (
            grpc.aio.secure_channel(target, proof, options=options)
            if proof
            else grpc.aio.insecure_channel(target, options=options)
        )
        self._stub = PackshotServiceStub(keyed(self._channel, security.get("api_key")))
        self._check = self._channel.unary_unary(
            _HEALTH_CHECK,
            request_serializer=wire.HealthCheckRequest.SerializeToString,
            response_deserializer=wire.HealthCheckResponse.FromString,
        )

    async def render(
        self, photo: Photo, *, timeout_s: float | None = None, **options: Unpack[RenderOptions]
    ) -> Packshot:
        """Render one photo as `Client.render` does; cancelling the task cancels the work."""
        request = to_named_request(photo, options, repeated=self._retries)
        async with _translated_async():
            return from_response(
                await self._stub.Render(
                    request,
                    timeout=timeout_s or self._timeout_s,
                    metadata=to_metadata(options),
                )
            )

    def render_many(
        self,
        photos: Iterable[Photo] | AsyncIterable[Photo],
        *,
        timeout_s: float | None = None,
        window: int = DEFAULT_WINDOW,
        **options: Unpack[RenderOptions],
    ) -> AsyncGenerator[Rendered, None]:
        """Render many photos over one call as `Client.render_many` does."""
        return stream_async(self._stub.RenderStream, photos, options, window, timeout_s)

    async def models(self, *, timeout_s: float | None = None) -> list[Model]:
        """List the service's models as `Client.models` does."""
        async with _translated_async():
            return from_models(
                await self._stub.ListModels(
                    pb.ListModelsRequest(), timeout=timeout_s or self._timeout_s
                )
            )

    async def presets(self, *, timeout_s: float | None = None) -> list[Preset]:
        """List the marketplaces' presets as `Client.presets` does."""
        async with _translated_async():
            return from_presets(
                await self._stub.ListPresets(
                    pb.ListPresetsRequest(), timeout=timeout_s or self._timeout_s
                )
            )

    async def account(self, *, timeout_s: float | None = None) -> Account:
        """Tell the state of the client's account as `Client.account` does."""
        async with _translated_async():
            return from_account(
                await self._stub.GetAccount(
                    pb.GetAccountRequest(), timeout=timeout_s or self._timeout_s
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
