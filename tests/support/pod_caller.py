"""A caller among pods: renders one photo after the other by gRPC and by HTTP until SIGTERM.

python -m tests.support.pod_caller GRPC_TARGET HTTP_ADDRESS RESULT

It writes to RESULT, as JSON, how many answers there were by each way, and how many failures of each
kind; anew after each, so that one may look on.
"""

import asyncio
import json
import signal
import sys
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

from packshot import AsyncClient, PackshotError
from tests.support.pictures import encode, product_photo

_PHOTO = encode(product_photo(), "JPEG")
_BOUNDARY = b"a-photo-ends-here"
_HEAD = b"content-disposition: form-data; name=image_file; filename=a.jpg"
_FORM = b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (_BOUNDARY, _HEAD, _PHOTO, _BOUNDARY)


class _Tally:
    def __init__(self, result: Path) -> None:
        self._result = result
        self._answered = {"grpc": 0, "http": 0}
        self._failed: dict[str, Counter[str]] = {"grpc": Counter(), "http": Counter()}

    def count(self, way: str, failure: str | None) -> None:
        if failure is None:
            self._answered[way] += 1
        else:
            self._failed[way][failure] += 1
        found = {
            each: {"answered": self._answered[each], "failed": self._failed[each]}
            for each in self._answered
        }
        unfinished = self._result.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(found))
        unfinished.replace(self._result)


def post(address: str, key: str = "") -> str | None:
    """Ask a face for a packshot, with an API key or without; returns the failure, None: none."""
    request = urllib.request.Request(
        f"http://{address}/v1.0/removebg",
        data=_FORM,
        headers={
            "content-type": f"multipart/form-data; boundary={_BOUNDARY.decode()}",
            "x-api-key": key,
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            answer.read()
            return None
    except urllib.error.HTTPError as exc:
        return f"{exc.code}: {exc.read()[:300]!r}"
    except (OSError, urllib.error.URLError) as exc:
        return repr(exc)


async def _call(target: str, tally: _Tally, over: asyncio.Event) -> None:
    async with AsyncClient(target, timeout_s=60) as client:
        while not over.is_set():
            try:
                await client.render(_PHOTO)
                tally.count("grpc", None)
            except PackshotError as exc:
                tally.count("grpc", repr(exc))
            await asyncio.sleep(0.05)


async def _ask(address: str, tally: _Tally, over: asyncio.Event) -> None:
    while not over.is_set():
        tally.count("http", await asyncio.to_thread(post, address))
        await asyncio.sleep(0.05)


async def _run(target: str, address: str, result: Path) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    tally = _Tally(result)
    await asyncio.gather(
        _call(target, tally, over), _call(target, tally, over), _ask(address, tally, over)
    )


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
