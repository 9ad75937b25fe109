"""The asyncio client, thin: what it shares with the blocking one is in the modules beside."""

import asyncio
import copy
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable
from types import TracebackType
from typing import Any, Self, Unpack

import grpc
import grpc.aio

from packshot._account import Account, from_account
from packshot._answer import Packshot, Preset, from_presets, from_response
from packshot._calls import Calls
from packshot._channel import DEFAULT_TARGET, DEFAULT_TIMEOUT_S, health_check, open_channel
from packshot._many import DEFAULT_WINDOW, Order, Rendered
from packshot._many_async import stream_async
from packshot._models import Model, from_models
from packshot._options import Photo, RenderOptions
from packshot._request import to_metadata, to_named_request
from packshot._security import Security, check_key, keyed
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from packshot.wire.v1 import wire_pb2 as wire

_SERVING = 1


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
        self._calls = Calls(target, timeout_s, retries=retries)
        self._security = security
        self._target = target
        self._channel = open_channel(grpc.aio, target, security)
        self._stub = PackshotServiceStub(keyed(self._channel, security.get("api_key")))
        self._check = health_check(self._channel)

    def for_caller(
        self, api_key: str | None = None, metadata: Iterable[tuple[str, str]] = ()
    ) -> Self:
        """Return a client that shares this one's connection and calls for someone else.

        It is for services that pass calls on; closing either closes both.

        Args:
            api_key: Whose account its calls are on; None: nobody's.
            metadata: Sent along with each of its calls, such as a `traceparent`.

        Raises:
            ValueError: The key would go out in the clear.
        """
        if api_key:
            check_key(self._target, self._security)
        other = copy.copy(self)
        other._stub = PackshotServiceStub(  # noqa: SLF001  one of this class
            keyed(self._channel, api_key, metadata)
        )
        return other

    async def render(
        self, photo: Photo, *, timeout_s: float | None = None, **options: Unpack[RenderOptions]
    ) -> Packshot:
        """Render one photo as `Client.render` does; cancelling the task cancels the work."""
        request = to_named_request(photo, options, repeated=self._calls.repeat)
        metadata = to_metadata(options)
        return from_response(await self._call(self._stub.Render, request, timeout_s, metadata))

    def render_many(
        self,
        photos: Iterable[Photo | Order] | AsyncIterable[Photo | Order],
        *,
        timeout_s: float | None = None,
        window: int = DEFAULT_WINDOW,
        **options: Unpack[RenderOptions],
    ) -> AsyncGenerator[Rendered, None]:
        """Render many photos over one call as `Client.render_many` does."""
        attempts = self._calls.stream_attempts(timeout_s)
        return stream_async(
            self._stub.RenderStream, photos, options, window, attempts, self._calls.typed
        )

    async def models(self, *, timeout_s: float | None = None) -> list[Model]:
        """List the service's models as `Client.models` does."""
        return from_models(
            await self._call(self._stub.ListModels, pb.ListModelsRequest(), timeout_s)
        )

    async def presets(self, *, timeout_s: float | None = None) -> list[Preset]:
        """List the marketplaces' presets as `Client.presets` does."""
        return from_presets(
            await self._call(self._stub.ListPresets, pb.ListPresetsRequest(), timeout_s)
        )

    async def account(self, *, timeout_s: float | None = None) -> Account:
        """Tell the state of the client's account as `Client.account` does."""
        return from_account(
            await self._call(self._stub.GetAccount, pb.GetAccountRequest(), timeout_s)
        )

    async def healthy(self, *, timeout_s: float | None = None) -> bool:
        """Ask whether the service is ready as `Client.healthy` does."""
        # An absent service is an answer too, so nothing is repeated.
        answer = await self._call(self._check, wire.HealthCheckRequest(), timeout_s, repeat=False)
        return bool(answer.status == _SERVING)

    async def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        await self._channel.close()

    async def _call(
        self,
        method: Callable[..., Any],
        request: object,
        timeout_s: float | None,
        metadata: tuple[tuple[str, str], ...] = (),
        *,
        repeat: bool = True,
    ) -> Any:
        attempts = self._calls.attempts(timeout_s, repeat=repeat)
        while True:
            try:
                answer = await method(request, timeout=attempts.left_s, metadata=metadata)
            except grpc.aio.AioRpcError as exc:
                await asyncio.sleep(attempts.pause_s(self._calls.typed(exc)))
            else:
                attempts.succeeded()
                return answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
