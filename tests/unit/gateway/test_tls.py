"""TLS on the gRPC port: who is trusted, and certificates that change while it runs."""

import asyncio
import base64
import dataclasses
import errno
import logging
import math
import os
import re
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificate
from prometheus_client import CollectorRegistry

from gateway.app import Gateway
from gateway.config import GatewayConfig
from gateway.observability.metrics import Metrics
from gateway.observability.telemetry import Telemetry
from gateway.rpc.tls import CertificateFiles, ServedCertificate
from gateway.rpc.tls import served as served_module
from gateway.start import StartError
from packshot import AsyncClient, UnavailableError
from processes.settings import SettingError
from tests.support.certificates import Authority, Pair
from tests.support.fake_inference import FakeInferenceServer

EXPIRY = "packshot_tls_certificate_expiry_timestamp_seconds"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return authority.sign()


@pytest.fixture
def config(config: GatewayConfig, pair: Pair, tmp_path: Path) -> GatewayConfig:
    cert, key = pair.write(tmp_path, "server")
    return dataclasses.replace(config, tls_cert=cert, tls_key=key)


async def served(gateway: Gateway) -> bytes:
    """Fetch the certificate that a new connection gets."""
    address = ("127.0.0.1", gateway.port)
    return (await asyncio.to_thread(ssl.get_server_certificate, address)).encode()


async def test_a_client_that_knows_the_ca_gets_in_and_others_do_not(
    gateway: Gateway, authority: Authority
) -> None:
    target = f"127.0.0.1:{gateway.port}"
    async with AsyncClient(target, ca=authority.certificate, timeout_s=5) as client:
        assert await client.presets()
    for security in ({"ca": Authority("another").certificate}, {"tls": True}, {}):
        async with AsyncClient(target, timeout_s=2, retries=False, **security) as client:
            with pytest.raises(UnavailableError):
                await client.presets()


async def test_a_changed_certificate_is_served_to_new_connections(
    gateway: Gateway, authority: Authority, tmp_path: Path
) -> None:
    target = f"127.0.0.1:{gateway.port}"
    async with AsyncClient(target, ca=authority.certificate, timeout_s=5) as client:
        assert await client.presets()
        new = authority.sign(days=10)
        new.write(tmp_path, "server")
        async with asyncio.timeout(5):
            while (await served(gateway)).split() != new.certificate.split():
                await asyncio.sleep(0.1)
        assert await client.presets()
    async with AsyncClient(target, ca=authority.certificate, timeout_s=5) as client:
        assert await client.presets()


class TestMutual:
    @pytest.fixture
    def config(self, config: GatewayConfig, authority: Authority, tmp_path: Path) -> GatewayConfig:
        (tmp_path / "clients.crt").write_bytes(authority.certificate)
        return dataclasses.replace(config, tls_client_ca=tmp_path / "clients.crt")

    async def test_only_a_client_with_a_certificate_of_the_ca_gets_in(
        self, gateway: Gateway, authority: Authority, tmp_path: Path
    ) -> None:
        target, ca = f"127.0.0.1:{gateway.port}", authority.certificate
        mine = authority.sign("caller")
        cert, key = mine.write(tmp_path, "caller")
        async with AsyncClient(target, ca=ca, cert=cert, key=key, timeout_s=5) as client:
            assert await client.presets()
        new = authority.sign(days=10)
        new.write(tmp_path, "server")
        async with asyncio.timeout(20):
            while (await served(gateway)).split() != new.certificate.split():
                await asyncio.sleep(0.1)
        async with AsyncClient(target, ca=ca, cert=cert, key=key, timeout_s=5) as client:
            assert await client.presets()
        stranger = Authority("another").sign("stranger")
        for pair in ({}, {"cert": stranger.certificate, "key": stranger.key}):
            async with AsyncClient(target, ca=ca, timeout_s=2, retries=False, **pair) as client:  # type: ignore[arg-type]
                with pytest.raises(UnavailableError):
                    await client.presets()


UNUSABLE: Final[list[tuple[Callable[[Authority], Pair], str]]] = [
    (lambda ca: ca.sign(key=ed25519.Ed25519PrivateKey.generate()), "key by Ed25519"),
    (lambda ca: ca.sign(key=ed448.Ed448PrivateKey.generate()), "key by Ed448"),
    (lambda ca: ca.sign(key=dsa.generate_private_key(2048)), "key by DSA"),
    (lambda ca: ca.sign(key=ec.generate_private_key(ec.SECP256K1())), "curve secp256k1"),
    (lambda ca: ca.sign(key=ec.generate_private_key(ec.SECP521R1())), "curve secp521r1"),
    (lambda ca: ca.sign(key=rsa.generate_private_key(65537, 1024)), "RSA of 1024 bits"),  # noqa: S505
    (lambda ca: ca.sign(days=-1, starts_in=timedelta(days=-2)), "expired at"),
    (lambda ca: ca.sign(starts_in=timedelta(hours=1)), "is not valid before"),
    # Nothing but a handshake finds this: the key may not sign.
    (
        lambda ca: ca.sign(
            extensions=[
                x509.KeyUsage(
                    digital_signature=False,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=True,
                    key_cert_sign=False,
                    crl_sign=False,
                    encipher_only=False,
                    decipher_only=False,
                )
            ]
        ),
        "gRPC cannot serve",
    ),
]


class TestRefresh:
    """What becomes of changed files, step by step."""

    @pytest.fixture
    def registry(self) -> CollectorRegistry:
        return CollectorRegistry()

    @pytest.fixture
    def files(self, pair: Pair, tmp_path: Path) -> CertificateFiles:
        return CertificateFiles(*pair.write(tmp_path, "server"), None)

    @pytest.fixture
    def certificate(
        self, files: CertificateFiles, registry: CollectorRegistry
    ) -> ServedCertificate:
        return ServedCertificate(files, Metrics(registry))

    def loads(self, registry: CollectorRegistry, outcome: str) -> float | None:
        return registry.get_sample_value(
            "packshot_tls_certificate_loads_total", {"outcome": outcome}
        )

    def test_the_expiry_is_shown(
        self, certificate: ServedCertificate, registry: CollectorRegistry, pair: Pair
    ) -> None:
        assert certificate
        until = load_pem_x509_certificate(pair.certificate).not_valid_after_utc.timestamp()
        assert registry.get_sample_value(EXPIRY) == until
        assert time.time() + 19 * 86400 < until

    def test_half_a_pair_is_refused_until_the_other_half_comes(
        self,
        certificate: ServedCertificate,
        registry: CollectorRegistry,
        files: CertificateFiles,
        authority: Authority,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        before = registry.get_sample_value(EXPIRY)
        new = authority.sign(days=5)
        files.certificate.write_bytes(new.certificate)
        with caplog.at_level(logging.ERROR):
            certificate.refresh()
            certificate.refresh()
        assert f"{files.key} is not the key of {files.certificate}" in caplog.text
        assert (self.loads(registry, "refused"), self.loads(registry, "loaded")) == (1, 0)
        assert registry.get_sample_value(EXPIRY) == before
        files.key.write_bytes(new.key)
        certificate.refresh()
        assert (self.loads(registry, "refused"), self.loads(registry, "loaded")) == (1, 1)
        assert registry.get_sample_value(EXPIRY) != before

    @pytest.mark.parametrize("content", [b"", b"nonsense", None])
    def test_broken_and_missing_files_leave_the_old_one(
        self,
        certificate: ServedCertificate,
        registry: CollectorRegistry,
        files: CertificateFiles,
        content: bytes | None,
    ) -> None:
        if content is None:
            files.key.unlink()
        else:
            files.key.write_bytes(content)
        certificate.refresh()
        assert self.loads(registry, "refused") == 1

    @pytest.mark.parametrize(("kind", "why"), UNUSABLE)
    def test_a_pair_that_clients_cannot_use_leaves_the_old_one_and_the_watch_alive(
        self,
        certificate: ServedCertificate,
        registry: CollectorRegistry,
        files: CertificateFiles,
        authority: Authority,
        kind: Callable[[Authority], Pair],
        why: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        before = registry.get_sample_value(EXPIRY)
        kind(authority).write(files.certificate.parent, "server")
        with caplog.at_level(logging.ERROR):
            certificate.refresh()
            certificate.refresh()
        assert re.search(why, caplog.text), caplog.text
        assert (self.loads(registry, "refused"), self.loads(registry, "loaded")) == (1, 0)
        assert registry.get_sample_value(EXPIRY) == before
        authority.sign(days=5).write(files.certificate.parent, "server")
        certificate.refresh()
        assert (self.loads(registry, "refused"), self.loads(registry, "loaded")) == (1, 1)

    def test_a_key_of_an_algorithm_that_nobody_knows_is_refused(
        self, certificate: ServedCertificate, registry: CollectorRegistry, files: CertificateFiles
    ) -> None:
        # PKCS #8 of the object identifier 1.2.3.4.
        unknown = bytes.fromhex("3012020100300506032a0304") + b"\x04\x06secret"
        text = base64.encodebytes(unknown)
        files.key.write_bytes(
            b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n"
        )
        certificate.refresh()
        assert self.loads(registry, "refused") == 1

    def test_an_encrypted_key_is_refused(
        self, certificate: ServedCertificate, registry: CollectorRegistry, files: CertificateFiles
    ) -> None:
        key = load_pem_private_key(files.key.read_bytes(), None)
        encryption = BestAvailableEncryption(b"secret")
        files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        certificate.refresh()
        assert self.loads(registry, "refused") == 1

    @pytest.mark.parametrize(
        "content",
        [b"", b"nonsense", Authority("old").sign().key, Authority("old", days=-1).certificate],
        ids=["empty", "nonsense", "a key", "expired"],
    )
    def test_a_ca_file_without_a_ca_that_is_valid_is_refused(
        self, pair: Pair, authority: Authority, tmp_path: Path, content: bytes
    ) -> None:
        registry, ca = CollectorRegistry(), tmp_path / "clients.crt"
        ca.write_bytes(authority.certificate)
        certificate = ServedCertificate(
            CertificateFiles(*pair.write(tmp_path, "server"), ca), Metrics(registry)
        )
        ca.write_bytes(content)
        certificate.refresh()
        assert self.loads(registry, "refused") == 1

    def test_a_pipe_in_a_file_s_place_keeps_nobody_waiting(
        self, certificate: ServedCertificate, registry: CollectorRegistry, files: CertificateFiles
    ) -> None:
        files.key.unlink()
        os.mkfifo(files.key)
        certificate.refresh()
        assert self.loads(registry, "refused") == 1

    def test_what_was_refused_is_tried_again_though_no_file_changes(
        self,
        registry: CollectorRegistry,
        files: CertificateFiles,
        authority: Authority,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(_pair: Pair) -> None:
            raise OSError(errno.EMFILE, "too many open files")

        now_s = 1000.0
        certificate = ServedCertificate(files, Metrics(registry), lambda: now_s)
        with monkeypatch.context() as broken:
            broken.setattr(served_module, "try_pair", fail)
            authority.sign(days=5).write(files.certificate.parent, "server")
            certificate.refresh()
            assert self.loads(registry, "refused") == 1
        certificate.refresh()
        assert self.loads(registry, "loaded") == 0  # not before the interval is over
        now_s += 60
        certificate.refresh()
        assert self.loads(registry, "loaded") == 1

    def test_a_new_configuration_is_handed_out_once(
        self, certificate: ServedCertificate, authority: Authority, files: CertificateFiles
    ) -> None:
        fetch = certificate._fetch  # noqa: SLF001  what gRPC calls from threads of its own
        assert fetch() is None
        authority.sign(days=5).write(files.certificate.parent, "server")
        certificate.refresh()
        with ThreadPoolExecutor(8) as threads:
            handed = list(threads.map(lambda _: fetch(), range(1000)))
        assert sum(each is not None for each in handed) == 1

    def test_links_that_are_switched_are_noticed(
        self, registry: CollectorRegistry, authority: Authority, tmp_path: Path
    ) -> None:
        for version, days in (("1", 3), ("2", 4)):
            (tmp_path / version).mkdir()
            authority.sign(days=days).write(tmp_path / version, "tls")
        link = tmp_path / "current"
        link.symlink_to("1")
        files = CertificateFiles(link / "tls.crt", link / "tls.key", None)
        certificate = ServedCertificate(files, Metrics(registry))
        (tmp_path / "next").symlink_to("2")
        (tmp_path / "next").replace(link)
        certificate.refresh()
        assert self.loads(registry, "loaded") == 1


def test_a_gateway_does_not_start_with_a_broken_certificate(
    config: GatewayConfig, authority: Authority
) -> None:
    assert config.tls_key
    config.tls_key.write_bytes(authority.sign().key)
    with pytest.raises(StartError, match="is not the key of"):
        Gateway(config, FakeInferenceServer())


def test_without_tls_the_expiry_is_never() -> None:
    telemetry = Telemetry(GatewayConfig(), FakeInferenceServer())
    assert telemetry.registry.get_sample_value(EXPIRY) == math.inf


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])  # noqa: S104
def test_other_machines_are_let_in_only_with_an_identity_or_on_demand(
    host: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=r"PACKSHOT_ACCOUNTS .*PACKSHOT_ALLOW_ANONYMOUS=yes"):
        GatewayConfig(host=host)
    with pytest.raises(SettingError, match="PACKSHOT_TLS_CLIENT_CA"):
        GatewayConfig(host=host, tls_cert=tmp_path, tls_key=tmp_path)
    GatewayConfig(host=host, allow_anonymous=True)
    GatewayConfig(host=host, accounts="sqlite:///accounts.db")
    GatewayConfig(host=host, tls_cert=tmp_path, tls_key=tmp_path, tls_client_ca=tmp_path)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_this_machine_needs_no_identity(host: str) -> None:
    GatewayConfig(host=host)


def test_settings_that_need_each_other_say_so(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="PACKSHOT_TLS_KEY"):
        GatewayConfig(tls_cert=tmp_path)
    with pytest.raises(SettingError, match="needs PACKSHOT_TLS_CERT"):
        GatewayConfig(tls_client_ca=tmp_path)
    with pytest.raises(SettingError, match=r"PACKSHOT_ACCOUNTS: .*sqlite"):
        GatewayConfig(accounts="mysql://me:secret@host/db")


def test_the_files_may_be_replaced_by_others_of_the_same_time(
    authority: Authority, tmp_path: Path
) -> None:
    registry = CollectorRegistry()
    files = CertificateFiles(*authority.sign().write(tmp_path, "server"), None)
    certificate = ServedCertificate(files, Metrics(registry))
    times = {path: os.stat(path).st_mtime_ns for path in files}  # noqa: PTH116
    (tmp_path / "new").mkdir()
    for path, fresh in zip(files, authority.sign().write(tmp_path / "new", "server"), strict=True):
        os.utime(fresh, ns=(times[path], times[path]))
        fresh.replace(path)
    certificate.refresh()
    loads = {"outcome": "loaded"}
    assert registry.get_sample_value("packshot_tls_certificate_loads_total", loads) == 1
