"""One caller asks for renders on many threads and gives each up as soon as it is under way."""

import asyncio
import random
import time
from collections import Counter
from typing import Final

from packshot import AsyncClient, PackshotError, Scene
from tests.attack.target import Target
from tests.support.pictures import encode, sample_photo

CALLS: Final = 24
# From "still received" to "being composed", on a machine of two cores.
_LEAST_S: Final = 0.02
_MOST_S: Final = 0.6


def attack(target: Target, seconds: float) -> str:
    """Keep 24 calls open; each is cancelled 0.02 to 0.6 s after its beginning."""
    return asyncio.run(_attack(target, seconds))


async def _attack(target: Target, seconds: float) -> str:
    photo = encode(sample_photo(2400, 1800), "JPEG", quality=90)
    outcomes: Counter[str] = Counter()
    end_s = time.monotonic() + seconds

    async def give_up(client: AsyncClient, chance: random.Random) -> None:
        while time.monotonic() < end_s:
            call = asyncio.ensure_future(client.render(photo, background=Scene("marble")))
            done, _ = await asyncio.wait({call}, timeout=chance.uniform(_LEAST_S, _MOST_S))
            if not done:
                call.cancel()
                await asyncio.wait({call})
                outcomes["cancelled"] += 1
                continue
            try:
                call.result()
                outcomes["OK"] += 1
            except PackshotError as error:
                outcomes[error.code.name] += 1
                # A refusal is answered within milliseconds.
                await asyncio.sleep(0.01)

    client = AsyncClient(
        target.address, retries=False, timeout_s=10, ca=target.ca, api_key=target.api_key
    )
    async with client, asyncio.TaskGroup() as group:
        for number in range(CALLS):
            group.create_task(give_up(client, random.Random(number)))  # noqa: S311  no secret
    answers = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    return f"{CALLS} calls at a time, each given up within {_MOST_S:g} s: {answers}"
