"""The gateway's gRPC transport: what one connection may ask of it, each option with its reason.

Callers reach HTTP/2 before they reach any of the service's own limits. The options here limit each
connection, the number of connections and the number of all calls. So gRPC holds at most
`transport_bytes` before the service knows of it.
"""

from typing import Final

MAX_STREAMS: Final = 128
MAX_HEADER_BYTES: Final = 16 * 2**10
MIN_PING_INTERVAL_S: Final = 10
MAX_PING_STRIKES: Final = 2
MAX_IDLE_S: Final = 300
KEEPALIVE_S: Final = 60
KEEPALIVE_TIMEOUT_S: Final = 20
HANDSHAKE_S: Final = 10
# Calls at once, of all methods: renders, streams and watches are fewer, and all others are short.
MAX_CALLS: Final = 1024
# Calls that have arrived and have not been begun.
MAX_PENDING: Final = 1024
# Messages of calls that are no renders which are received at once.
SMALL_AT_ONCE: Final = 8
# What a call may send before it is read: HTTP/2's own first window.
WINDOW_BYTES: Final = 65_535
# The memory of a connection with its buffers, those of TLS included, and of a call.
_CONNECTION_BYTES: Final = 128 * 2**10
_CALL_BYTES: Final = 32 * 2**10
_IDENTITY_ALONE: Final = 1


def transport_bytes(max_connections: int) -> int:
    """Return what connections and unread calls take at most."""
    per_call = WINDOW_BYTES + MAX_HEADER_BYTES + _CALL_BYTES
    return max_connections * _CONNECTION_BYTES + (MAX_CALLS + MAX_PENDING) * per_call


def server_options(
    max_message_bytes: int,
    max_connections: int,
    max_age_s: float,
    age_grace_s: float,
    *,
    shares_port: bool,
) -> list[tuple[str, int]]:
    """Return the channel arguments of the gateway's server.

    Args:
        max_message_bytes: The largest request: twice the photo's limit, so that a photo over that
            limit hears of it.
        max_connections: Most connections.
        max_age_s: Seconds after which a connection takes no new calls.
        age_grace_s: Seconds that its calls may take after that.
        shares_port: Whether other processes of the gateway listen on the same port.
    """
    return [
        # gRPC refuses a larger message by its length, before it keeps any of it.
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", -1),
        # By default a second gateway would silently share the port.
        ("grpc.so_reuseport", int(shares_port)),
        # Some kB of gzip can be a message of the largest size, at most of a second of processor
        # time. Photos do not get smaller by it.
        ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_ALONE),
        # By default gRPC lets the window of an unread call grow to megabytes with the connection's
        # speed. A message that is being read still has as large a window as it needs.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
        ("grpc.max_allowed_incoming_connections", max_connections),
        ("grpc.server.max_pending_requests", MAX_PENDING // 2),
        ("grpc.server.max_pending_requests_hard_limit", MAX_PENDING),
        # More than any client needs at once; further calls wait at the client (SETTINGS). A peer
        # that opens more, or opens and resets calls in a loop (CVE-2023-44487), is held to this.
        ("grpc.max_concurrent_streams", MAX_STREAMS),
        # gRPC answers larger metadata with RESOURCE_EXHAUSTED. It refuses none below the soft
        # limit, which is half, and between the two at random.
        ("grpc.max_metadata_size", MAX_HEADER_BYTES // 2),
        ("grpc.absolute_max_metadata_size", MAX_HEADER_BYTES),
        # A ping costs its sender nothing. A peer that pings more often gets ENHANCE_YOUR_CALM and
        # is disconnected. A caller's keepalive of 10 s or more is fine, with calls or without.
        ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_INTERVAL_S * 1000),
        ("grpc.http2.max_ping_strikes", MAX_PING_STRIKES),
        # Half-open connections would accumulate: a peer that does not answer is gone.
        ("grpc.keepalive_time_ms", KEEPALIVE_S * 1000),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_S * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
        # The time for a connection to send its first SETTINGS.
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_S * 1000),
        # A connection without calls is closed; a caller's channel makes a new one by itself.
        ("grpc.max_connection_idle_ms", MAX_IDLE_S * 1000),
        # So that callers spread over new gateways. A call without a deadline whose message never
        # ends is ended too, by GOAWAY and a grace time.
        ("grpc.max_connection_age_ms", round(max_age_s * 1000)),
        ("grpc.max_connection_age_grace_ms", round(age_grace_s * 1000)),
    ]
