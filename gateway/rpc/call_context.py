"""What the interceptors know of a call and its handler asks for.

gRPC runs the interceptors and the handler of a call in one `contextvars` context, and offers no
other way from one to the other. No other module of the gateway keeps anything in such variables.
"""

from contextvars import ContextVar
from typing import Any

import grpc.aio

from gateway.admission.caller import Caller, peer_host
from gateway.rendering.deadline import Deadline

# The API key that the call was accepted by.
current_key_id: ContextVar[str | None] = ContextVar("current_key_id", default=None)
_deadline: ContextVar[Deadline] = ContextVar("deadline")


def caller_of(context: grpc.aio.ServicerContext[Any, Any]) -> Caller:
    """Return who makes the call that is being handled."""
    return Caller(current_key_id.get(), peer_host(context.peer()))


def deadline_of(context: grpc.aio.ServicerContext[Any, Any], default_timeout_s: float) -> Deadline:
    """Return the deadline of the call that is being handled; the first request for it makes it.

    Args:
        context: The call.
        default_timeout_s: The time for a call whose caller set no deadline, s.
    """
    deadline = _deadline.get(None)
    if deadline is None:
        remaining_s = context.time_remaining()
        deadline = Deadline.after(default_timeout_s if remaining_s is None else remaining_s)
        _deadline.set(deadline)
    return deadline
