"""Traces: OpenTelemetry's, from the caller through the gateway's stages into Triton.

The context is received and sent as W3C Trace Context (https://www.w3.org/TR/trace-context/). Every
call has a trace id, its caller's or a new one; log lines and errors name it. Only sampled calls get
spans. Spans are sent by OTLP over HTTP, the form that Triton supports too.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

SERVICE: Final = "packshot-gateway"

_W3C: Final = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans.

    Args:
        endpoint: Base URL of an OTLP receiver, such as http://127.0.0.1:4318; empty: no spans.
        share: Share of the calls that are sampled, 0 to 1, where their caller has not decided.
        version: Packshot's version.
    """

    def __init__(self, endpoint: str, share: float, version: str) -> None:
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)) if endpoint else ALWAYS_OFF,
            resource=Resource({"service.name": SERVICE, "service.version": version}),
            shutdown_on_exit=False,
        )
        if endpoint:
            exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("packshot.gateway", version)

    def begin_call(self, name: str, metadata: Iterable[tuple[str, str | bytes]]) -> Span:
        """Begin a call's span, as a child of its caller's if the metadata name one."""
        carrier = {key: value for key, value in metadata if isinstance(value, str)}
        return self._tracer.start_span(
            name,
            _W3C.extract(carrier),
            SpanKind.SERVER,
            {"rpc.system.name": "grpc", "rpc.method": name},
        )

    def add(self, parent: Span, name: str, start_ns: int, duration_s: float) -> None:
        """Add a span of something that has ended.

        Args:
            parent: The span that it was part of.
            name: What it was.
            start_ns: When it began, as `time.time_ns` tells.
            duration_s: How long it took.
        """
        if parent.is_recording():
            within = trace.set_span_in_context(parent)
            span = self._tracer.start_span(name, within, start_time=start_ns)
            span.end(start_ns + int(duration_s * 1e9))

    @contextlib.contextmanager
    def asking(self, parent: Span, name: str) -> Iterator[None]:
        """Make a span of a block that calls another service, which can continue the trace."""
        if not parent.is_recording():
            yield
            return
        within = trace.set_span_in_context(parent)
        with self._tracer.start_as_current_span(name, within, SpanKind.CLIENT):
            yield

    def close(self) -> None:
        """Send the spans that have not been sent."""
        self._provider.shutdown()


def trace_id_of(span: Span) -> str:
    """Return a span's trace id, 32 hexadecimal digits."""
    return trace.format_trace_id(span.get_span_context().trace_id)


def end_call(span: Span, code: str, attributes: Mapping[str, str | int | float]) -> None:
    """End a call's span; any status but OK makes it an error's."""
    if span.is_recording():
        span.set_attributes({"rpc.response.status_code": code, **attributes})
        if code != "OK":
            span.set_status(Status(StatusCode.ERROR, code))
    span.end(time.time_ns())


def trace_headers() -> dict[str, str] | None:
    """Return the headers that continue the current span elsewhere; None where there is none."""
    if not trace.get_current_span().is_recording():
        return None
    headers: dict[str, str] = {}
    _W3C.inject(headers)
    return headers
