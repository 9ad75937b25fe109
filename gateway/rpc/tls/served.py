"""The gRPC port's certificate, served anew when its files change."""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Final

import grpc

from gateway.observability.metrics import Metrics
from gateway.rpc.tls.files import CertificateError, CertificateFiles, Pair, read_pair
from gateway.rpc.tls.handover import HeldHandshake, Here, reachable, served_certificate
from gateway.rpc.tls.trial import try_pair
from gateway.start import StartError

log = logging.getLogger(__name__)

_WATCH_INTERVAL_S: Final = 1.0
# Files that were refused are tried again: a file may become readable, a certificate valid.
_RETRY_INTERVAL_S: Final = 10.0
# How long a handshake begun before a replacement is kept.
_HOLD_S: Final = 5.0


class ServedCertificate:
    """The certificate that new connections get.

    Args:
        files: Where it is.
        metrics: Where its expiry and its changes are shown.
        clock: Tells the time that has passed, s.

    Raises:
        StartError: The files hold nothing that can be served.
    """

    def __init__(
        self,
        files: CertificateFiles,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._files = files
        self._metrics = metrics
        self._state = files.state()
        try:
            pair = _load(files)
        except CertificateError as exc:
            raise StartError(str(exc)) from exc
        self._first = _configuration(pair)
        self._refusal = ""
        self._retry_at_s = 0.0
        self._lock = threading.Lock()
        self._next: grpc.ServerCertificateConfiguration | None = None
        self._held: list[tuple[float, HeldHandshake]] = []
        metrics.certificate_expiry.set(pair.expires_at_s)

    def credentials(self) -> grpc.ServerCredentials:
        """Return credentials for a port that follow the files."""
        return grpc.dynamic_ssl_server_credentials(
            self._first,
            self._fetch,  # type: ignore[arg-type]  # None is part of gRPC's contract, not of its types
            require_client_authentication=self._files.client_ca is not None,
        )

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Return a new configuration once, to one handshake; None: nothing has changed.

        gRPC asks at each handshake, several threads of its own at once. It takes the memory of what
        it is handed and replaces what all handshakes are made with, so that a configuration handed
        out at each of them ends the process by SIGSEGV after some thousands.
        """
        with self._lock:
            new, self._next = self._next, None
        return new

    async def watch(self, host: str, port: int, *, shares_port: bool) -> None:
        """Follow the files until cancelled.

        Args:
            host: The address that the gRPC port is bound to.
            port: The port.
            shares_port: Whether other processes listen on it as well.
        """
        here = Here(*reachable(host, port), shares_port=shares_port)
        try:
            while True:
                await asyncio.sleep(_WATCH_INTERVAL_S)
                await asyncio.to_thread(self.refresh, here)
        finally:
            self._let_go(math.inf)

    def refresh(self, here: Here | None = None) -> None:
        """Serve the files' present content if it is new and whole; else go on with the old.

        Raises nothing: whatever is wrong is logged and counted, and tried again.

        Args:
            here: Where the server is; None: it is not asked whether it serves the new one.
        """
        now_s = self._clock()
        self._let_go(now_s)
        state = self._files.state()
        if state == self._state and not (self._refusal and now_s >= self._retry_at_s):
            return
        try:
            pair = _load(self._files)
            if self._files.state() != state:
                return  # written to meanwhile: next time
            self._hand_over(pair, here)
        except CertificateError as exc:
            self._refuse(state, str(exc), None)
        except Exception as exc:  # noqa: BLE001  the watch must outlive whatever it meets
            self._refuse(state, f"{type(exc).__name__}: {exc}", exc)
        else:
            self._state, self._refusal = state, ""
            self._metrics.certificate_expiry.set(pair.expires_at_s)
            self._metrics.certificate_loads.labels("loaded").inc()
            log.info("a new certificate is served, from %s", self._files.certificate)

    def _refuse(self, state: tuple[object, ...], why: str, error: Exception | None) -> None:
        if (state, why) != (self._state, self._refusal):
            self._metrics.certificate_loads.labels("refused").inc()
            log.error("the certificate stays the old one: %s", why, exc_info=error)
        self._state, self._refusal = state, why
        self._retry_at_s = self._clock() + _RETRY_INTERVAL_S

    def _hand_over(self, pair: Pair, here: Here | None) -> None:
        """Give gRPC a new pair, and see that it is served."""
        if here is None:
            self._publish(_configuration(pair))
            return
        try:
            # Begun before gRPC can take the new pair, which the next handshake makes it do.
            self._held.append((self._clock() + _HOLD_S, HeldHandshake(here)))
            self._publish(_configuration(pair))
            served = served_certificate(here)
        except OSError as exc:
            # Nothing may be taken later than the handshake is held.
            self._publish(None)
            raise CertificateError(f"the gRPC port does not answer a handshake: {exc}") from exc
        if served != pair.certificate:
            raise CertificateError(f"gRPC does not serve that of {self._files.certificate}")

    def _publish(self, configuration: grpc.ServerCertificateConfiguration | None) -> None:
        with self._lock:
            self._next = configuration

    def _let_go(self, now_s: float) -> None:
        """End the handshakes that have been held for long enough."""
        over = [held for until_s, held in self._held if until_s <= now_s]
        self._held = [(until_s, held) for until_s, held in self._held if until_s > now_s]
        for held in over:
            held.close()


def _load(files: CertificateFiles) -> Pair:
    pair = read_pair(files)
    try_pair(pair)
    return pair


def _configuration(pair: Pair) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pair.key, pair.chain)], pair.client_ca)
