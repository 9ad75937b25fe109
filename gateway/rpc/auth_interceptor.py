"""Checks the API key of each call before any byte of its request is read."""

import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio
from google.rpc import status_pb2

from gateway.accounts.keys import KeyText, is_secret, parse_key
from gateway.accounts.lookup import KeyLookup
from gateway.accounts.rate import Rates
from gateway.accounts.store import Account, KeyStore
from gateway.accounts.threads import DatabaseThreads
from gateway.errors import KeyInvalidError, KeyMissingError, KeyRevokedError, RateLimitedError
from gateway.observability.calls import Calls
from gateway.rpc.call_context import current_key_id
from gateway.rpc.status import fail
from imaging.errors import ReasonedError

# Generic for type checkers only.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

log = logging.getLogger(__name__)

# How long a key that has been looked up stays valid without a new look-up. A revoked key can list
# models for this long; its renders are refused at once, since they ask the database for a credit.
CACHE_TTL_S: Final = 2.0
_MAX_CACHED: Final = 10_000


class AuthInterceptor(grpc.aio.ServerInterceptor):
    """Accepts calls of one service by their API key; other services are open.

    Args:
        service: The service's full name.
        keys: The keys.
        threads: Where the database work runs.
        calls: Sees the calls refused.
        rates: Counts the calls of each key.
        clock: Seconds that only rise.
    """

    def __init__(
        self,
        service: str,
        keys: KeyStore,
        threads: DatabaseThreads,
        calls: Calls,
        rates: Rates,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prefix = f"/{service}/"
        self._lookup = KeyLookup(keys.find_all, threads)
        self._calls = calls
        self._clock = clock
        self._rates = rates
        self._cache: OrderedDict[str, tuple[float, Account]] = OrderedDict()

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "_Handler | None":
        """Let a call through, or answer it with its refusal."""
        method = handler_call_details.method
        if not method.startswith(self._prefix):
            return await continuation(handler_call_details)
        start_s = time.monotonic()
        try:
            account = await self.admit(handler_call_details.invocation_metadata)
        except ReasonedError as error:
            refused = error
        except Exception:
            log.exception("a call's key could not be judged")
            refused = ReasonedError("internal error")
        else:
            current_key_id.set(account.key_id)
            return await continuation(handler_call_details)
        name, metadata = method.removeprefix(self._prefix), handler_call_details.invocation_metadata
        return _refusal(self._calls.refuse(name, metadata, refused, start_s))

    async def admit(self, metadata: Iterable[tuple[str, str | bytes]]) -> Account:
        """Judge a call by its metadata.

        Raises:
            UnauthenticatedError: It has no valid key.
            RateLimitedError: Its key has called too often.
            AccountsUnavailableError: The key cannot be looked up.
        """
        account = await self._account(metadata)
        wait_s = self._rates.take(account.key_id, account.limit)
        if wait_s:
            limit = account.limit
            raise RateLimitedError(
                f"the API key {account.key_id} may make {limit.per_s:g} calls a second, and "
                f"{limit.burst} at once; its next is due in {wait_s:.3f} s",
                retry_after_s=wait_s,
                figures={
                    "key_id": account.key_id,
                    "limit_per_s": f"{limit.per_s:g}",
                    "burst": limit.burst,
                },
            )
        return account

    async def _account(self, metadata: Iterable[tuple[str, str | bytes]]) -> Account:
        header = next((value for name, value in metadata if name == "authorization"), None)
        if header is None:
            raise KeyMissingError(
                "this service wants an API key: authorization: Bearer pk_ID_SECRET"
            )
        scheme, _, text = str(header).partition(" ")
        key = parse_key(text.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise KeyInvalidError("the API key is not valid")
        account = self._cached(key) or await self._looked_up(key)
        if account.revoked:
            # Only a caller with the right secret hears this.
            raise KeyRevokedError(f"the API key {account.key_id} is revoked")
        return account

    def _cached(self, key: KeyText) -> Account | None:
        """Return the account of a key that was right a moment ago.

        A wrong secret finds nothing here, with a known id or not. So the time of a refusal does not
        tell whether an id exists, and made-up ids displace no others.
        """
        until_s, account = self._cache.get(key.key_id, (0.0, None))
        right = is_secret(key.secret, account.secret_sha256 if account else None)
        return account if right and self._clock() < until_s else None

    async def _looked_up(self, key: KeyText) -> Account:
        account = await self._lookup.account(key.key_id)
        if not is_secret(key.secret, account.secret_sha256 if account else None) or not account:
            raise KeyInvalidError("the API key is not valid")
        self._cache[account.key_id] = self._clock() + CACHE_TTL_S, account
        self._cache.move_to_end(account.key_id)
        if len(self._cache) > _MAX_CACHED:
            self._cache.popitem(last=False)
        return account


def _refusal(status: status_pb2.Status) -> _Handler:
    """Return a handler that refuses whatever call it gets.

    It is a stream's handler, so it begins before the request's message is received and answers
    without reading it. On the wire a failed call is the same as a stream without replies.
    """

    async def refuse(_requests: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        fail(context, status)

    return grpc.stream_stream_rpc_method_handler(refuse)
