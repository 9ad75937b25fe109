"""The polite caller: one photo after the other, from another address, whatever others do."""

import asyncio
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from packshot import AsyncClient, PackshotError
from tests.attack.relay import relayed
from tests.attack.target import Target
from tests.support.pictures import encode, sample_photo

ADDRESS = "127.0.0.9"
_PAUSE_S = 0.2
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Errand:
    """One photo of the polite caller.

    Attributes:
        start_s: When it was begun, on the monotonic clock.
        duration_s: How long it took.
        status: The name of its gRPC status.
    """

    start_s: float
    duration_s: float
    status: str

    @property
    def done(self) -> bool:
        """Whether its packshot came."""
        return self.status == "OK"


def run_errands(target: Target, connection: Connection) -> None:
    """Run errands until told to stop, then send what became of them; a process's own work.

    Args:
        target: The gateway.
        connection: Gets "ready" after the first errand, and a list of `Errand` after a message.
    """
    asyncio.run(_errands(target, connection))


async def _errands(target: Target, connection: Connection) -> None:
    photo = encode(sample_photo(900, 700), "JPEG", quality=90)
    errands: list[Errand] = []
    async with (
        relayed(target.address, ADDRESS) as address,
        # An ordinary client with its ordinary retries, within the time of one errand.
        AsyncClient(address, timeout_s=_TIMEOUT_S, ca=target.ca, api_key=target.api_key) as client,
    ):
        while not connection.poll(_PAUSE_S if errands else 0):
            start_s = time.monotonic()
            try:
                await client.render(photo, background="white", format="jpeg")
                status = "OK"
            except PackshotError as error:
                status = error.code.name
            errands.append(Errand(start_s, time.monotonic() - start_s, status))
            if len(errands) == 1:
                connection.send("ready")
    connection.send(errands)
