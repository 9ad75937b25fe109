"""How a channel to the service is set up: message sizes, keepalive, retries."""

import json
from typing import Any

from packshot.v1 import packshot_pb2 as pb

DEFAULT_TARGET = "localhost:50051"
DEFAULT_TIMEOUT_S = 30.0

_SERVICE = pb.DESCRIPTOR.services_by_name["PackshotService"].full_name

# The whole request is kept for a retry: larger ones than this are sent once.
_RETRY_BUFFER_BYTES = 64 * 2**20


def channel_options(*, retries: bool) -> list[tuple[str, Any]]:
    """Return the channel's options.

    Args:
        retries: Whether calls that met an absent service or inference server are repeated, up to
            four times in all within their deadline. A render changes nothing in the service but
            the account, and its idempotency key has it charged once, so repeating it is safe; a
            budget stops retries while most calls fail.
    """
    options: list[tuple[str, Any]] = [
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_reconnect_backoff_ms", 2000),
        ("grpc.enable_retries", int(retries)),
    ]
    if retries:
        options += [
            ("grpc.per_rpc_retry_buffer_size", _RETRY_BUFFER_BYTES),
            ("grpc.service_config", json.dumps(_RETRY_CONFIG)),
        ]
    return options


_RETRY_CONFIG = {
    "methodConfig": [
        {
            "name": [{"service": _SERVICE}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1},
}
