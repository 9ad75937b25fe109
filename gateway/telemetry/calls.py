"""Calls as they are seen: each is counted, timed, traced, and written down in one line."""

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Final

import grpc
import structlog.contextvars
from google.rpc import status_pb2
from opentelemetry.trace import Span

from gateway.errors import GatewayError
from gateway.status import status_code, to_status
from gateway.telemetry import catalogue
from gateway.telemetry.catalogue import NO_PRIORITY, Method, Stage
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.tracing import Tracing, end_call, is_sampled, trace_id_of

log = logging.getLogger("gateway.calls")

Metadata = Iterable[tuple[str, str | bytes]]


@dataclass(slots=True)
class Call:
    """One call, or one photo of a stream, from its arrival to its answer.

    Attributes:
        method: What is called.
        span: Its span.
        priority: Its priority's name; `NO_PRIORITY` for what is no render.
        code: How it ends.
        reason: Why, if it is an error.
        facts: What else its line says.
        stages_s: Seconds that each stage took.
    """

    method: str
    span: Span
    priority: str
    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    facts: dict[str, str | int | float] = field(default_factory=dict)
    stages_s: dict[Stage, float] = field(default_factory=dict)

    @property
    def trace_id(self) -> str:
        """The trace's id, 32 hexadecimal digits."""
        return trace_id_of(self.span)

    def fail(self, error: GatewayError) -> status_pb2.Status:
        """Note the error that the call ends in, and return its status."""
        self.code, self.reason = status_code(error), error.reason
        return to_status(error, self.trace_id)


# The call that is being answered, in whichever coroutine works for it.
_current: ContextVar[Call] = ContextVar("current_call")


class Calls:
    """Sees every call.

    Args:
        metrics: Where they are counted and timed.
        tracing: Where their spans go.
    """

    def __init__(self, metrics: Metrics, tracing: Tracing) -> None:
        self._metrics = metrics
        self._tracing = tracing

    @contextlib.contextmanager
    def answering(
        self, method: Method, metadata: Metadata, arrived_s: float | None = None
    ) -> Iterator[Call]:
        """Answer a call in a block; whatever is not noted about it by its end is not seen.

        Args:
            method: What is called.
            metadata: The call's metadata, which may name a trace.
            arrived_s: The `time.monotonic()` of its arrival; None: now.
        """
        start_s = time.monotonic() if arrived_s is None else arrived_s
        priority = _USUAL[method]
        call = Call(method, self._tracing.begin_call(method, metadata), priority)
        token = enter(call)
        self._metrics.move(catalogue.IN_FLIGHT, 1, method)
        try:
            with structlog.contextvars.bound_contextvars(trace_id=call.trace_id):
                try:
                    yield call
                finally:
                    self._metrics.move(catalogue.IN_FLIGHT, -1, method)
                    self._answered(call, time.monotonic() - start_s)
        finally:
            leave(token)

    def refuse(
        self, name: str, metadata: Metadata, error: GatewayError, arrived_s: float
    ) -> status_pb2.Status:
        """See a call that is refused before it is read, and return its status.

        Args:
            name: What is called, be it one of the methods that are counted or not.
            metadata: The call's metadata.
            error: Why it is refused.
            arrived_s: The `time.monotonic()` of its arrival.
        """
        if name in _USUAL:
            with self.answering(Method(name), metadata, arrived_s) as call:
                return call.fail(error)
        self._metrics.count(catalogue.ERRORS, error.reason)
        log.info("call refused", extra={"method": name, "reason": error.reason})
        return to_status(error)

    @contextlib.contextmanager
    def asking(self, stage: Stage) -> Iterator[None]:
        """See a stage that another service does; it may continue the trace within the block."""
        start_ns, start_s = time.time_ns(), time.monotonic()
        with self._tracing.asking(_current.get().span, stage):
            yield
        self.stage(stage, start_ns, time.monotonic() - start_s, traced=False)

    def stage(self, stage: Stage, start_ns: int, duration_s: float, *, traced: bool = True) -> None:
        """See a stage of the current call that is over.

        Args:
            stage: Which.
            start_ns: When it began, as `time.time_ns` tells.
            duration_s: How long it took.
            traced: Whether it is a span of the call's trace.
        """
        call = _current.get()
        call.stages_s[stage] = duration_s
        exemplar = call.trace_id if is_sampled(call.span) else None
        self._metrics.observe(catalogue.STAGE_DURATION, duration_s, stage, trace_id=exemplar)
        if traced:
            self._tracing.add(call.span, stage, start_ns, duration_s)

    def _answered(self, call: Call, duration_s: float) -> None:
        code, metrics = call.code, self._metrics
        outcome = "ok" if code is grpc.StatusCode.OK else "error"
        sampled = is_sampled(call.span)
        metrics.count(catalogue.REQUESTS, call.method, code.name, call.priority)
        metrics.observe(
            catalogue.REQUEST_DURATION,
            duration_s,
            *(call.method, call.priority, outcome),
            trace_id=call.trace_id if sampled else None,
        )
        if call.reason:
            metrics.count(catalogue.ERRORS, call.reason)
            call.facts["reason"] = call.reason
        if call.priority != NO_PRIORITY:
            call.facts["priority"] = call.priority
        end_call(call.span, code.name, call.facts)
        facts = {
            "method": call.method,
            "code": code.name,
            "ms": round(duration_s * 1e3, 1),
            **call.facts,
            **{f"{stage}_ms": round(s * 1e3, 1) for stage, s in call.stages_s.items()},
        }
        log.info("call", extra=facts)


# The priority of a call that has not said its own.
_USUAL: Final = {
    **dict.fromkeys(Method, NO_PRIORITY),
    **dict.fromkeys((Method.RENDER, Method.STREAM_PHOTO), "interactive"),
}


def enter(call: Call) -> Token[Call]:
    """Begin to answer a call; what is returned goes to `leave`."""
    return _current.set(call)


def leave(token: Token[Call]) -> None:
    """End to answer the call."""
    _current.reset(token)


def current_call() -> Call:
    """Return the call that is being answered.

    Raises:
        LookupError: There is none.
    """
    return _current.get()
