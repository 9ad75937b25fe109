"""The process that sends: `python -m benchmarks.load.generator`, a plan in, samples out.

It is a process of its own so that neither the servers nor the measuring take its event loop's time.
An open loop's latency counts from the moment at which a request was due, not from when it was sent:
where the generator or the service falls behind, the wait is in the figures instead of being left
out (G. Tene's "coordinated omission"). How late requests were sent is in the samples as well.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from benchmarks.load.callers import CALLERS, Ask, Protocol
from benchmarks.load.photos import Mix, Photo

Mode = Literal["closed", "poisson", "constant"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One phase of load."""

    target: str  # the server's address
    photos: tuple[Photo, ...]  # what to send
    duration_s: float  # how long requests are sent
    mode: Mode = "closed"  # closed loop, or open loop with arrivals of that kind
    concurrency: int = 1  # requests under way in a closed loop
    rate_per_s: float = 0.0  # arrivals in an open loop
    least_answers: int = 0  # a closed loop goes on until it has so many
    timeout_s: float = 10.0  # what a caller waits at most, from the sending
    seed: int = 1  # of arrivals and photos
    protocol: Protocol = "packshot"  # how the server is asked
    bulk_share: float = 0.0  # of the requests are bulk work; of Packshot alone
    # What is asked for, in the words of the protocol's caller
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write the plan."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read what `to_json` wrote."""
        values = json.loads(text)
        return cls(**{**values, "photos": tuple(Photo(**photo) for photo in values["photos"])})


@dataclass(frozen=True, slots=True)
class Sample:
    """One request; moments in seconds from the phase's start."""

    due_s: float  # when it was to be sent; in a closed loop, when it was
    sent_s: float  # when it was sent
    done_s: float  # when its answer was there
    status: str  # the answer's gRPC status
    stages_s: Mapping[str, float]  # the reply's times; empty without a reply
    is_bulk: bool = False  # whether it was bulk work


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a plan."""

    samples: list[Sample]  # every request, in the order in which they were due
    cpu_s: float  # processor time that the generator took

    def to_json(self) -> str:
        """Write it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Sent":
        """Read what `to_json` wrote."""
        values = json.loads(text)
        return cls([Sample(**sample) for sample in values["samples"]], values["cpu_s"])


def constant_arrivals(rate_per_s: float, duration_s: float) -> Iterator[float]:
    """Yield moments at equal distances, in seconds from the start."""
    for number in range(int(rate_per_s * duration_s)):
        yield number / rate_per_s


def poisson_arrivals(rate_per_s: float, duration_s: float, rng: random.Random) -> Iterator[float]:
    """Yield the moments of a Poisson process, as independent callers make it."""
    due_s = 0.0
    while (due_s := due_s + rng.expovariate(rate_per_s)) < duration_s:
        yield due_s


async def send(plan: Plan) -> Sent:
    """Carry a plan out; returns once every request has ended."""
    # Nothing here is a secret.
    rng = random.Random(plan.seed)  # noqa: S311
    mix = Mix(plan.photos, random.Random(plan.seed + 1))  # noqa: S311
    priorities = random.Random(plan.seed + 2)  # noqa: S311
    async with CALLERS[plan.protocol](plan.target, plan.timeout_s, plan.options) as ask:
        phase = _Phase(ask, mix, plan.bulk_share, priorities)
        cpu_start_s = time.process_time()
        if plan.mode == "closed":
            await phase.closed_loop(plan.concurrency, plan.duration_s, plan.least_answers)
        elif plan.mode == "poisson":
            await phase.open_loop(poisson_arrivals(plan.rate_per_s, plan.duration_s, rng))
        else:
            await phase.open_loop(constant_arrivals(plan.rate_per_s, plan.duration_s))
        cpu_s = time.process_time() - cpu_start_s
    return Sent(sorted(phase.samples, key=lambda sample: sample.due_s), cpu_s)


class _Phase:
    """A phase under way; its clock starts with it."""

    def __init__(self, ask: Ask, mix: Mix, bulk_share: float, rng: random.Random) -> None:
        self.samples: list[Sample] = []
        self._ask, self._mix = ask, mix
        self._bulk_share, self._rng = bulk_share, rng
        self._start_s = time.perf_counter()

    def _now_s(self) -> float:
        return time.perf_counter() - self._start_s

    async def closed_loop(self, concurrency: int, duration_s: float, least_answers: int) -> None:
        async def keep_asking() -> None:
            while (now_s := self._now_s()) < duration_s or len(self.samples) < least_answers:
                retry_after_s = await self._send(now_s)
                await asyncio.sleep(retry_after_s)

        await asyncio.gather(*(keep_asking() for _ in range(concurrency)))

    async def open_loop(self, arrivals: Iterator[float]) -> None:
        async with asyncio.TaskGroup() as asked:
            for due_s in arrivals:
                await asyncio.sleep(max(0.0, due_s - self._now_s()))
                asked.create_task(self._send(due_s))

    async def _send(self, due_s: float) -> float:
        """Send one photo; returns how long its caller is told to wait before the next."""
        is_bulk = self._rng.random() < self._bulk_share
        photo, sent_s = self._mix.draw(), self._now_s()
        answer = await self._ask(photo, **({"priority": "bulk"} if is_bulk else {}))
        told = (self._now_s(), answer.status, answer.stages_s, is_bulk)
        self.samples.append(Sample(due_s, sent_s, *told))
        return answer.retry_after_s


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(send(Plan.from_json(sys.stdin.read()))).to_json())
