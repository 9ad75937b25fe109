"""The gateway's settings: one frozen dataclass, read once at start."""

import os
from dataclasses import dataclass
from pathlib import Path

from gateway.accounts.database import parse_url
from gateway.admission.limits import AdmissionLimits
from gateway.inference.channel import channel_target
from gateway.rpc.tls import CertificateFiles
from gateway.rpc.transport import SMALL_AT_ONCE, transport_bytes
from imaging.decode.limits import PhotoLimits
from imaging.decode.pixels_held import MOST_CHARGED
from processes.logs import LEVELS, LogFormat
from processes.settings import SettingError, is_loopback, require, setting


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
    processes: int = setting(
        "PACKSHOT_PROCESSES",
        1,
        "processes that share the gRPC port, the cores and the limits; more than 1 for many cores",
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
    max_streams: int = setting("PACKSHOT_MAX_STREAMS", 16, "most streams of photos open at once")
    stream_window: int = setting(
        "PACKSHOT_STREAM_WINDOW", 8, "most photos of one stream inside the gateway at once"
    )
    stream_idle_timeout_s: float = setting(
        "PACKSHOT_STREAM_IDLE_TIMEOUT_S",
        300.0,
        "time without a photo or a reply taken after which a stream is ended, s",
    )
    max_bytes_in_flight: int = setting(
        "PACKSHOT_MAX_BYTES_IN_FLIGHT", 256 * 2**20, "most bytes of all requests inside"
    )
    max_pixels_in_flight: int = setting(
        "PACKSHOT_MAX_PIXELS_IN_FLIGHT",
        256_000_000,
        "most pixels of all photos, backgrounds and pictures inside",
    )
    max_receiving: int = setting(
        "PACKSHOT_MAX_RECEIVING", 16, "most photos that are being received at once"
    )
    max_connections: int = setting(
        "PACKSHOT_MAX_CONNECTIONS", 1000, "most connections to the gRPC port; more are closed"
    )
    max_connection_age_s: float = setting(
        "PACKSHOT_MAX_CONNECTION_AGE_S",
        3600.0,
        "time after which a connection takes no new calls and callers connect anew, s",
    )
    connection_age_grace_s: float = setting(
        "PACKSHOT_CONNECTION_AGE_GRACE_S",
        60.0,
        "time that calls, streams too, may take after that, s",
    )
    send_timeout_s: float = setting(
        "PACKSHOT_SEND_TIMEOUT_S",
        30.0,
        "time for a reply to be taken, and 1 s more for each MiB; then its connection is closed, s",
    )
    max_wait_s: float = setting(
        "PACKSHOT_MAX_WAIT_S", 0.75, "longest estimated wait with which work is let in, s"
    )
    max_bulk_wait_s: float = setting("PACKSHOT_MAX_BULK_WAIT_S", 5.0, "the same for bulk work, s")
    cpu_threads: int = setting(
        "PACKSHOT_CPU_THREADS", 0, "threads that decode, compose and encode; 0: one per core"
    )
    decode_workers: int = setting(
        "PACKSHOT_DECODE_WORKERS",
        -1,
        "processes that decode photos, so that none can crash the gateway; -1: one more than "
        "threads; 0: none, the threads decode",
    )
    decode_timeout_s: float = setting(
        "PACKSHOT_DECODE_TIMEOUT_S",
        10.0,
        "time for one photo's header, and for decoding it, in a process, s",
    )
    max_core_s: float = setting(
        "PACKSHOT_MAX_CORE_S",
        5.0,
        "most processor time that a render may take by its estimate, s of one core",
    )
    default_timeout_s: float = setting(
        "PACKSHOT_DEFAULT_TIMEOUT_S",
        30.0,
        "time for a request without a deadline, and for a stream's photo, s",
    )
    probe_interval_s: float = setting(
        "PACKSHOT_PROBE_INTERVAL_S", 1.0, "how often readiness is judged, s"
    )
    probe_timeout_s: float = setting(
        "PACKSHOT_PROBE_TIMEOUT_S",
        3.0,
        "time after which a probe asks Triton for a sign of life, s",
    )
    triton_state_interval_s: float = setting(
        "PACKSHOT_TRITON_STATE_INTERVAL_S",
        5.0,
        "how often each Triton is asked for its models and batch sizes, for the metrics, s",
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
    tls_cert: Path | None = setting(
        "PACKSHOT_TLS_CERT", None, "certificate chain of the gRPC port, PEM; none: no TLS"
    )
    tls_key: Path | None = setting("PACKSHOT_TLS_KEY", None, "the certificate's private key, PEM")
    tls_client_ca: Path | None = setting(
        "PACKSHOT_TLS_CLIENT_CA", None, "CAs of which callers must show a certificate, PEM"
    )
    accounts: str = setting(
        "PACKSHOT_ACCOUNTS", "", "URL of the accounts' database; none: no API keys, no credits"
    )
    allow_anonymous: bool = setting(
        "PACKSHOT_ALLOW_ANONYMOUS",
        False,  # noqa: FBT003  as every default
        "whether other machines may call without an identity",
    )
    log_level: str = setting(
        "PACKSHOT_LOG_LEVEL", "INFO", "least of DEBUG, INFO, WARNING and ERROR that is logged"
    )
    log_format: LogFormat = setting(
        "PACKSHOT_LOG_FORMAT",
        LogFormat.AUTO,
        "lines of the log; auto: text on a terminal, else JSON",
    )
    otlp_endpoint: str = setting(
        "PACKSHOT_OTLP_ENDPOINT",
        "",
        "base URL of an OTLP receiver of traces, such as http://127.0.0.1:4318; none: no traces",
    )
    trace_share: float = setting(
        "PACKSHOT_TRACE_SHARE", 0.1, "share of calls traced where their caller has not decided"
    )
    expect_gpu: bool = setting(
        "PACKSHOT_EXPECT_GPU",
        False,  # noqa: FBT003  as every default
        "whether models are meant to run on a GPU, so that an alert can say that they do not",
    )
    revision: str = setting(
        "PACKSHOT_REVISION", "unknown", "revision of the source, for packshot_build_info"
    )

    def __post_init__(self) -> None:
        for name in ("port", "metrics_port"):
            require(self, name, at_least=0, at_most=65535)
        require(self, "processes", at_least=1, at_most=256)
        # A gRPC message holds at most 2 GiB, and the photo travels in one.
        require(self, "max_photo_bytes", at_least=1, at_most=2**30)
        # Pillow refuses larger WebP, GIF and TIFF files on its own.
        require(self, "max_photo_pixels", at_least=256, at_most=178_000_000)
        require(self, "max_in_flight", at_least=1)
        require(self, "max_streams", at_least=1)
        require(self, "stream_window", at_least=1, at_most=1024)
        # The largest request must fit while nothing else is inside.
        require(self, "max_bytes_in_flight", at_least=2 * self.max_photo_bytes)
        require(self, "max_pixels_in_flight", at_least=MOST_CHARGED * self.max_photo_pixels)
        require(self, "max_receiving", at_least=1)
        require(self, "max_connections", at_least=1)
        # gRPC counts in milliseconds of 31 bits.
        require(self, "max_connection_age_s", at_least=1, at_most=2_000_000)
        require(self, "connection_age_grace_s", at_least=0, at_most=2_000_000)
        require(self, "max_wait_s", at_least=0)
        require(self, "max_bulk_wait_s", at_least=0)
        require(self, "cpu_threads", at_least=0, at_most=1024)
        require(self, "decode_workers", at_least=-1, at_most=1024)
        for name in (
            "decode_timeout_s",
            "max_core_s",
            "default_timeout_s",
            "probe_interval_s",
            "probe_timeout_s",
            "send_timeout_s",
            "stream_idle_timeout_s",
            "triton_state_interval_s",
        ):
            require(self, name, at_least=0.01)
        require(self, "drain_timeout_s", at_least=0)
        require(self, "circuit_failures", at_least=1)
        require(self, "retry_share", at_least=0, at_most=1)
        require(self, "trace_share", at_least=0, at_most=1)
        if self.otlp_endpoint and not self.otlp_endpoint.startswith(("http://", "https://")):
            raise SettingError(
                f"PACKSHOT_OTLP_ENDPOINT is {self.otlp_endpoint!r}; it must begin with http:// or "
                "https://"
            )
        try:
            channel_target(self.triton)
        except ValueError as exc:
            raise SettingError(f"PACKSHOT_TRITON is {self.triton!r}: {exc}") from exc
        if self.log_level not in LEVELS:
            raise SettingError(
                f"PACKSHOT_LOG_LEVEL is {self.log_level!r}; known: {', '.join(LEVELS)}"
            )

        self._check_identity()

    def _check_identity(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise SettingError("PACKSHOT_TLS_CERT and PACKSHOT_TLS_KEY need each other")
        if self.tls_client_ca and not self.tls_cert:
            raise SettingError("PACKSHOT_TLS_CLIENT_CA needs PACKSHOT_TLS_CERT")
        if self.accounts:
            try:
                parse_url(self.accounts)
            except ValueError as exc:
                raise SettingError(f"PACKSHOT_ACCOUNTS: {exc}") from None
        identified = self.accounts or self.tls_client_ca or self.allow_anonymous
        if not (identified or is_loopback(self.host)):
            raise SettingError(
                f"PACKSHOT_HOST is {self.host!r}, where other machines can call, and nothing says "
                "who they are: set PACKSHOT_ACCOUNTS (API keys) or PACKSHOT_TLS_CLIENT_CA (client "
                "certificates), or PACKSHOT_ALLOW_ANONYMOUS=yes where that is meant"
            )

    @property
    def certificate_files(self) -> CertificateFiles | None:
        """What the gRPC port serves TLS with; None: it does not."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        return CertificateFiles(self.tls_cert, self.tls_key, self.tls_client_ca)

    @property
    def limits(self) -> PhotoLimits:
        """What a photo may be."""
        return PhotoLimits(max_bytes=self.max_photo_bytes, max_pixels=self.max_photo_pixels)

    @property
    def worker_processes(self) -> int:
        """Processes that decode photos, by default one more than threads; 0: the threads do."""
        return self.worker_threads + 1 if self.decode_workers < 0 else self.decode_workers

    @property
    def retries_in_reserve(self) -> int:
        """Second attempts for what is in flight when one of several Tritons dies."""
        return self.max_in_flight if self.retry_share else 0

    @property
    def max_message_bytes(self) -> int:
        """The largest request: twice the photo's limit, so that a larger photo gets its error."""
        return 2 * self.max_photo_bytes + 2**20

    @property
    def admission_limits(self) -> AdmissionLimits:
        """What may be inside at once."""
        return AdmissionLimits(
            requests=self.max_in_flight,
            bytes=self.max_bytes_in_flight,
            pixels=self.max_pixels_in_flight,
            receiving=self.max_receiving,
            streams=self.max_streams,
            message_bytes=self.max_message_bytes,
            workers=2 * self.worker_threads,
            max_wait_s=self.max_wait_s,
            max_bulk_wait_s=self.max_bulk_wait_s,
            other_messages=SMALL_AT_ONCE,
            transport_bytes=transport_bytes(self.max_connections),
        )

    @property
    def memory_ceiling_bytes(self) -> int:
        """What the gateway's memory stays below; `docs/load.md` explains the sum."""
        return self.admission_limits.memory_ceiling_bytes

    @property
    def worker_threads(self) -> int:
        """Threads for the arithmetic; one more is kept for interactive steps."""
        return self.cpu_threads or len(os.sched_getaffinity(0))
