"""The blocking client, thin: what it shares with the asyncio one is in the modules beside."""

import time
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Any, Self, Unpack

import grpc
import grpc.aio

from packshot._account import Account, from_account
from packshot._answer import Packshot, Preset, from_presets, from_response
from packshot._calls import Calls
from packshot._channel import DEFAULT_TARGET, DEFAULT_TIMEOUT_S, health_check, open_channel
from packshot._many import DEFAULT_WINDOW, Order, Rendered
from packshot._many_sync import stream
from packshot._models import Model, from_models
from packshot._options import Photo, RenderOptions
from packshot._request import to_metadata, to_named_request
from packshot._security import Security, keyed
from packshot.v1 import packshot_pb2 as pb
from packshot.v1.packshot_pb2_grpc import PackshotServiceStub
from packshot.wire.v1 import wire_pb2 as wire

_SERVING = 1


class Client:
    """A client of the Packshot service; safe to share between threads.

    Args:
        target: The gateway's address, HOST:PORT or any target that gRPC resolves.
        timeout_s: Seconds that a call may take, retries included, unless the call says otherwise.
        retries: Whether calls that meet an absent service are repeated, up to three times within
            their time: when the service says by its `RetryInfo`, else after 0.2 s, twice as long
            each time.
        **security: TLS and the API key, all of it documented in `Security`.

    Raises:
        ValueError: The time is not positive, the security's parts contradict each other, or the API
            key would go to another machine in the clear.
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
        self._calls = Calls(target, timeout_s, retries=retries)
        self._channel = open_channel(grpc, target, security)
        self._stub = PackshotServiceStub(keyed(self._channel, security.get("api_key")))
        self._check = health_check(self._channel)

    def render(
        self, photo: Photo, *, timeout_s: float | None = None, **options: Unpack[RenderOptions]
    ) -> Packshot:
        """Cut the product out of one photo and set it on a background.

        Args:
            photo: The file's bytes, its path, or the file itself, open in binary mode and read from
                where it stands: JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF.
            timeout_s: Seconds that the call may take, retries included.
            **options: What the packshot shall look like, all of it documented in `RenderOptions`.

        Returns:
            The packshot.

        Raises:
            PackshotError: The call failed; the subclasses say why.
            OSError: The photo's path, or the background picture's, cannot be read.
            TypeError: There is no such option, or the photo is none.
            ValueError: A value is none that the option can have, or two options contradict each
                other.
        """
        request = to_named_request(photo, options, repeated=self._calls.repeat)
        metadata = to_metadata(options)
        return from_response(self._call(self._stub.Render, request, timeout_s, metadata))

    def render_many(
        self,
        photos: Iterable[Photo | Order],
        *,
        timeout_s: float | None = None,
        window: int = DEFAULT_WINDOW,
        **options: Unpack[RenderOptions],
    ) -> Generator[Rendered, None, None]:
        """Render many photos over one call; what fails of them does not stop the others.

        Args:
            photos: As `render` takes them, or each an `Order` with options of its own. They are
                read as room comes free, never all at once.
            timeout_s: Seconds for the whole; None: as long as it takes.
            window: Most photos that are sent and not answered yet.
            **options: As `render` takes them, the same for every photo but for an `Order`'s own.

        Yields:
            What became of each, as it is finished, in any order. A generator that is closed, or
            dropped, cancels what is left: what has not been sent never is.

        Raises:
            PackshotError: The call itself failed; the photos that nothing was yielded for have no
                answer. With `retries` a call that met an absent service, or was ended by one that
                stops, goes on by another call, as does a photo that met an absent model.
            OSError: A photo's path cannot be read; those before it have been answered.
            TypeError: There is no such option.
            ValueError: As `render`.
        """
        attempts = self._calls.stream_attempts(timeout_s)
        yield from stream(
            self._stub.RenderStream, photos, options, window, attempts, self._calls.typed
        )

    def models(self, *, timeout_s: float | None = None) -> list[Model]:
        """List the service's models.

        Raises:
            PackshotError: The call failed.
        """
        return from_models(self._call(self._stub.ListModels, pb.ListModelsRequest(), timeout_s))

    def presets(self, *, timeout_s: float | None = None) -> list[Preset]:
        """List the marketplaces' presets that the service knows.

        Raises:
            PackshotError: The call failed.
        """
        return from_presets(self._call(self._stub.ListPresets, pb.ListPresetsRequest(), timeout_s))

    def account(self, *, timeout_s: float | None = None) -> Account:
        """Tell the state of the account whose API key this client has.

        Raises:
            PackshotError: The call failed: `UnsupportedError` if the service keeps no accounts.
        """
        return from_account(self._call(self._stub.GetAccount, pb.GetAccountRequest(), timeout_s))

    def healthy(self, *, timeout_s: float | None = None) -> bool:
        """Ask whether the service is ready to render.

        Raises:
            PackshotError: The service cannot be asked.
        """
        # An absent service is an answer too, so nothing is repeated.
        answer = self._call(self._check, wire.HealthCheckRequest(), timeout_s, repeat=False)
        return bool(answer.status == _SERVING)

    def close(self) -> None:
        """Close the connection; calls in flight are cancelled."""
        self._channel.close()

    def _call(
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
                answer = method(request, timeout=attempts.left_s, metadata=metadata)
            except grpc.RpcError as exc:
                time.sleep(attempts.pause_s(self._calls.typed(exc)))
            else:
                attempts.succeeded()
                return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
