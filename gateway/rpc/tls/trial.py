"""A pair's trial: gRPC serves it for a moment, and a gRPC client makes a handshake and a call.

Whether a pair can be served is for gRPC's own TLS library to say, at both ends: what another
library accepts may be refused by it, and then the server goes on with the pair before, without a
word to this process.
"""

import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc

from gateway.rpc.tls.files import CertificateError, Pair

_TIMEOUT_S: Final = 10.0


def try_pair(pair: Pair) -> None:
    """Serve a pair on a socket of this machine's own, and call it as a client that trusts it.

    Raises:
        CertificateError: gRPC cannot serve it, or its client cannot use it.
    """
    address = f"unix-abstract:packshot-{secrets.token_hex(16)}"
    with ThreadPoolExecutor(1) as executor:
        server = grpc.server(executor)
        try:
            _listen(server, address, pair)
            server.start()
            _call(address, pair)
        finally:
            server.stop(None).wait()


def _listen(server: grpc.Server, address: str, pair: Pair) -> None:
    credentials = grpc.ssl_server_credentials([(pair.key, pair.chain)], pair.client_ca)
    try:
        server.add_secure_port(address, credentials)
    except RuntimeError as exc:
        raise CertificateError(
            "gRPC cannot serve the certificate, the key or the clients' CA; it says why on "
            "standard error"
        ) from exc


def _call(address: str, pair: Pair) -> None:
    options = (
        ("grpc.ssl_target_name_override", pair.name),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.use_local_subchannel_pool", 1),
    )
    # The certificate itself is trusted, so that neither its CA nor a chain has to be known.
    trusting = grpc.ssl_channel_credentials(root_certificates=pair.chain)
    with grpc.secure_channel(address, trusting, options=options) as channel:
        try:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes]
            call = channel.unary_unary("/packshot.Trial/Try")
            call(b"", timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            # There is no such method: whoever hears that has made the handshake.
            if error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                why = str(error.details()).replace(address, "a trial server")
                raise CertificateError(
                    f"a gRPC client cannot use the certificate as {pair.name}: {why}"
                ) from error
