"""The gRPC port's certificate: read, checked, and served anew when its files change."""

import asyncio
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificates

from gateway.start import StartError
from gateway.telemetry import catalogue
from gateway.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

_WATCH_INTERVAL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where TLS finds what it needs, all PEM.

    Attributes:
        certificate: The server's certificate, and the chain that leads to its CA.
        key: Its private key, not encrypted.
        client_ca: The CAs that clients' certificates must come from; None: clients need none.
    """

    certificate: Path
    key: Path
    client_ca: Path | None

    def __iter__(self) -> Iterator[Path]:
        yield from (path for path in (self.certificate, self.key, self.client_ca) if path)


class CertificateError(Exception):
    """The files hold nothing that can be served; the message names the file."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    configuration: grpc.ServerCertificateConfiguration
    expires_at_s: float


class ServedCertificate:
    """The certificate that new connections get.

    Args:
        files: Where it is.
        metrics: Where its expiry and its changes are shown.

    Raises:
        StartError: The files hold nothing that can be served.
    """

    def __init__(self, files: CertificateFiles, metrics: Metrics) -> None:
        self._files = files
        self._metrics = metrics
        self._state = _state(files)
        try:
            loaded = _load(files)
        except CertificateError as exc:
            raise StartError(str(exc)) from exc
        self._configuration = loaded.configuration
        metrics.show(catalogue.CERTIFICATE_EXPIRY, loaded.expires_at_s)

    def credentials(self) -> grpc.ServerCredentials:
        """Return credentials for a port that follow the files."""
        # gRPC asks for the configuration at each handshake, from a thread of its own.
        return grpc.dynamic_ssl_server_credentials(
            self._configuration,
            lambda: self._configuration,
            require_client_authentication=self._files.client_ca is not None,
        )

    async def watch(self) -> None:
        """Follow the files until cancelled."""
        while True:
            await asyncio.sleep(_WATCH_INTERVAL_S)
            await asyncio.to_thread(self.refresh)

    def refresh(self) -> None:
        """Serve the files' present content if it is new and whole; else go on with the old."""
        state = _state(self._files)
        if state == self._state:
            return
        try:
            loaded = _load(self._files)
        except CertificateError as exc:
            self._state = state
            self._metrics.count(catalogue.CERTIFICATE_LOADS, "refused")
            log.error("the certificate stays the old one: %s", exc)  # noqa: TRY400
            return
        if _state(self._files) != state:
            return  # written to meanwhile: next time
        self._state = state
        self._configuration = loaded.configuration
        self._metrics.show(catalogue.CERTIFICATE_EXPIRY, loaded.expires_at_s)
        self._metrics.count(catalogue.CERTIFICATE_LOADS, "loaded")
        log.info("a new certificate is served, from %s", self._files.certificate)


def _state(files: CertificateFiles) -> tuple[object, ...]:
    """Return what changes when a file is written, replaced or linked elsewhere."""
    return tuple(_file_state(path) for path in files)


def _file_state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  the path of a link stands for its file
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _load(files: CertificateFiles) -> _Loaded:
    """Read the files, and make sure that they belong together."""
    chain_pem, key_pem = _read(files.certificate), _read(files.key)
    try:
        certificate = load_pem_x509_certificates(chain_pem)[0]
    except ValueError as exc:
        raise CertificateError(f"{files.certificate} holds no certificate: {exc}") from exc
    try:
        key = load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError) as exc:
        raise CertificateError(f"{files.key} holds no unencrypted private key: {exc}") from exc
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise CertificateError(f"{files.key} is not the key of {files.certificate}")
    client_ca_pem = None
    if files.client_ca:
        client_ca_pem = _read(files.client_ca)
        try:
            load_pem_x509_certificates(client_ca_pem)
        except ValueError as exc:
            raise CertificateError(f"{files.client_ca} holds no certificate: {exc}") from exc
    return _Loaded(
        grpc.ssl_server_certificate_configuration([(key_pem, chain_pem)], client_ca_pem),
        certificate.not_valid_after_utc.timestamp(),
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise CertificateError(f"{path} cannot be read: {exc.strerror}") from exc
