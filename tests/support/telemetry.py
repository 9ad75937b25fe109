"""Telemetry that nobody looks at, for parts that are tested outside of a gateway."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry

from gateway.observability.calls import Calls
from gateway.observability.labels import Method
from gateway.observability.metrics import Metrics
from gateway.observability.tracing import Tracing


@contextmanager
def answering_a_render() -> Iterator[Calls]:
    """Answer a render for the time of a block."""
    calls = Calls(Metrics(CollectorRegistry()), Tracing("", 0, "test"))
    with calls.answering(Method.RENDER, ()):
        yield calls
