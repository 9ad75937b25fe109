"""Pictures fetched on callers' behalf, guarded so that no caller reaches what is inside.

Off unless the operator switches it on. An address is resolved once, judged, and connected to as it
was judged, so that no second answer of a name server can differ; redirects go the same way.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urljoin, urlsplit

import httpcore

from web.config import WebConfig
from web.errors import WebError, invalid
from web.metrics import FetchOutcome, Metrics
from web.parts import too_large
from web.room import Place

_PORTS: Final = {"http": 80, "https": 443}
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_MAX_URL: Final = 2048
_OK: Final = 200
_AGENT: Final = b"packshot-web"
# Addresses in which another one is hidden, which a router may unpack.
_WRAPPED: Final = (
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2002::/16"),
)

Address = IPv4Address | IPv6Address


class RefusedError(Exception):
    """The guard refuses an address."""


class Fetcher:
    """Fetches files by their addresses.

    Args:
        config: Whether, from where, how much and for how long.
        metrics: Counts what was fetched.
        trust: Judges https; None: the machine's own CAs do.
    """

    def __init__(
        self, config: WebConfig, metrics: Metrics, trust: ssl.SSLContext | None = None
    ) -> None:
        self._config = config
        self._metrics = metrics
        self._hosts = frozenset(host.lower() for host in config.fetch_hosts)
        self._trust = trust

    async def fetch(self, name: str, url: str, place: Place) -> bytes:
        """Fetch a file.

        Args:
            name: The parameter that gave its address.
            url: The address.
            place: Takes the room for it.

        Raises:
            WebError: Fetching is off, or the address is refused, or the file cannot be had.
        """
        if not self._config.fetch_urls:
            raise invalid(
                f"invalid_{name}",
                f"{name} is switched off here: send the file itself "
                "(PACKSHOT_WEB_FETCH_URLS switches it on)",
                title=f"{name} is switched off",
            )
        outcome: FetchOutcome = "failed"
        try:
            async with asyncio.timeout(self._config.fetch_timeout_s):
                data = await self._follow(url, place)
            outcome = "ok"
        except RefusedError as exc:
            outcome = "refused"
            raise invalid(f"invalid_{name}", f"{name} is not fetched: {exc}") from exc
        except TimeoutError as exc:
            raise _failed(name, f"it took longer than {self._config.fetch_timeout_s:g} s") from exc
        except (
            OSError,
            httpcore.NetworkError,
            httpcore.ProtocolError,
            httpcore.TimeoutException,
        ) as exc:
            raise _failed(name, type(exc).__name__) from exc
        except _NoFileError as exc:
            raise _failed(name, str(exc)) from exc
        finally:
            self._metrics.fetches.labels(outcome).inc()
        return data

    async def _follow(self, url: str, place: Place) -> bytes:
        backend = _GuardedBackend(self._hosts)
        async with httpcore.AsyncConnectionPool(
            ssl_context=self._trust or ssl.create_default_context(), network_backend=backend
        ) as pool:
            for _ in range(self._config.fetch_redirects + 1):
                self._check_url(url)
                headers = [
                    (b"accept", b"image/*"),
                    (b"accept-encoding", b"identity"),
                    (b"user-agent", _AGENT),
                ]
                async with pool.stream(
                    "GET", url, headers=[(b"host", _host_header(url)), *headers]
                ) as response:
                    if response.status in _REDIRECTS:
                        url = urljoin(url, _header(response, b"location"))
                        continue
                    if response.status != _OK:
                        raise _NoFileError(f"its host answers {response.status}")
                    return await self._read(response, place)
        raise _NoFileError(f"it redirects more than {self._config.fetch_redirects} times")

    async def _read(self, response: httpcore.Response, place: Place) -> bytes:
        limit = self._config.max_photo_bytes
        length = _header(response, b"content-length")
        if length.isdecimal() and int(length) > limit:
            raise too_large(int(length), limit)
        chunks, size = [], 0
        async for chunk in response.aiter_stream():
            size += len(chunk)
            if size > limit:
                raise too_large(size, limit)
            place.take(len(chunk))
            chunks.append(chunk)
        return b"".join(chunks)

    def _check_url(self, url: str) -> None:
        if len(url) > _MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise RefusedError(f"it is longer than {_MAX_URL} characters, or holds foreign ones")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as exc:
            raise RefusedError(f"it is no address: {exc}") from exc
        if parts.scheme not in _PORTS:
            raise RefusedError("allowed: https and http")
        if not parts.hostname or parts.username is not None or parts.password is not None:
            raise RefusedError("it names no host, or a user")
        if self._hosts:
            if parts.hostname not in self._hosts:
                raise RefusedError(f"{parts.hostname} is not among the hosts that are allowed")
        elif port not in {None, _PORTS[parts.scheme]}:
            raise RefusedError(f"port {port} is none of 80 and 443")


class _NoFileError(Exception):
    """The address was followed, and led to no file."""


class _GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to what it has resolved and judged itself."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = hosts
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the library's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        address = await resolve(host, port, is_listed=host.lower() in self._hosts)
        return await self._backend.connect_tcp(
            str(address), port, timeout, local_address, socket_options
        )

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise RefusedError("sockets of this machine are not fetched from")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def resolve(host: str, port: int, *, is_listed: bool) -> Address:
    """Resolve a host once, and return the address to connect to.

    Args:
        host: A name, or an address in any spelling that the system reads.
        port: The port.
        is_listed: Whether the operator has listed the host, which may then be inside.

    Raises:
        RefusedError: One of its addresses is none to fetch from.
        OSError: It has none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]
    for address in addresses:
        if not (is_inside_allowed(address) if is_listed else is_public(address)):
            raise RefusedError(f"{host} is at an address that is not public")
    return addresses[0]


def is_public(address: Address) -> bool:
    """Tell whether an address is anybody's to fetch from."""
    bare = _unwrapped(address)
    return bare is not None and bare.is_global and not bare.is_multicast


def is_inside_allowed(address: Address) -> bool:
    """Tell whether a listed host may be there: not where clouds keep machines' credentials."""
    bare = _unwrapped(address)
    return bare is not None and not (
        bare.is_link_local
        or bare.is_multicast
        or bare.is_unspecified
        or bare.is_reserved
        or str(bare) == "fd00:ec2::254"
    )


def _unwrapped(address: Address) -> Address | None:
    """Return the address that is meant; None if it hides in one that a router may unpack."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.teredo or any(address in network for network in _WRAPPED):
        return None
    return address


def _host_header(url: str) -> bytes:
    parts: SplitResult = urlsplit(url)
    return parts.netloc.encode()


def _header(response: httpcore.Response, name: bytes) -> str:
    for key, value in response.headers:
        if key.lower() == name:
            return str(value.decode("latin-1"))
    return ""


def _failed(name: str, why: str) -> WebError:
    code = "failed_bg_download" if name.startswith("bg_") else "failed_image_download"
    title = "Failed to download image"
    return WebError(
        HTTPStatus.BAD_REQUEST, code, f"{name} could not be fetched: {why}", title=title
    )
