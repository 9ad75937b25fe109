"""What an attack knows of the service that it attacks."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """A gateway on loopback.

    Attributes:
        address: `HOST:PORT` of its gRPC port.
        metrics_address: `HOST:PORT` of its metrics, liveness and readiness.
        pid: The gateway's process.
        ca: The CA of its certificate, PEM; None: no TLS.
        api_key: A key with credits; None: no accounts.
        accounts: URL of the accounts' database, as PACKSHOT_ACCOUNTS takes it; None: no accounts.
    """

    address: str
    metrics_address: str
    pid: int
    ca: Path | None = None
    api_key: str | None = None
    accounts: str | None = None
