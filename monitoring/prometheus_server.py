"""A real Prometheus on this machine, with the project's configuration and rules, for a while."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from monitoring.windows import rules_at, shortened
from processes.ready import ProcessError, answers, free_ports
from processes.server import ServerProcess

CONFIGURATION: Final = Path(__file__).parent / "prometheus" / "prometheus.yml"
RULES: Final = CONFIGURATION.parent / "rules"

_READY_TIMEOUT_S: Final = 60.0
_STOP_TIMEOUT_S: Final = 20.0


class PrometheusError(ProcessError):
    """There is no Prometheus, or it did not start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus that runs.

    Attributes:
        url: Its address, http://HOST:PORT.
        server: Its process.
    """

    url: str
    server: ServerProcess


@contextmanager
def running_prometheus(
    gateways: Sequence[str],
    tritons: Sequence[str],
    folder: Path,
    *,
    speed: float = 1.0,
    interval_s: float | None = None,
    port: int = 0,
) -> Iterator[Prometheus]:
    """Run Prometheus for the time of a block.

    Args:
        gateways: `HOST:PORT` of the metrics of each gateway.
        tritons: `HOST:PORT` of the metrics of each Triton.
        folder: Where its configuration, its log and its data go; made if missing.
        speed: By how much every window of the committed rules is shortened.
        interval_s: Seconds between two scrapes, and between two evaluations of the rules; None: as
            the committed configuration has it, divided by `speed`.
        port: Where it listens on the loopback interface; 0: a free port.

    Raises:
        PrometheusError: It is not installed, or did not start.
        ProcessError: It did not stop.
    """
    binary = shutil.which("prometheus")
    if binary is None:
        raise PrometheusError(
            "prometheus is not on the PATH: Debian and Ubuntu have it in the package prometheus, "
            "others at https://prometheus.io/download"
        )
    folder.mkdir(parents=True, exist_ok=True)
    configuration = write_configuration(gateways, tritons, folder, speed, interval_s)
    address = f"127.0.0.1:{port or free_ports(1)[0]}"
    url = f"http://{address}"
    command = [
        binary,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--enable-feature=exemplar-storage",
    ]
    log = folder / "prometheus.log"
    with ServerProcess("prometheus", command, log, stop_s=_STOP_TIMEOUT_S) as server:
        try:
            server.wait_until(lambda: answers(f"{url}/-/ready"), _READY_TIMEOUT_S)
        except ProcessError as exc:
            raise PrometheusError(f"prometheus did not start: {exc}") from exc
        yield Prometheus(url, server)


def write_configuration(
    gateways: Sequence[str],
    tritons: Sequence[str],
    folder: Path,
    speed: float,
    interval_s: float | None,
) -> Path:
    """Write the committed configuration and rules for other addresses and at another speed.

    Returns:
        The configuration's path.
    """
    configuration: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text())
    for name in ("scrape_interval", "evaluation_interval"):
        given = configuration["global"][name]
        configuration["global"][name] = (
            shortened(given, speed) if interval_s is None else f"{round(interval_s * 1000)}ms"
        )
    targets = {"gateway": list(gateways), "triton": list(tritons)}
    for job in configuration["scrape_configs"]:
        job["static_configs"] = [{"targets": targets[job["job_name"]]}]
    (folder / "rules").mkdir(exist_ok=True)
    for rules in sorted(RULES.glob("*.yml")):
        (folder / "rules" / rules.name).write_text(rules_at(rules.read_text(), speed))
    written = folder / CONFIGURATION.name
    # A scrape may not take longer than there is until the next one.
    configuration["global"]["scrape_timeout"] = configuration["global"]["scrape_interval"]
    written.write_text(yaml.safe_dump(configuration, sort_keys=False))
    return written
