"""The interface to the inference server; `gateway.inference.triton` implements it for Triton."""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.admission.priority import Priority
from gateway.inference.model_card import ModelCard
from imaging.types import Pixels


@dataclass(frozen=True, slots=True)
class MattingModel:
    """A model that takes a photo and gives a matte.

    Attributes:
        name: Its name in the inference server.
        version: The version that answers now; empty while the model is not ready.
        input_width_px: Width at which the network sees a photo; 0 while it is not ready.
        input_height_px: Height at which the network sees a photo; 0 while it is not ready.
        card: Where it comes from, told by `InferenceServer.models` alone; None if it has no card.
    """

    name: str
    version: str = ""
    input_width_px: int = 0
    input_height_px: int = 0
    card: ModelCard | None = None

    @property
    def ready(self) -> bool:
        """Whether the model answers now."""
        return bool(self.version)


@dataclass(frozen=True, slots=True)
class Matte:
    """What the network answered.

    Attributes:
        alpha: (h, w) uint8 at the model's size, 255 product.
        model_version: The version that answered.
    """

    alpha: Pixels
    model_version: str


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model as one inference server has loaded it.

    Attributes:
        name: Its name.
        version: The version.
        precision: Numbers that it computes with, by its card; "unknown" where that does not tell.
        device: What it runs on: "cpu" or "gpu".
        passes: How many passes there were of each batch size, since it was loaded.
    """

    name: str
    version: str
    precision: str
    device: str
    passes: dict[int, int]


@dataclass(frozen=True, slots=True)
class ServerState:
    """One inference server.

    Attributes:
        address: What it is known by.
        reachable: Whether it has answered.
        models: The models that it has loaded.
    """

    address: str
    reachable: bool
    models: tuple[ModelState, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Pulse:
    """A sign of life: what inference servers say of one model at once, even while it is busy.

    Attributes:
        passes: How many passes of the model there were, of all servers that answered.
        pass_s: What one of them took in the mean, s; None before the first.
    """

    passes: int
    pass_s: float | None


class InferenceServer(Protocol):
    """An inference server with matting models, or several that serve as one."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The address of each server."""
        ...

    async def states(self, timeout_s: float) -> list[ServerState]:
        """Ask each server; one that does not answer in `timeout_s` is not reachable, no error."""
        ...

    async def model(self, name: str, timeout_s: float) -> MattingModel:
        """Look a ready model up.

        Raises:
            ModelNotFoundError: There is no such matting model.
            InferenceUnavailableError: The server or the model is away.
            DeadlineError: No answer within `timeout_s`.
        """
        ...

    async def models(self, timeout_s: float) -> list[MattingModel]:
        """List the matting models, ready or not, sorted by name.

        Raises:
            InferenceUnavailableError: The server is away.
            DeadlineError: No answer within `timeout_s`.
        """
        ...

    async def infer(
        self,
        model: MattingModel,
        photo: Pixels,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Matte:
        """Run the network on one photo; cancelling the task cancels the request in the server.

        Args:
            model: A model that `model` returned.
            photo: (1, H, W, 3) uint8 at the model's input size.
            timeout_s: Seconds for the queue and the network together.
            priority: Who goes first in the queue.

        Raises:
            InferenceUnavailableError: The server or the model is away.
            InferenceFailedError: The model failed on this photo.
            OverloadedError: The server's queue is full.
            DeadlineError: No answer within `timeout_s`.
        """
        ...

    async def pulse(self, model: str, timeout_s: float) -> Pulse | None:
        """Ask for a sign of life; None if there was none within `timeout_s`."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...
