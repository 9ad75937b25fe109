"""The files of the gRPC port's certificate: read, and checked as far as reading tells."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509 import (
    Certificate,
    DNSName,
    ExtensionNotFound,
    IPAddress,
    SubjectAlternativeName,
    load_pem_x509_certificates,
)
from cryptography.x509.oid import NameOID

_MAX_BYTES: Final = 2**20
_MIN_RSA_BITS: Final = 2048
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1)


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

    def state(self) -> tuple[object, ...]:
        """Return what changes when a file is written, replaced or linked elsewhere."""
        return tuple(_file_state(path) for path in self)


class CertificateError(Exception):
    """The files hold nothing that can be served; the message names the file."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as read.

    Attributes:
        chain: The certificate and its chain, PEM.
        key: The private key, PEM.
        client_ca: The CAs of clients' certificates, PEM; None: clients need none.
        certificate: The certificate alone, DER.
        name: A host name or an address that it is for.
        expires_at_s: When it expires, seconds of Unix time.
    """

    chain: bytes
    key: bytes
    client_ca: bytes | None
    certificate: bytes
    name: str
    expires_at_s: float


def read_pair(files: CertificateFiles) -> Pair:
    """Read the files, and check that they belong together and can be served now.

    Raises:
        CertificateError: They do not, or a file cannot be read.
    """
    chain, key_pem = _read(files.certificate), _read(files.key)
    certificate = _certificates(files.certificate, chain)[0]
    public_key = _public_key(files.certificate, certificate)
    try:
        key = load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise CertificateError(f"{files.key} holds no unencrypted private key: {exc}") from exc
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public_key.public_bytes(*form) != key.public_key().public_bytes(*form):
        raise CertificateError(f"{files.key} is not the key of {files.certificate}")
    _check_algorithm(files.certificate, public_key)
    _check_time(files.certificate, [certificate])
    client_ca = None
    if files.client_ca:
        client_ca = _read(files.client_ca)
        _check_time(files.client_ca, _certificates(files.client_ca, client_ca))
    return Pair(
        chain,
        key_pem,
        client_ca,
        certificate.public_bytes(Encoding.DER),
        _name(files.certificate, certificate),
        certificate.not_valid_after_utc.timestamp(),
    )


def _file_state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  the path of a link stands for its file
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(path: Path) -> bytes:
    try:
        # A pipe would keep whoever opens it waiting.
        if not stat.S_ISREG(path.stat().st_mode):
            raise CertificateError(f"{path} is no regular file")
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as exc:
        raise CertificateError(f"{path} cannot be read: {exc.strerror}") from exc
    if len(content) > _MAX_BYTES:
        raise CertificateError(f"{path} is larger than {_MAX_BYTES} bytes")
    return content


def _certificates(path: Path, content: bytes) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(content)
    except ValueError as exc:
        raise CertificateError(f"{path} holds no certificate: {exc}") from exc


def _public_key(path: Path, certificate: Certificate) -> PublicKeyTypes:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise CertificateError(f"{path} has a key of an unknown kind: {exc}") from exc


def _check_algorithm(path: Path, key: PublicKeyTypes) -> None:
    """Refuse keys that gRPC serves to nobody: its clients know signatures by few kinds."""
    match key:
        case rsa.RSAPublicKey(key_size=bits) if bits >= _MIN_RSA_BITS:
            return
        case rsa.RSAPublicKey(key_size=bits):
            what = f"RSA of {bits} bits"
        case ec.EllipticCurvePublicKey(curve=curve) if isinstance(curve, _CURVES):
            return
        case ec.EllipticCurvePublicKey(curve=curve):
            what = f"ECDSA on the curve {curve.name}"
        case _:
            what = type(key).__name__.removesuffix("PublicKey").lstrip("_")
    raise CertificateError(
        f"{path} has a key by {what}, which gRPC's clients do not accept: RSA of at least "
        f"{_MIN_RSA_BITS} bits and ECDSA on the curves secp256r1 and secp384r1 serve"
    )


def _check_time(path: Path, certificates: list[Certificate]) -> None:
    """Refuse certificates of which none is valid now."""
    now = datetime.now(UTC)
    if any(one.not_valid_before_utc <= now <= one.not_valid_after_utc for one in certificates):
        return
    first = certificates[0]
    if first.not_valid_after_utc < now:
        raise CertificateError(f"{path} expired at {first.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")
    raise CertificateError(
        f"{path} is not valid before {first.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
    )


def _name(path: Path, certificate: Certificate) -> str:
    """Return a name that a client may call the server by."""
    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        found = [str(attribute.value) for attribute in common]
    except ValueError as exc:
        raise CertificateError(f"{path} has an extension that cannot be read: {exc}") from exc
    else:
        found = names.get_values_for_type(DNSName)
        found += [str(address) for address in names.get_values_for_type(IPAddress)]
    if not found:
        raise CertificateError(f"{path} is for no host name and no address")
    return found[0].replace("*", "any", 1)
