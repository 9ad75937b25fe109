"""Client of the Packshot service: product photos in, packshots out.

    from packshot import Client

    with Client("localhost:50051") as client:
        client.render("shoe.jpg", square=True).save("shoe-packshot.jpg")

`AsyncClient` is the same for asyncio. Errors are subclasses of `PackshotError`.
"""

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
from packshot._messages import Box, Model, Packshot

__all__ = [
    "AsyncClient",
    "Box",
    "CallCancelledError",
    "Client",
    "DeadlineExceededError",
    "InvalidRequestError",
    "Model",
    "ModelNotFoundError",
    "NoForegroundError",
    "OverloadedError",
    "Packshot",
    "PackshotError",
    "ServiceError",
    "UnavailableError",
]
