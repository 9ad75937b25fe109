"""Serving's settings: one frozen dataclass, read once at start."""

from dataclasses import dataclass
from pathlib import Path

from processes.logs import LogFormat
from processes.settings import SettingError, require, setting

LOG_LEVELS = ("error", "warning", "info", "verbose")


@dataclass(frozen=True, slots=True)
class ServingConfig:
    """Triton, the inference server: found or installed, started, watched, stopped."""

    model_repository: Path = setting(
        "PACKSHOT_MODEL_REPOSITORY", Path("model_repository"), "folder of models to serve"
    )
    models: tuple[str, ...] = setting(
        "PACKSHOT_TRITON_MODELS", (), "models to load, separated by commas; none given: all"
    )
    host: str = setting("PACKSHOT_TRITON_HOST", "127.0.0.1", "address that Triton binds to")
    http_port: int = setting("PACKSHOT_TRITON_HTTP_PORT", 8000, "Triton's HTTP port")
    grpc_port: int = setting("PACKSHOT_TRITON_GRPC_PORT", 8001, "Triton's gRPC port")
    metrics_port: int = setting(
        "PACKSHOT_TRITON_METRICS_PORT", 8002, "port of Triton's own Prometheus metrics"
    )
    triton_dir: Path = setting(
        "PACKSHOT_TRITON_DIR", Path(".triton"), "folder that the embedded Triton is installed into"
    )
    triton_log_level: str = setting(
        "PACKSHOT_TRITON_LOG_LEVEL", "warning", "Triton's log: error, warning, info or verbose"
    )
    log_format: LogFormat = setting(
        "PACKSHOT_LOG_FORMAT",
        LogFormat.AUTO,
        "lines of the log; auto: text on a terminal, else JSON",
    )
    otlp_endpoint: str = setting(
        "PACKSHOT_OTLP_ENDPOINT",
        "",
        "base URL of an OTLP receiver that Triton sends its spans to; none: no traces",
    )
    start_timeout_s: float = setting(
        "PACKSHOT_TRITON_START_TIMEOUT_S", 300.0, "time for all models to become ready, s"
    )
    exit_timeout_s: int = setting(
        "PACKSHOT_TRITON_EXIT_TIMEOUT_S", 20, "time for requests in flight after SIGTERM, s"
    )
    max_connection_age_s: float = setting(
        "PACKSHOT_TRITON_MAX_CONNECTION_AGE_S",
        0.0,
        "time after which a gRPC connection takes no new calls, so that gateways find new Tritons "
        "by their name, s; 0: none",
    )
    watch_interval_s: float = setting(
        "PACKSHOT_TRITON_WATCH_INTERVAL_S", 1.0, "how often each model is looked at, s"
    )
    probe_interval_s: float = setting(
        "PACKSHOT_TRITON_PROBE_INTERVAL_S", 5.0, "idle time after which a model is probed, s"
    )
    hang_timeout_s: float = setting(
        "PACKSHOT_TRITON_HANG_TIMEOUT_S",
        30.0,
        "time without any answer after which a model counts as hung, s",
    )

    def __post_init__(self) -> None:
        for name in ("http_port", "grpc_port", "metrics_port"):
            require(self, name, at_least=1, at_most=65535)
        if len(set(self.ports)) < len(self.ports):
            raise SettingError("Triton's HTTP, gRPC and metrics ports must differ")
        for name in ("start_timeout_s", "watch_interval_s", "probe_interval_s", "hang_timeout_s"):
            require(self, name, at_least=0.05)
        require(self, "max_connection_age_s", at_least=0, at_most=2_000_000)
        require(self, "exit_timeout_s", at_least=0)
        if self.triton_log_level not in LOG_LEVELS:
            raise SettingError(
                f"PACKSHOT_TRITON_LOG_LEVEL is {self.triton_log_level!r}; "
                f"it must be one of {', '.join(LOG_LEVELS)}"
            )

    @property
    def ports(self) -> tuple[int, int, int]:
        """The ports for gRPC, HTTP and metrics."""
        return self.grpc_port, self.http_port, self.metrics_port

    def address(self, port: int) -> str:
        """Return the `HOST:PORT` by which this machine reaches one of the ports."""
        # An address that stands for all of the machine's is one to bind to, not to call.
        callable_host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"[{callable_host}]:{port}" if ":" in callable_host else f"{callable_host}:{port}"
