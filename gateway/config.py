"""The gateway's settings: one frozen dataclass, read once at start."""

import os
from dataclasses import dataclass

from gateway.pipeline.limits import PhotoLimits
from gateway.triton_channel import channel_target
from settings import SettingError, require, setting

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """The Packshot gateway: the gRPC service between callers and Triton."""

    host: str = setting("PACKSHOT_HOST", "127.0.0.1", "address that the gateway binds to")
    port: int = setting("PACKSHOT_PORT", 50051, "gRPC port; 0 picks a free one")
    metrics_port: int = setting(
        "PACKSHOT_METRICS_PORT", 9095, "port of /metrics, /livez and /readyz; 0 picks a free one"
    )
    triton: str = setting(
        "PACKSHOT_TRITON",
        "127.0.0.1:8001",
        "gRPC address of Triton, HOST:PORT; several as IP:PORT,IP:PORT",
    )
    default_model: str = setting(
        "PACKSHOT_DEFAULT_MODEL", "matte", "model that cuts when a request names none"
    )
    max_photo_bytes: int = setting(
        "PACKSHOT_MAX_PHOTO_BYTES", 32 * 2**20, "largest photo file, bytes"
    )
    max_photo_pixels: int = setting(
        "PACKSHOT_MAX_PHOTO_PIXELS", 64_000_000, "largest photo or frame, width times height"
    )
    max_in_flight: int = setting(
        "PACKSHOT_MAX_IN_FLIGHT", 64, "most renders inside the gateway at once"
    )
    cpu_threads: int = setting(
        "PACKSHOT_CPU_THREADS", 0, "threads that decode, compose and encode; 0: one per core"
    )
    default_timeout_s: float = setting(
        "PACKSHOT_DEFAULT_TIMEOUT_S", 30.0, "time for a request whose caller set no deadline, s"
    )
    probe_interval_s: float = setting(
        "PACKSHOT_PROBE_INTERVAL_S", 1.0, "how often readiness is judged, s"
    )
    probe_timeout_s: float = setting(
        "PACKSHOT_PROBE_TIMEOUT_S", 3.0, "time for a probe's inference, s"
    )
    circuit_failures: int = setting(
        "PACKSHOT_CIRCUIT_FAILURES", 5, "failures in a row after which a model's circuit opens"
    )
    retry_share: float = setting(
        "PACKSHOT_RETRY_SHARE", 0.1, "second attempts at Triton per request, at most; 0: none"
    )
    drain_timeout_s: float = setting(
        "PACKSHOT_DRAIN_TIMEOUT_S", 30.0, "time for requests in flight after SIGTERM, s"
    )
    log_level: str = setting(
        "PACKSHOT_LOG_LEVEL", "INFO", "least of DEBUG, INFO, WARNING and ERROR that is logged"
    )

    def __post_init__(self) -> None:
        for name in ("port", "metrics_port"):
            require(self, name, at_least=0, at_most=65535)
        # A gRPC message holds at most 2 GiB, and the photo travels in one.
        require(self, "max_photo_bytes", at_least=1, at_most=2**30)
        # Pillow refuses larger WebP, GIF and TIFF files on its own.
        require(self, "max_photo_pixels", at_least=256, at_most=178_000_000)
        require(self, "max_in_flight", at_least=1)
        require(self, "cpu_threads", at_least=0, at_most=1024)
        for name in (
            "default_timeout_s",
            "probe_interval_s",
            "probe_timeout_s",
        ):
            require(self, name, at_least=0.01)
        require(self, "drain_timeout_s", at_least=0)
        require(self, "circuit_failures", at_least=1)
        require(self, "retry_share", at_least=0, at_most=1)
        try:
            channel_target(self.triton)
        except ValueError as exc:
            raise SettingError(f"PACKSHOT_TRITON is {self.triton!r}: {exc}") from exc
        if self.log_level not in LOG_LEVELS:
            raise SettingError(
                f"PACKSHOT_LOG_LEVEL is {self.log_level!r}; known: {', '.join(LOG_LEVELS)}"
            )

    @property
    def limits(self) -> PhotoLimits:
        """What a photo may be."""
        return PhotoLimits(max_bytes=self.max_photo_bytes, max_pixels=self.max_photo_pixels)

    @property
    def retries_in_reserve(self) -> int:
        """Second attempts for what is in flight when one of several Tritons dies."""
        return self.max_in_flight if self.retry_share else 0

    @property
    def worker_threads(self) -> int:
        """Threads for the arithmetic."""
        return self.cpu_threads or len(os.sched_getaffinity(0))
