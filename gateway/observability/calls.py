"""Telemetry of calls: each is counted, timed, traced and logged in one line."""

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import grpc
import structlog.contextvars
from google.rpc import status_pb2
from opentelemetry.trace import Span

from gateway.admission.priority import Priority
from gateway.observability.labels import RENDERS, Method, Outcome
from gateway.observability.metrics import Metrics
from gateway.observability.tracing import Tracing, end_call, trace_id_of
from gateway.rendering.render_call import RenderCall
from gateway.rpc.requests.priority import PRIORITY_METADATA, announced_priority
from gateway.rpc.status import status_code, to_status
from imaging.errors import ReasonedError

log = logging.getLogger("gateway.calls")

Metadata = Iterable[tuple[str, str | bytes]]


@dataclass(slots=True)
class Call:
    """One call, or one photo of a stream, from its arrival to its answer.

    Attributes:
        method: What is called.
        span: Its span.
        priority: Its priority; None if it is no render.
        code: How it ends.
        reason: Why, if it is an error.
        status: The status that its caller gets, if it is an error.
        facts: What else its line says.
        render: The photo that is rendered, whose timings are read at the end; None for others.
    """

    method: Method
    span: Span
    priority: Priority | None
    code: grpc.StatusCode = grpc.StatusCode.OK
    reason: str = ""
    status: status_pb2.Status | None = None
    facts: dict[str, str | int | float] = field(default_factory=dict)
    render: RenderCall | None = None

    @property
    def trace_id(self) -> str:
        """The trace's id, 32 hexadecimal digits."""
        return trace_id_of(self.span)

    @property
    def exemplar(self) -> dict[str, str] | None:
        """The labels of the call's exemplars: its trace's id. None if the trace is not sampled."""
        return {"trace_id": self.trace_id} if self.span.is_recording() else None

    def fail(self, error: ReasonedError) -> status_pb2.Status:
        """Note the error that the call ends in, and return its status."""
        self.code, self.reason = status_code(error), error.reason
        self.status = to_status(error, self.trace_id)
        return self.status


class Calls:
    """Counts, times, traces and logs every call.

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
        """Observe a call for the time of a block, at whose end its result must have been noted.

        Args:
            method: What is called.
            metadata: The call's metadata, which may name a trace.
            arrived_s: The `time.monotonic()` of its arrival; None: now.
        """
        start_s = time.monotonic() if arrived_s is None else arrived_s
        # The metadata announce a priority; the message, once received, decides.
        announced = announced_priority(dict(metadata).get(PRIORITY_METADATA))
        priority = announced if method in RENDERS else None
        call = Call(method, self._tracing.begin_call(method, metadata), priority)
        in_flight = self._metrics.in_flight.labels(method)
        in_flight.inc()
        with structlog.contextvars.bound_contextvars(trace_id=call.trace_id):
            try:
                yield call
            finally:
                in_flight.dec()
                self._answered(call, time.monotonic() - start_s)

    def refuse(
        self,
        name: str,
        metadata: Metadata,
        error: ReasonedError,
        arrived_s: float,
        facts: Mapping[str, str] | None = None,
    ) -> status_pb2.Status:
        """Observe a call that is refused before it is read, and return its status.

        Args:
            name: What is called, whether its method is counted or not.
            metadata: The call's metadata.
            error: Why it is refused.
            arrived_s: The `time.monotonic()` of its arrival.
            facts: What else its line says.
        """
        if name in set(Method):
            with self.answering(Method(name), metadata, arrived_s) as call:
                call.facts |= facts or {}
                return call.fail(error)
        self._metrics.errors.labels(error.reason).inc()
        log.info("call refused", extra={"method": name, "reason": error.reason, **(facts or {})})
        return to_status(error)

    def _answered(self, call: Call, duration_s: float) -> None:
        code, metrics = call.code, self._metrics
        outcome: Outcome = "ok" if code is grpc.StatusCode.OK else "error"
        metrics.requests.labels(call.method, code, call.priority).inc()
        duration = metrics.request_duration.labels(call.method, call.priority, outcome)
        duration.observe(duration_s, call.exemplar)
        stages_ms = self._stages_ms(call)
        if call.reason:
            metrics.errors.labels(call.reason).inc()
            call.facts["reason"] = call.reason
        if call.priority is not None:
            call.facts["priority"] = call.priority.label
        end_call(call.span, code.name, call.facts)
        facts = {
            "method": call.method,
            "code": code.name,
            "ms": round(duration_s * 1e3, 1),
            **call.facts,
            **stages_ms,
        }
        log.info("call", extra=facts)

    def _stages_ms(self, call: Call) -> dict[str, float]:
        """See the stages of a render, and return the time of each for its line, ms."""
        timings = call.render.timings if call.render else ()
        for each in timings:
            duration = self._metrics.stage_duration.labels(each.stage)
            duration.observe(each.duration_s, call.exemplar)
            if each.start_ns is not None:
                self._tracing.add(call.span, each.stage, each.start_ns, each.duration_s)
        return {f"{each.stage}_ms": round(each.duration_s * 1e3, 1) for each in timings}
