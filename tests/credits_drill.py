"""Kill gateways and check that all credits add up: `python -m tests.credits_drill`.

Callers spend one key's credits as fast as they can; the gateway is killed by SIGKILL at random
moments and started again. What counts in the end: every credit is left or spent, none is held; no
success was delivered that was not paid for; and no more was paid for than was delivered and the
requests in flight at the kills.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.stack import running_aside
from gateway.accounts.database import open_engine, parse_url
from gateway.accounts.leases import LEASE_S
from gateway.accounts.migrate import migrate
from gateway.accounts.rate import RateLimit
from gateway.accounts.store import Account, KeyStore
from packshot import AsyncClient, OutOfCreditsError, PackshotError
from processes.ready import free_ports
from tests.support.pictures import encode, sample_photo
from tests.support.postgres import temporary_postgres

_CALL_TIMEOUT_S = 20.0
_PAUSE_S = 0.05
# Between two kills; a stack that delivers nothing is an error and no endless drill.
_STALLED_S = 300.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done."""

    triton: str  # gRPC address of a running Triton
    accounts: str  # URL of the database
    credits: int  # what the key starts with
    callers: int  # how many call at once
    kills: int  # how often the gateway is killed
    seed: int  # of the moments


@dataclass(slots=True)
class Report:
    """What came of it."""

    plan: Plan  # what was done
    delivered: int = 0  # successes that callers received
    # Every call's end: OK, or its status and reason
    outcomes: Counter[str] = field(default_factory=Counter)
    in_flight: list[int] = field(default_factory=list)  # calls in flight at each kill
    account: Account | None = None  # the key's account in the end
    seconds: float = 0.0  # how long it took

    def faults(self) -> list[str]:
        """Return what does not add up; empty if everything does."""
        account = self.account
        if account is None:
            return ["the key has no account"]
        left, held, spent = account.credits_left, account.credits_held, account.credits_spent
        bound = self.delivered + sum(self.in_flight)
        checks = {
            f"{held} credits are still held": held == 0,
            f"{left} left and {spent} spent are not {self.plan.credits}": (
                left + held + spent == self.plan.credits
            ),
            f"{self.delivered} delivered, but only {spent} spent": self.delivered <= spent,
            f"{spent} spent, more than the bound of {bound}": spent <= bound,
            f"{len(self.in_flight)} kills, not {self.plan.kills}": (
                len(self.in_flight) == self.plan.kills
            ),
        }
        return [fault for fault, holds in checks.items() if not holds]

    def __str__(self) -> str:
        account = self.account
        spent = account.credits_spent if account else 0
        return (
            f"{parse_url(self.plan.accounts).get_backend_name()}: {self.delivered} delivered, "
            f"{spent} spent, {spent - self.delivered} cut off by {len(self.in_flight)} kills with "
            f"{sum(self.in_flight)} calls in flight; {self.seconds:.0f} s; "
            f"{dict(sorted(self.outcomes.items()))}"
        )


async def drill(plan: Plan, folder: Path) -> Report:
    """Run the drill on one database."""
    engine = open_engine(parse_url(plan.accounts))
    await asyncio.to_thread(migrate, engine)
    keys = KeyStore(engine)
    key = keys.issue("drill", plan.credits, RateLimit(0, 1))
    report = Report(plan)
    start_s = time.monotonic()
    port, metrics_port = free_ports(2)
    command = [
        *(sys.executable, "-m", "gateway", "--triton", plan.triton, "--port", str(port)),
        *("--metrics-port", str(metrics_port), "--accounts", plan.accounts),
        *("--log-level", "WARNING", "--max-in-flight", str(2 * plan.callers)),
    ]
    crowd = _Crowd(f"127.0.0.1:{port}", str(key), plan.callers, report)
    chance = random.Random(plan.seed)  # noqa: S311  moments, not secrets
    # Spread over the credits, so that every kill meets callers who are still being served.
    moments = sorted(chance.sample(range(1, plan.credits * 9 // 10), plan.kills))
    async with crowd.calling():
        for moment in moments:
            async with _gateway(command, folder) as process:
                await crowd.until(moment)
                await asyncio.sleep(chance.uniform(0, 0.1))
                report.in_flight.append(crowd.in_flight)
                process.kill()
        async with _gateway(command, folder):
            await crowd.ended.wait()
            await _until_nothing_is_held(keys, key.key_id)
    report.account = await asyncio.to_thread(keys.find, key.key_id)
    report.seconds = time.monotonic() - start_s
    engine.dispose()
    return report


class _Crowd:
    """The callers of the drill; each calls until there is no credit and none can come back."""

    def __init__(self, target: str, api_key: str, callers: int, report: Report) -> None:
        self._target = target
        self._api_key = api_key
        self._callers = callers
        self._report = report
        self.in_flight = 0
        self.ended = asyncio.Event()
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Call for the time of a block, which waits for `ended`."""
        photo = encode(sample_photo(200, 150), "JPEG")
        async with AsyncClient(
            self._target, api_key=self._api_key, timeout_s=_CALL_TIMEOUT_S, retries=False
        ) as client:
            callers = [asyncio.create_task(self._call(client, photo)) for _ in range(self._callers)]
            try:
                yield
            finally:
                for caller in callers:
                    caller.cancel()
                await asyncio.gather(*callers, return_exceptions=True)

    async def until(self, delivered: int) -> None:
        """Wait until so many successes have been delivered, or nothing is left to deliver."""
        try:
            async with asyncio.timeout(_STALLED_S), self._changed:
                await self._changed.wait_for(
                    lambda: self._report.delivered >= delivered or self.ended.is_set()
                )
        except TimeoutError as exc:
            told = f"fewer than {delivered} successes after {_STALLED_S:g} s"
            raise RuntimeError(f"{told}: {dict(self._report.outcomes)}") from exc

    async def _call(self, client: AsyncClient, photo: bytes) -> None:
        while True:
            self.in_flight += 1
            try:
                await client.render(photo)
                outcome = "OK"
            except OutOfCreditsError as error:
                outcome = error.reason
                if error.figures["credits_held"] == "0":
                    self.ended.set()
            except PackshotError as error:
                outcome = f"{error.code.name} {error.reason}".strip()
            finally:
                self.in_flight -= 1
            self._report.outcomes[outcome] += 1
            self._report.delivered += outcome == "OK"
            async with self._changed:
                self._changed.notify_all()
            if outcome != "OK":
                await asyncio.sleep(_PAUSE_S)


@asynccontextmanager
async def _gateway(command: list[str], folder: Path) -> AsyncIterator[subprocess.Popen[bytes]]:
    with (folder / "gateway.log").open("ab") as log:
        process = await asyncio.to_thread(subprocess.Popen, command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


async def _until_nothing_is_held(keys: KeyStore, key_id: str) -> None:
    """Wait for the leases of the killed to end."""
    give_up_s = time.monotonic() + 3 * LEASE_S
    while time.monotonic() < give_up_s:
        account = await asyncio.to_thread(keys.find, key_id)
        if account and account.credits_held == 0:
            return
        await asyncio.sleep(0.2)


def main() -> int:
    """Run the drill on SQLite and on PostgreSQL; returns 1 if credits do not add up."""
    parser = argparse.ArgumentParser(prog="python -m tests.credits_drill", description=__doc__)
    parser.add_argument("--credits", type=int, default=1000)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_aside(Path(name) / "stack") as stack:
        folder = Path(name)
        # Its own gateway's Triton serves the drill's gateways.
        triton = stack.triton
        faults = []
        with temporary_postgres() as postgres:
            for accounts in (f"sqlite:///{folder}/accounts.db", postgres.url):
                plan = Plan(
                    *(triton, accounts, arguments.credits, arguments.callers),
                    *(arguments.kills, arguments.seed),
                )
                report = asyncio.run(drill(plan, folder))
                print(report, flush=True)
                faults += report.faults()
    for fault in faults:
        print(f"fault: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
