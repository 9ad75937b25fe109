"""One caller asks for the largest scenes on many threads at once."""

import threading
import time
from collections import Counter
from typing import Final

from packshot import Client, PackshotError, Scene
from packshot._options import SceneName
from tests.attack.target import Target
from tests.support.pictures import encode, sample_photo

THREADS: Final = 12
SIDE_PX: Final = 4000
_SCENES: Final[tuple[SceneName, ...]] = ("marble", "wood", "fabric", "podium")
# Short, so that the attack ends soon after its time; it asks again at once.
_TIMEOUT_S: Final = 15.0


def attack(target: Target, seconds: float) -> str:
    """Ask for scenes of 4000 x 4000 pixels on 12 threads, each again as soon as it is answered."""
    photo = encode(sample_photo(400, 300), "JPEG", quality=90)
    outcomes: Counter[str] = Counter()
    end_s = time.monotonic() + seconds

    def ask(number: int, client: Client) -> None:
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                client.render(
                    photo,
                    background=Scene(_SCENES[number % len(_SCENES)], seed=number),
                    size=(SIDE_PX, SIDE_PX),
                    max_upscale=8,
                    timeout_s=min(_TIMEOUT_S, left_s + 1),
                )
                outcomes["OK"] += 1
            except PackshotError as error:
                outcomes[error.code.name] += 1
                # A refusal is answered within milliseconds: without a pause it is a flood of calls.
                time.sleep(0.01)

    with Client(target.address, retries=False, ca=target.ca, api_key=target.api_key) as client:
        threads = [threading.Thread(target=ask, args=(each, client)) for each in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    answers = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    return f"{THREADS} threads asked for scenes of {SIDE_PX} x {SIDE_PX} pixels: {answers}"
