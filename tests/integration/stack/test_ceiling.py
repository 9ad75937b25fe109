"""The gateway's memory stays below the ceiling that its settings give."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from gateway.config import GatewayConfig
from packshot import AsyncClient, PackshotError
from tests.integration.processes import Triton
from tests.integration.stack.conftest import launch_gateway
from tests.support.pictures import decode, encode

pytestmark = pytest.mark.integration

# Low bounds, so that the ceiling is near.
BOUNDS = {
    "max_photo_bytes": 4 * 2**20,
    "max_photo_pixels": 6_000_000,
    "max_bytes_in_flight": 8 * 2**20,
    "max_pixels_in_flight": 24_000_000,
    "max_receiving": 4,
    "max_streams": 4,
}
LOOKS: tuple[dict[str, Any], ...] = (
    {},
    {"background": "transparent", "format": "webp"},
    {"size": 2400, "format": "avif"},
    {"background": "blur", "shadow": "contact", "reflection": 0.5, "format": "png"},
)


async def test_photos_at_every_bound_stay_below_the_ceiling(
    triton: Triton, samples: list[Path], tmp_path: Path
) -> None:
    environ = {f"PACKSHOT_{name.upper()}": str(value) for name, value in BOUNDS.items()}
    gateway = launch_gateway(triton, tmp_path / "gateway.log", environ=environ)
    ceiling = GatewayConfig(**BOUNDS).memory_ceiling_bytes  # type: ignore[arg-type]
    photos = [
        encode(np.asarray(decode(path.read_bytes()).resize((2400, 2400))), "JPEG", quality=90)
        for path in samples
    ]
    outcomes: Counter[str] = Counter()
    most = 0
    with gateway.process:
        gateway.process.wait_until(gateway.is_ready)
        process = psutil.Process(gateway.process.pid)
        async with AsyncClient(gateway.target, timeout_s=60, retries=False) as client:

            async def keep_asking(number: int) -> None:
                for photo in photos:
                    try:
                        await client.render(photo, **LOOKS[number % len(LOOKS)])
                        outcomes["OK"] += 1
                    except PackshotError as error:
                        outcomes[error.code.name] += 1

            asked = asyncio.gather(*map(keep_asking, range(8)))
            while not asked.done():
                most = max(most, process.memory_info().rss)
                await asyncio.sleep(0.02)
            await asked
    print(f"most {most / 2**20:.0f} MiB of {ceiling / 2**20:.0f} MiB; {outcomes}")
    assert outcomes["OK"]
    assert outcomes["RESOURCE_EXHAUSTED"]
    assert set(outcomes) <= {"OK", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"}
    assert most < ceiling
