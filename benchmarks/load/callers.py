"""The ways to ask a server for one photo: Packshot's gateway, an HTTP server, Triton's tensors."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, cast

import httpx
import numpy as np
from PIL import Image
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from export.tensor_names import MATTE, PHOTO
from packshot import AsyncClient, OverloadedError, PackshotError

Protocol = Literal["packshot", "http", "triton"]
_CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: str  # OK; else the gRPC status, or what an HTTP server said
    content: bytes = b""  # a picture, or a matte
    # What each stage took inside the service, where it says so
    stages_s: Mapping[str, float] = field(default_factory=dict)
    retry_after_s: float = 0.0  # how long its caller is told to wait before the next


# Takes a photo, and where it is Packshot that is asked also options beside those of all photos.
Ask = Callable[..., Awaitable[Answer]]


@asynccontextmanager
async def _packshot(
    target: str, timeout_s: float, options: Mapping[str, Any]
) -> AsyncIterator[Ask]:
    """Render by a gateway at `HOST:PORT`; the options are `AsyncClient.render`'s."""

    async def ask(photo: bytes, **more: Any) -> Answer:
        try:
            shot = await client.render(photo, **cast("Any", {**options, **more}))
        except OverloadedError as error:
            return Answer(error.code.name, retry_after_s=error.retry_after_s or 0.0)
        except PackshotError as error:
            # A photo without a product is an answer; it cost what every photo costs.
            return Answer("OK" if error.reason == "NO_FOREGROUND" else error.code.name)
        return Answer("OK", shot.picture, shot.stages_s)

    async with AsyncClient(target, timeout_s=timeout_s, retries=False) as client:
        # The connection is made before the clock starts.
        await client.healthy(timeout_s=_CONNECT_TIMEOUT_S)
        yield ask


@asynccontextmanager
async def _http(target: str, timeout_s: float, options: Mapping[str, Any]) -> AsyncIterator[Ask]:
    """Post to a URL: the file as the body, or as `file_field` of a form with the other `fields`."""

    async def ask(photo: bytes) -> Answer:
        if name := options.get("file_field"):
            files = {name: ("photo.jpg", photo, "image/jpeg")}
            posted = client.post(target, files=files, data=options.get("fields"))
        else:
            posted = client.post(target, content=photo, headers={"Content-Type": "image/jpeg"})
        try:
            response = await posted
        except httpx.HTTPError as error:
            return Answer(repr(error))
        if response.is_success:
            return Answer("OK", response.content)
        return Answer(f"HTTP {response.status_code}: {response.text[:200]!r}")

    async with httpx.AsyncClient(timeout=timeout_s, trust_env=False) as client:
        yield ask


@asynccontextmanager
async def _triton(target: str, timeout_s: float, options: Mapping[str, Any]) -> AsyncIterator[Ask]:
    """Send tensors of `side_px` to `model` and take mattes: no codec, no composing."""

    @cache
    def tensor_of(photo: bytes) -> InferInput:
        tensor = InferInput(PHOTO, [1, side_px, side_px, 3], "UINT8")
        with Image.open(io.BytesIO(photo)) as opened:
            scaled = opened.convert("RGB").resize((side_px, side_px))
        return tensor.set_data_from_numpy(np.asarray(scaled)[None])

    async def ask(photo: bytes) -> Answer:
        try:
            result = await client.infer(model, [tensor_of(photo)], client_timeout=timeout_s)
        except InferenceServerException as error:
            return Answer(str(error))
        return Answer("OK", result.as_numpy(MATTE).tobytes())

    model, side_px = options["model"], options["side_px"]
    async with InferenceServerClient(target) as client:
        yield ask


CALLERS: Final[Mapping[Protocol, Callable[..., AbstractAsyncContextManager[Ask]]]] = {
    "packshot": _packshot,
    "http": _http,
    "triton": _triton,
}
