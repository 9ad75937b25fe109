"""Client of the Packshot service: product photos in, packshots out.

    from packshot import Client

    with Client("localhost:50051") as client:
        client.render("shoe.jpg", square=True).save("shoe-packshot.jpg")

`RenderOptions` documents what `render` takes, `Security` how a client uses TLS and an API key.
`AsyncClient` is the same for asyncio. Errors are subclasses of `PackshotError`.
"""

from packshot._account import Account
from packshot._answer import Box, Check, Packshot, Preset, Sides, Verdict
from packshot._async_client import AsyncClient
from packshot._client import Client
from packshot._errors import (
    CallCancelledError,
    DeadlineExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    NoForegroundError,
    OutOfCreditsError,
    OverloadedError,
    PackshotError,
    RateLimitedError,
    ServiceError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)
from packshot._many import Order, Rendered
from packshot._models import Model, ModelCard, ModelSource
from packshot._options import (
    BackgroundPicture,
    Blur,
    LinearGradient,
    RadialGradient,
    RenderOptions,
    Scene,
)
from packshot._security import Security

__all__ = [
    "Account",
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
    "Order",
    "OutOfCreditsError",
    "OverloadedError",
    "Packshot",
    "PackshotError",
    "Preset",
    "RadialGradient",
    "RateLimitedError",
    "RenderOptions",
    "Rendered",
    "Scene",
    "Security",
    "ServiceError",
    "Sides",
    "UnauthenticatedError",
    "UnavailableError",
    "UnsupportedError",
    "Verdict",
]
