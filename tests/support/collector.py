"""A receiver of traces by OTLP over HTTP, as every collector is one, that keeps them in memory."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.trace_sink import TraceSink


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it arrived; ids are hexadecimal, times are since the epoch."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, str]
    failed: bool


class Collector(TraceSink):
    """Listens on a free port for the time of a block.

    Attributes:
        spans: What has arrived.
    """

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[Span] = []

    def take(self, path: str, body: bytes, kind: str) -> None:
        """Keep the spans."""
        super().take(path, body, kind)
        assert path == "/v1/traces"
        self.spans += _spans(_message(body, kind))


def _message(body: bytes, kind: str) -> ExportTraceServiceRequest:
    if kind != "application/json":
        return ExportTraceServiceRequest.FromString(body)
    # OTLP's JSON has ids in hexadecimal, where protobuf's own has base64.
    message = json.loads(body)
    for span in (
        span
        for resource in message["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ):
        for name in ("traceId", "spanId", "parentSpanId"):
            if name in span:
                span[name] = _base64(span[name])
    return ParseDict(message, ExportTraceServiceRequest(), ignore_unknown_fields=True)


def _base64(digits: str) -> str:
    return base64.b64encode(bytes.fromhex(digits)).decode()


def _spans(message: ExportTraceServiceRequest) -> list[Span]:
    return [
        Span(
            service=_values(resource.resource.attributes)["service.name"],
            name=span.name,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            start_ns=span.start_time_unix_nano,
            end_ns=span.end_time_unix_nano,
            attributes=_values(span.attributes),
            failed=span.status.code == span.status.STATUS_CODE_ERROR,
        )
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _values(attributes: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in attributes}
