"""More is asked than can be done: every request has one answer, and the refused know what to do."""

import asyncio
from collections import Counter
from pathlib import Path

from packshot import AsyncClient, OverloadedError, PackshotError
from tests.integration.stack.conftest import GatewayProcess
from tests.support.pictures import encode, sample_photo

PHOTO = encode(sample_photo(900, 700), "JPEG", quality=90)
_EACH = 60


async def test_a_flood_is_answered_to_the_last_request(
    client: AsyncClient, gateway: GatewayProcess
) -> None:
    refused: list[OverloadedError] = []

    async def ask(priority: str) -> str:
        try:
            await client.render(PHOTO, priority="bulk" if priority == "bulk" else "interactive")
        except OverloadedError as error:
            refused.append(error)
            return error.code.name
        except PackshotError as error:
            return error.code.name
        return "OK"

    for _ in range(20):  # what a photo takes must be known before it can be foretold
        assert await ask("interactive") == "OK"
    asked = [ask(priority) for _ in range(_EACH) for priority in ("interactive", "bulk")]
    statuses = Counter(await asyncio.gather(*asked))
    print(statuses)
    assert statuses.total() == 2 * _EACH
    assert set(statuses) <= {"OK", "RESOURCE_EXHAUSTED"}
    assert statuses["OK"] >= 4
    assert refused
    for error in refused:
        assert error.reason == "OVERLOADED"
        assert error.retry_after_s is not None
        assert error.retry_after_s > 0
        assert error.figures["bound"] in {"requests", "bytes", "pixels", "receiving", "wait"}
    assert gateway.is_ready()


async def test_many_photos_share_a_call_and_none_is_refused_for_want_of_room(
    client: AsyncClient, tmp_path: Path
) -> None:
    photos: list[bytes | Path] = [PHOTO, b"no photo"] * 15
    (tmp_path / "photo.jpg").write_bytes(PHOTO)
    photos.append(tmp_path / "photo.jpg")
    found = [each async for each in client.render_many(photos, format="jpeg")]
    assert sorted(each.index for each in found) == list(range(31))
    for each in found:
        if photos[each.index] == b"no photo":
            assert each.error is not None
            assert each.error.reason == "INVALID_PHOTO"
        else:
            assert each.packshot is not None, each.error
