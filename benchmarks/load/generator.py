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
from typing import Any, Literal, cast

from benchmarks.load.arrivals import constant_arrivals, poisson_arrivals
from benchmarks.load.photos import Mix, Photo
from packshot import AsyncClient, OverloadedError, PackshotError

Mode = Literal["closed", "poisson", "constant"]
_CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One phase of load."""

    target: str  # the gateway's address
    mode: Mode  # closed loop, or open loop with arrivals of that kind
    concurrency: int  # requests under way in a closed loop
    rate_per_s: float  # arrivals in an open loop
    duration_s: float  # how long requests are sent
    timeout_s: float  # what a caller waits at most, from the sending
    seed: int  # of arrivals and photos
    photos: tuple[Photo, ...]  # what to send
    # What to ask for, as `AsyncClient.render` takes it
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


async def send(plan: Plan) -> Sent:
    """Carry a plan out; returns once every request has ended."""
    # Nothing here is a secret.
    rng = random.Random(plan.seed)  # noqa: S311
    mix = Mix(plan.photos, random.Random(plan.seed + 1))  # noqa: S311
    async with AsyncClient(plan.target, timeout_s=plan.timeout_s, retries=False) as client:
        # The connection is made before the clock starts.
        await client.healthy(timeout_s=_CONNECT_TIMEOUT_S)
        phase = _Phase(client, mix, plan.options)
        cpu_start_s = time.process_time()
        if plan.mode == "closed":
            await phase.closed_loop(plan.concurrency, plan.duration_s)
        elif plan.mode == "poisson":
            await phase.open_loop(poisson_arrivals(plan.rate_per_s, plan.duration_s, rng))
        else:
            await phase.open_loop(constant_arrivals(plan.rate_per_s, plan.duration_s))
        cpu_s = time.process_time() - cpu_start_s
    return Sent(sorted(phase.samples, key=lambda sample: sample.due_s), cpu_s)


class _Phase:
    """A phase under way; its clock starts with it."""

    def __init__(self, client: AsyncClient, mix: Mix, options: Mapping[str, Any]) -> None:
        self.samples: list[Sample] = []
        self._client, self._mix, self._options = client, mix, options
        self._start_s = time.perf_counter()

    def _now_s(self) -> float:
        return time.perf_counter() - self._start_s

    async def closed_loop(self, concurrency: int, duration_s: float) -> None:
        async def keep_asking() -> None:
            while (now_s := self._now_s()) < duration_s:
                retry_after_s = await self._ask(now_s)
                await asyncio.sleep(retry_after_s)

        await asyncio.gather(*(keep_asking() for _ in range(concurrency)))

    async def open_loop(self, arrivals: Iterator[float]) -> None:
        async with asyncio.TaskGroup() as asked:
            for due_s in arrivals:
                await asyncio.sleep(max(0.0, due_s - self._now_s()))
                asked.create_task(self._ask(due_s))

    async def _ask(self, due_s: float) -> float:
        """Send one photo; returns how long its caller is told to wait before the next."""
        photo, retry_after_s, stages_s = self._mix.draw(), 0.0, {}
        sent_s = self._now_s()
        try:
            shot = await self._client.render(photo, **cast("Any", self._options))
            status, stages_s = "OK", shot.stages_s
        except OverloadedError as error:
            status, retry_after_s = error.code.name, error.retry_after_s or 0.0
        except PackshotError as error:
            # A photo without a product is an answer; it cost what every photo costs.
            status = "OK" if error.reason == "NO_FOREGROUND" else error.code.name
        self.samples.append(Sample(due_s, sent_s, self._now_s(), status, stages_s))
        return retry_after_s


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(send(Plan.from_json(sys.stdin.read()))).to_json())
