"""Small photos with the most costly options that a request may have, and callers who leave."""

import itertools
import threading
import time
from collections import Counter
from typing import Final, Literal

from packshot import Client, PackshotError, Scene
from tests.attack.target import Target
from tests.support.pictures import encode, sample_photo

_THREADS = 4
_SCENES: Final[tuple[Literal["marble", "fabric", "wood"], ...]] = ("marble", "fabric", "wood")
_FORMATS: Final[tuple[Literal["avif", "webp", "png", "jpeg"], ...]] = (
    "avif",
    "webp",
    "png",
    "jpeg",
)
_SIDES_PX = (8000, 4000, 3000)
# Every other request is left before it can be done.
_TIMEOUTS_S = (20.0, 1.0)


def _client(target: Target, timeout_s: float) -> Client:
    return Client(
        target.address, timeout_s=timeout_s, retries=False, ca=target.ca, api_key=target.api_key
    )


def attack(target: Target, seconds: float) -> str:
    """Ask for large scenes; return what became of the requests and how long one took."""
    photo = encode(sample_photo(900, 700), "JPEG")
    end_s = time.monotonic() + seconds
    outcomes: Counter[str] = Counter()
    longest_s = [0.0]
    kinds = list(itertools.product(_SIDES_PX, _FORMATS, _SCENES))

    def ask(first: int) -> None:
        with (
            _client(target, _TIMEOUTS_S[0]) as long_timeout,
            _client(target, _TIMEOUTS_S[1]) as short_timeout,
        ):
            for number in itertools.count(first):
                start_s = time.monotonic()
                if start_s >= end_s:
                    return
                side_px, picture_format, scene = kinds[number % len(kinds)]
                try:
                    (long_timeout, short_timeout)[number % 2].render(
                        photo,
                        background=Scene(scene),
                        format=picture_format,
                        size=(side_px, side_px),
                        quality=100,
                        max_upscale=8,
                    )
                    outcomes["OK"] += 1
                except PackshotError as error:
                    outcomes[error.code.name] += 1
                longest_s[0] = max(longest_s[0], time.monotonic() - start_s)

    threads = [threading.Thread(target=ask, args=(9 * each,)) for each in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = ", ".join(f"{count} {code}" for code, count in sorted(outcomes.items()))
    return (
        f"{sum(outcomes.values())} costly requests: {told}; the longest took {longest_s[0]:.1f} s"
    )
