"""A caller among pods: renders one photo after the other by gRPC and by HTTP until SIGTERM.

python -m tests.support.pod_caller GRPC_TARGET HTTP_ADDRESS RESULT

It writes to RESULT, as JSON, how many answers there were by each way, and every failure; anew after
each, so that one may look on.
"""

import asyncio
import json
import signal
import sys
import urllib.error
import urllib.request
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
        self._found: dict[str, dict[str, list[str] | int]] = {
            "grpc": {"answered": 0, "failed": []},
            "http": {"answered": 0, "failed": []},
        }

    def count(self, way: str, failure: str | None) -> None:
        found = self._found[way]
        if failure is None:
            assert isinstance(found["answered"], int)
            found["answered"] += 1
        else:
            assert isinstance(found["failed"], list)
            found["failed"].append(failure)
        unfinished = self._result.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(self._found))
        unfinished.replace(self._result)


def _post(address: str) -> str | None:
    request = urllib.request.Request(
        f"http://{address}/v1.0/removebg",
        data=_FORM,
        headers={"content-type": f"multipart/form-data; boundary={_BOUNDARY.decode()}"},
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
        tally.count("http", await asyncio.to_thread(_post, address))
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
