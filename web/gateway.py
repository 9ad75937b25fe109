"""The way to the gateway: one connection, each caller with its own key and trace."""

import asyncio
import re
import time
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Final, TypeVar

from starlette.requests import Request

from packshot import AsyncClient, PackshotError, UnauthenticatedError, UnsupportedError
from web.config import WebConfig
from web.errors import WebError

T = TypeVar("T")

# How long an answer to "are accounts kept?" is good for.
_ACCOUNTS_S: Final = 30.0
_PROBE_S: Final = 2.0
_KEY: Final = re.compile(r"[\x21-\x7e]{1,512}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_TRACESTATE: Final = re.compile(r"[\x20-\x7e]{1,512}")


class CallerGoneError(Exception):
    """The caller has closed its connection; nobody waits for an answer."""


class GatewayDoor:
    """Calls the gateway on callers' behalf.

    Args:
        config: Where it is, and who may call without a name.
    """

    def __init__(self, config: WebConfig) -> None:
        self._config = config
        self._client = AsyncClient(
            config.gateway,
            timeout_s=config.render_timeout_s,
            tls=True if config.gateway_tls else None,
            ca=config.gateway_ca,
            cert=config.gateway_cert,
            key=config.gateway_key,
            plaintext_key=config.plaintext_key,
        )
        self._keeps_accounts: bool | None = None
        self._asked_s = 0.0

    async def caller(self, request: Request) -> AsyncClient:
        """Return a client that calls for a request's sender, with its key and trace.

        Raises:
            WebError: The sender may not call.
        """
        key = api_key(request)
        is_open = self._config.is_exposed and not self._config.allow_anonymous
        if is_open and not await self.keeps_accounts():
            raise WebError(
                HTTPStatus.FORBIDDEN,
                "auth_failed",
                "other machines reach this service and its gateway keeps no accounts: its "
                "operator must set PACKSHOT_WEB_ALLOW_ANONYMOUS=yes where that is meant",
            )
        try:
            return self._client.for_caller(key, trace_of(request))
        except ValueError as exc:
            raise WebError(
                HTTPStatus.FORBIDDEN,
                "auth_failed",
                "a key would go to the gateway in the clear: its operator must set "
                "PACKSHOT_WEB_GATEWAY_TLS, or PACKSHOT_WEB_PLAINTEXT_KEY on a network that "
                "encrypts by itself",
            ) from exc

    async def keeps_accounts(self) -> bool:
        """Tell whether the gateway keeps accounts, so that renders cost credits.

        Raises:
            PackshotError: It cannot be asked.
        """
        now_s = time.monotonic()
        if self._keeps_accounts is None or now_s - self._asked_s > _ACCOUNTS_S:
            try:
                await self._client.account(timeout_s=_PROBE_S)
            except UnsupportedError:
                self._keeps_accounts = False
            except UnauthenticatedError:
                self._keeps_accounts = True
            self._asked_s = now_s
        return bool(self._keeps_accounts)

    async def is_ready(self) -> bool:
        """Tell whether the gateway answers and is ready."""
        try:
            return await self._client.healthy(timeout_s=_PROBE_S)
        except PackshotError:
            return False

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


def api_key(request: Request) -> str | None:
    """Return the key that a request carries, by either header; None if by none.

    Raises:
        WebError: It can be nobody's.
    """
    key = request.headers.get("x-api-key", "").strip()
    if not key:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else ""
    if not key:
        return None
    if not _KEY.fullmatch(key):
        raise WebError(HTTPStatus.FORBIDDEN, "auth_failed", "the API key is none")
    return key


def trace_of(request: Request) -> list[tuple[str, str]]:
    """Return a request's W3C trace context as gRPC metadata; empty if it has none."""
    parent = request.headers.get("traceparent", "")
    if not _TRACEPARENT.fullmatch(parent):
        return []
    state = request.headers.get("tracestate", "")
    return [
        ("traceparent", parent),
        *([("tracestate", state)] if _TRACESTATE.fullmatch(state) else []),
    ]


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """Await some work, and cancel it where the caller closes its connection.

    Args:
        request: Its body must have been received.
        work: What is awaited.

    Raises:
        CallerGoneError: The caller has gone.
    """
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise CallerGoneError
    finally:
        for each in (task, watch):
            each.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
