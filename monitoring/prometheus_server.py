"""A real Prometheus on this machine, with the project's configuration and rules, for a while."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import yaml

from deploy.local.stack import free_ports
from monitoring.windows import rules_at, shortened

CONFIGURATION: Final = Path(__file__).parent / "prometheus" / "prometheus.yml"
RULES: Final = CONFIGURATION.parent / "rules"

_READY_TIMEOUT_S: Final = 60.0
_STOP_TIMEOUT_S: Final = 20.0
_POLL_S: Final = 0.05


class PrometheusError(Exception):
    """There is no Prometheus, or it did not start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus that runs.

    Attributes:
        url: Its address, http://HOST:PORT.
        process: Its process.
        log: Where its output goes.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path


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
        speed: How much shorter than the committed rules' every window is.
        interval_s: Seconds between two scrapes, and between two looks at the rules; None: as the
            committed configuration has it, divided by `speed`.
        port: Where it listens on the loopback interface; 0: a free port.

    Raises:
        PrometheusError: It is not installed, or did not start.
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
    log = folder / "prometheus.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
                "--enable-feature=exemplar-storage",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        running = Prometheus(f"http://{address}", process, log)
        _wait_until_ready(running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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


def _wait_until_ready(prometheus: Prometheus) -> None:
    give_up_s = time.monotonic() + _READY_TIMEOUT_S
    while time.monotonic() < give_up_s:
        if prometheus.process.poll() is not None:
            break
        try:
            with urlopen(f"{prometheus.url}/-/ready", timeout=5):  # noqa: S310  its own address
                return
        except (URLError, OSError):
            time.sleep(_POLL_S)
    tail = "\n".join(prometheus.log.read_text(errors="replace").splitlines()[-10:])
    raise PrometheusError(f"prometheus did not start; the end of {prometheus.log}:\n{tail}")
