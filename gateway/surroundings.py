"""What a gateway has around it: the process that it is alone in, or others beside it."""

from collections.abc import Callable
from typing import Protocol

from prometheus_client import CollectorRegistry

from gateway.accounts.rate import RateLimiter, Rates
from gateway.config import GatewayConfig
from gateway.observability.heartbeat import Heartbeat
from gateway.observability.http import MetricsServer
from gateway.observability.telemetry import Telemetry
from gateway.start import StartError


class PortError(StartError):
    """A port cannot be bound; the message names it."""


def serve_metrics(
    config: GatewayConfig,
    registry: CollectorRegistry,
    is_ready: Callable[[], bool],
    is_alive: Callable[[], bool],
) -> MetricsServer:
    """Serve metrics, liveness and readiness on the metrics port; both are asked by its thread.

    Raises:
        PortError: The port cannot be bound.
    """
    try:
        return MetricsServer(config.host, config.metrics_port, registry, is_ready, is_alive)
    except OSError as exc:
        raise PortError(
            f"cannot listen on {config.host}:{config.metrics_port} for metrics: {exc.strerror}"
        ) from exc


class Shown(Protocol):
    """Where metrics, liveness and readiness are shown.

    Attributes:
        port: The port; 0: another process shows them.
    """

    port: int

    def close(self) -> None:
        """Show them no more."""


class Surroundings(Protocol):
    """What differs between a gateway by itself and one of several processes on one port.

    Attributes:
        is_alone: Whether no other process answers on the gateway's ports.
        rates: Counts the calls of each API key.
    """

    is_alone: bool
    rates: Rates

    def show(
        self,
        config: GatewayConfig,
        telemetry: Telemetry,
        heartbeat: Heartbeat,
        is_ready: Callable[[], bool],
    ) -> Shown:
        """Begin to show metrics, liveness and readiness.

        Raises:
            PortError: Their port cannot be bound.
        """


class Alone:
    """A gateway by itself."""

    is_alone = True

    def __init__(self) -> None:
        self.rates: Rates = RateLimiter()

    def show(
        self,
        config: GatewayConfig,
        telemetry: Telemetry,
        heartbeat: Heartbeat,
        is_ready: Callable[[], bool],
    ) -> MetricsServer:
        """Serve them on a port of this process."""
        return serve_metrics(config, telemetry.registry, is_ready, lambda: heartbeat.is_alive)
