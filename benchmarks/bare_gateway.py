"""A gateway that nobody sees: no metrics, no lines, no spans; what `benchmarks telemetry` compares.

`python -m benchmarks.bare_gateway` takes the settings of `python -m gateway`.
"""

import contextlib
import sys
from collections.abc import Iterator

from opentelemetry.trace import INVALID_SPAN
from prometheus_client import CollectorRegistry

import gateway.app as server
from gateway import __main__ as command
from gateway.config import GatewayConfig
from gateway.inference.server import InferenceServer
from gateway.observability.calls import Call, Calls, Metadata
from gateway.observability.labels import Method
from gateway.observability.metrics import Metrics
from gateway.observability.telemetry import Telemetry
from gateway.observability.tracing import Tracing
from metrics import Metric


class _NoMetrics(Metrics):
    def count(self, metric: Metric, *labels: str, amount: float = 1) -> None:
        """Count nothing."""

    def observe(
        self, metric: Metric, value: float, *labels: str, trace_id: str | None = None
    ) -> None:
        """Observe nothing."""

    def show(self, metric: Metric, value: float, *labels: str) -> None:
        """Show nothing."""


class _NoCalls(Calls):
    @contextlib.contextmanager
    def answering(
        self,
        method: Method,
        metadata: Metadata,  # noqa: ARG002
        arrived_s: float | None = None,  # noqa: ARG002
    ) -> Iterator[Call]:
        """Answer a call unseen."""
        yield Call(method, INVALID_SPAN, "")


class _NoTelemetry(Telemetry):
    def __init__(self, config: GatewayConfig, tritons: InferenceServer) -> None:
        super().__init__(config, tritons)
        self.metrics = _NoMetrics(CollectorRegistry())
        self.calls = _NoCalls(self.metrics, Tracing("", 0, ""))


if __name__ == "__main__":
    vars(server)["Telemetry"] = _NoTelemetry
    sys.exit(command.main())
