"""Client of the Packshot service: product photos in, packshots out.

    from packshot import Client

    with Client("localhost:50051") as client:
        client.render("shoe.jpg", square=True).save("shoe-packshot.jpg")

`RenderOptions` documents what `render` takes. `AsyncClient` is the same for asyncio. Errors are
subclasses of `PackshotError`.
"""

from packshot._answer import Box, Check, Packshot, Preset, Sides, Verdict
from packshot._client import AsyncClient, Client
from packshot._errors import (
    CallCancelledError,
    DeadlineExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    NoForegroundError,
    OverloadedError,
    PackshotError,
    ServiceError,
    UnavailableError,
)
from packshot._models import Model, ModelCard, ModelSource
from packshot._options import (
    BackgroundPicture,
    Blur,
    LinearGradient,
    RadialGradient,
    RenderOptions,
    Scene,
)

__all__ = [
    "AsyncClient",
    "BackgroundPicture",
    "Blur",
    "Box",
    "CallCancelledError",
    "Check",
    "Client",
    "DeadlineExceededError",
    "InvalidRequestError",
    "LinearGradient",
    "Model",
    "ModelCard",
    "ModelNotFoundError",
    "ModelSource",
    "NoForegroundError",
    "OverloadedError",
    "Packshot",
    "PackshotError",
    "Preset",
    "RadialGradient",
    "RenderOptions",
    "Scene",
    "ServiceError",
    "Sides",
    "UnavailableError",
    "Verdict",
]
