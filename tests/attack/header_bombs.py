"""Files whose headers take as much time or memory as their author can make them."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import cache

from packshot import BackgroundPicture, Client, PackshotError
from tests.attack.target import Target
from tests.support import claims
from tests.support.pictures import encode, product_photo

# Below the limit of a photo's bytes and, twice, of a message's, so that both are met.
_BELOW, _ABOVE = 30 * 2**20, 60 * 2**20
_THREADS = 3


def _strips(size_bytes: int) -> bytes:
    """Return a TIFF file of as many strips as its tags have room for."""
    count = size_bytes // 8
    more = [
        (257, claims.LONG, 1, count),
        (273, claims.LONG, count, 200),
        (279, claims.LONG, count, 200),
    ]
    return claims.claiming_tiff(1, count, *more[1:]) + bytes(size_bytes - 2000)


def _filling(size_bytes: int) -> bytes:
    return encode(product_photo(), "JPEG")[:3] + b"\xff" * size_bytes + b"\0"


def _segments(size_bytes: int) -> bytes:
    data = encode(product_photo(), "JPEG")
    return data[:-2] + b"\xff\xfe\0\2" * (size_bytes // 4) + b"\xff\xda\0\2" * 200


def _png_chunks(size_bytes: int) -> bytes:
    return claims.png_of_chunks(size_bytes // 2)


def _tags(size_bytes: int) -> bytes:
    entries = [(tag, claims.BYTES, size_bytes // 2, 8) for tag in range(1000, 1400)]
    return claims.tiff([(256, claims.LONG, 1, 9), (257, claims.LONG, 1, 9), *entries]) + bytes(
        size_bytes - 10_000
    )


_BOMBS: tuple[Callable[[int], bytes], ...] = (_strips, _filling, _segments, _png_chunks, _tags)


@cache
def _bomb(make: Callable[[int], bytes], size_bytes: int) -> bytes:
    return make(size_bytes)


def attack(target: Target, seconds: float) -> str:
    """Send the files as photos and as backgrounds; return what became of them."""
    end_s = time.monotonic() + seconds
    outcomes: Counter[str] = Counter()
    kinds = [(make, size) for make in _BOMBS for size in (_BELOW, _ABOVE)]

    def send(first: int) -> None:
        photo = encode(product_photo(), "JPEG")
        with Client(
            target.address, timeout_s=20, retries=False, ca=target.ca, api_key=target.api_key
        ) as client:
            for number in itertools.count(first):
                if time.monotonic() >= end_s:
                    return
                bomb = _bomb(*kinds[number % len(kinds)])
                behind = number // len(kinds) % 2
                try:
                    if behind:
                        client.render(photo, background=BackgroundPicture(bomb))
                    else:
                        client.render(bomb)
                    outcomes["OK"] += 1
                except PackshotError as error:
                    outcomes[error.code.name] += 1

    threads = [threading.Thread(target=send, args=(3 * each,)) for each in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = ", ".join(f"{count} {code}" for code, count in sorted(outcomes.items()))
    return f"{sum(outcomes.values())} header bombs of 30 and 60 MiB: {told}"
