"""The face's settings: one frozen dataclass, read once at start."""

from dataclasses import dataclass
from pathlib import Path

from processes.logs import LEVELS, LogFormat
from processes.settings import SettingError, is_loopback, require, setting


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The HTTP face: remove.bg's contract and a page, before a Packshot gateway."""

    host: str = setting("PACKSHOT_WEB_HOST", "127.0.0.1", "address that the face binds to")
    port: int = setting("PACKSHOT_WEB_PORT", 8080, "HTTP port")
    gateway: str = setting(
        "PACKSHOT_WEB_GATEWAY", "127.0.0.1:50051", "gRPC address of the gateway, HOST:PORT"
    )
    gateway_tls: bool = setting(
        "PACKSHOT_WEB_GATEWAY_TLS",
        False,  # noqa: FBT003  as every default
        "whether the gateway is called by TLS",
    )
    gateway_ca: Path | None = setting(
        "PACKSHOT_WEB_GATEWAY_CA", None, "CAs of the gateway's certificate, PEM; none: the usual"
    )
    gateway_cert: Path | None = setting(
        "PACKSHOT_WEB_GATEWAY_CERT", None, "the face's own certificate, PEM, for mutual TLS"
    )
    gateway_key: Path | None = setting(
        "PACKSHOT_WEB_GATEWAY_KEY", None, "that certificate's private key, PEM"
    )
    plaintext_key: bool = setting(
        "PACKSHOT_WEB_PLAINTEXT_KEY",
        False,  # noqa: FBT003
        "whether callers' keys may go to a gateway on another machine without TLS",
    )
    allow_anonymous: bool = setting(
        "PACKSHOT_WEB_ALLOW_ANONYMOUS",
        False,  # noqa: FBT003
        "whether other machines may call where the gateway keeps no accounts",
    )
    max_photo_bytes: int = setting(
        "PACKSHOT_WEB_MAX_PHOTO_BYTES", 32 * 2**20, "largest photo or background file, bytes"
    )
    max_bytes_in_flight: int = setting(
        "PACKSHOT_WEB_MAX_BYTES_IN_FLIGHT",
        256 * 2**20,
        "most bytes of uploads and answers inside at once",
    )
    max_requests: int = setting(
        "PACKSHOT_WEB_MAX_REQUESTS", 256, "most uploads and renders inside at once"
    )
    idle_timeout_s: float = setting(
        "PACKSHOT_WEB_IDLE_TIMEOUT_S",
        15.0,
        "time for a request's head, and without a byte of its body, s",
    )
    receive_timeout_s: float = setting(
        "PACKSHOT_WEB_RECEIVE_TIMEOUT_S", 120.0, "time for a whole upload, s"
    )
    send_timeout_s: float = setting(
        "PACKSHOT_WEB_SEND_TIMEOUT_S",
        30.0,
        "time for an answer to be taken, and 1 s more for each MiB, s",
    )
    render_timeout_s: float = setting(
        "PACKSHOT_WEB_RENDER_TIMEOUT_S", 30.0, "time for the gateway to render, s"
    )
    fetch_urls: bool = setting(
        "PACKSHOT_WEB_FETCH_URLS",
        False,  # noqa: FBT003
        "whether image_url and bg_image_url are fetched on a caller's behalf",
    )
    fetch_hosts: tuple[str, ...] = setting(
        "PACKSHOT_WEB_FETCH_HOSTS",
        (),
        "hosts that are fetched from, separated by commas; none given: any at a public address",
    )
    fetch_timeout_s: float = setting(
        "PACKSHOT_WEB_FETCH_TIMEOUT_S", 10.0, "time for one address, its redirects included, s"
    )
    fetch_redirects: int = setting(
        "PACKSHOT_WEB_FETCH_REDIRECTS", 3, "most redirects that are followed for one address"
    )
    cors_origins: tuple[str, ...] = setting(
        "PACKSHOT_WEB_CORS_ORIGINS",
        (),
        "origins whose pages may call, such as https://shop.example, separated by commas",
    )
    drain_timeout_s: float = setting(
        "PACKSHOT_WEB_DRAIN_TIMEOUT_S", 30.0, "time for requests in flight after SIGTERM, s"
    )
    log_level: str = setting(
        "PACKSHOT_LOG_LEVEL", "INFO", "least of DEBUG, INFO, WARNING and ERROR that is logged"
    )
    log_format: LogFormat = setting(
        "PACKSHOT_LOG_FORMAT",
        LogFormat.AUTO,
        "lines of the log; auto: text on a terminal, else JSON",
    )

    def __post_init__(self) -> None:
        require(self, "port", at_least=0, at_most=65535)
        require(self, "max_photo_bytes", at_least=1, at_most=2**30)
        # Whatever one request may bring has room while nothing else is inside.
        require(self, "max_bytes_in_flight", at_least=4 * self.max_photo_bytes)
        require(self, "max_requests", at_least=1)
        require(self, "fetch_redirects", at_least=0, at_most=20)
        require(self, "drain_timeout_s", at_least=0)
        for name in (
            "idle_timeout_s",
            "receive_timeout_s",
            "send_timeout_s",
            "render_timeout_s",
            "fetch_timeout_s",
        ):
            require(self, name, at_least=0.01)
        if (self.gateway_cert is None) != (self.gateway_key is None):
            raise SettingError(
                "PACKSHOT_WEB_GATEWAY_CERT and PACKSHOT_WEB_GATEWAY_KEY need each other"
            )
        if self.fetch_hosts and not self.fetch_urls:
            raise SettingError("PACKSHOT_WEB_FETCH_HOSTS needs PACKSHOT_WEB_FETCH_URLS=yes")
        for origin in self.cors_origins:
            if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:  # noqa: PLR2004
                raise SettingError(
                    f"PACKSHOT_WEB_CORS_ORIGINS has {origin!r}; an origin is SCHEME://HOST[:PORT]"
                )
        if self.log_level not in LEVELS:
            raise SettingError(
                f"PACKSHOT_LOG_LEVEL is {self.log_level!r}; known: {', '.join(LEVELS)}"
            )

    @property
    def is_exposed(self) -> bool:
        """Whether other machines reach the face."""
        return not is_loopback(self.host)
