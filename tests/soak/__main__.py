"""The soak: mixed requests for minutes, while Triton is killed and restarted; none may be lost.

`python -m tests.soak --minutes 10` starts the real stack aside on free ports. It ends with
status 1 if a request ended in no status or a wrong one, if a process grew, or if file descriptors,
threads or shared memory were left.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from deploy.local.stack import Stack, free_addresses, part
from processes.server import ServerProcess
from tests.soak.census import Census, Holdings, Life, settled, shared_memory, wait_for
from tests.soak.load import Ledger, Mix, load
from tests.support.scrape import total

log = logging.getLogger(__name__)

_SETTLE_S = 60.0
_IDLE_S = 15.0
# gRPC and the metrics' server keep a thread or a socket for a moment longer, or one more.
_SPARE = 3


@dataclass(frozen=True, slots=True)
class Soak:
    """One soak."""

    duration_s: float  # how long requests are sent
    kills: int  # how often Triton is killed and started again
    concurrency: int  # requests at a time
    growth: float  # share by which a process may grow once settled
    seed: int  # of the draw of requests
    samples: Path  # folder of photos
    logs: Path  # folder for the processes' logs

    @property
    def settle_s(self) -> float:
        """Time from a process's start in which it may grow: a minute, less in a short soak."""
        return min(_SETTLE_S, self.duration_s / (2 * (self.kills + 1)))


def main() -> int:
    """Soak, and print the report; returns 1 if something was found."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default 10)")
    parser.add_argument("--kills", type=int, default=3, help="kills of Triton (default 3)")
    parser.add_argument("--concurrency", type=int, default=4, help="requests at a time (default 4)")
    parser.add_argument(
        "--growth-percent", type=float, default=5.0, help="growth that is allowed (default 5)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the mix (default 0)")
    parser.add_argument("--samples", type=Path, default=Path("samples"), help="folder of photos")
    parser.add_argument("--logs", type=Path, default=Path("out/soak"), help="folder for logs")
    parser.add_argument("--json", type=Path, help="file for the report as JSON")
    arguments = parser.parse_args()
    soak = Soak(
        arguments.minutes * 60,
        arguments.kills,
        arguments.concurrency,
        arguments.growth_percent / 100,
        arguments.seed,
        arguments.samples,
        arguments.logs,
    )
    report = _soak(soak)
    print(as_table(report))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    for breach in report["breaches"]:
        print(f"found: {breach}")
    return 1 if report["breaches"] else 0


def as_table(report: Mapping[str, Any]) -> str:
    """Return a report as the lines that the command prints."""
    lines = [f"{'request':<12}{'status':<20}{'count':>8}"]
    lines += [f"{kind:<12}{status:<20}{count:>8}" for kind, status, count in report["ends"]]
    lines.append(f"{'process':<14}{'pid':>8}{'life s':>8}{'last MB':>9}{'growth %':>10}")
    for name, pid, life_s, last_mb, growth in report["processes"]:
        shown = "too short" if growth is None else f"{growth * 100:+.1f}"
        lines.append(f"{name:<14}{pid:>8}{life_s:>8.0f}{last_mb:>9.0f}{shown:>10}")
    lines.append(f"gateway, file descriptors and threads: {report['holdings']}")
    return "\n".join(lines)


def _soak(soak: Soak) -> dict[str, Any]:
    soak.logs.mkdir(parents=True, exist_ok=True)
    mix = Mix(sorted(soak.samples.glob("*.jpg")), soak.seed)
    ledger, census = Ledger(), Census()
    breaches: list[str] = []
    own = {**os.environ, **free_addresses()}
    target = f"127.0.0.1:{own['PACKSHOT_PORT']}"
    with ExitStack() as outer:
        triton = outer.enter_context(ExitStack())
        serving = triton.enter_context(part("serving", own, soak.logs))
        gateway = outer.enter_context(part("gateway", own, soak.logs))
        Stack(target, (serving, gateway), own["PACKSHOT_TRITON"]).wait_until_ready()
        census.start()
        over = threading.Event()
        loading = threading.Thread(
            target=lambda: asyncio.run(load(target, mix, ledger, soak.concurrency, over.is_set))
        )
        loading.start()
        pause_s = soak.duration_s / (soak.kills + 1)
        time.sleep(pause_s)
        held = Holdings.of(gateway.process.pid)
        for number in range(1, soak.kills + 1):
            log.info("kill %d of %d: %d requests so far", number, soak.kills, ledger.sent.total())
            _kill_triton(serving)
            triton.close()
            serving = triton.enter_context(part("serving", own, soak.logs))
            time.sleep(pause_s)
        over.set()
        loading.join()
        census.stop()
        Stack(target, (serving, gateway), own["PACKSHOT_TRITON"]).wait_until_ready()
        breaches += _accounts(ledger, own["PACKSHOT_METRICS_PORT"])
        spare = Holdings(held.descriptors + _SPARE, held.threads + _SPARE)
        now = settled(gateway.process.pid, spare, _IDLE_S)
        if now.descriptors > spare.descriptors or now.threads > spare.threads:
            breaches.append(f"the gateway holds {now}, after {held} before the first kill")
    if not census.shm_prefixes:
        breaches.append("no Triton was seen, so its shared memory could not be looked for")
    if not wait_for(lambda: not shared_memory(census.shm_prefixes), _IDLE_S):
        breaches.append(f"shared memory is left: {shared_memory(census.shm_prefixes)}")
    lives = sorted(census.lives.values(), key=lambda life: life.samples[0][0])
    breaches += [
        f"{life.name} ({life.pid}) grew by {growth * 100:.1f} %"
        for life in lives
        if (growth := life.growth(soak.settle_s)) is not None and growth > soak.growth
    ]
    return {
        "minutes": soak.duration_s / 60,
        "ends": [(kind, status, count) for (kind, status), count in sorted(ledger.ended.items())],
        "processes": [_row(life, soak.settle_s) for life in lives],
        "holdings": f"{held} before the first kill, {now} at the end",
        "breaches": breaches,
    }


def _row(life: Life, settle_s: float) -> tuple[object, ...]:
    (first_s, _), (last_s, last_bytes) = life.samples[0], life.samples[-1]
    return life.name, life.pid, last_s - first_s, last_bytes / 2**20, life.growth(settle_s)


def _kill_triton(serving: ServerProcess) -> None:
    for process in psutil.Process(serving.process.pid).children(recursive=True):
        if process.name() == "tritonserver":
            os.kill(process.pid, signal.SIGKILL)
    serving.process.wait(60)


def _accounts(ledger: Ledger, metrics_port: str) -> list[str]:
    """Compare what was sent with what ended, here and by the gateway's own count."""
    breaches = [f"{what} ({count} times)" for what, count in ledger.wrong.items()]
    sent, ended = ledger.sent.total(), ledger.ended.total()
    if sent != ended:
        breaches.append(f"{sent} requests were sent and {ended} ended")
    if not any(status == "OK" for _, status in ledger.ended):
        breaches.append("nothing was rendered")
    # A request that is cancelled on its way may never reach the gateway.
    gone = ledger.ended["cancelled", "CANCELLED"]
    counted = total(f"127.0.0.1:{metrics_port}", "packshot_requests_total", method="Render")
    if not sent - gone <= counted <= sent:
        breaches.append(f"the gateway answered {counted:g} of {sent} requests, {gone} cancelled")
    return breaches


if __name__ == "__main__":
    sys.exit(main())
