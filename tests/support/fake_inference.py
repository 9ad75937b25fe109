"""An inference server in memory, at the gateway's own seam."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from gateway.admission.priority import Priority
from gateway.errors import ModelNotFoundError
from gateway.inference.answer_times import AnswerTimes
from gateway.inference.circuits import Circuits
from gateway.inference.client import InferenceClient
from gateway.inference.model_card import ModelCard, ModelMeasure, ModelSource
from gateway.inference.retries import Retries
from gateway.inference.server import Matte, MattingModel, ModelState, Pulse, ServerState
from imaging.types import Pixels

if TYPE_CHECKING:
    from imaging.errors import ReasonedError

CARD = ModelCard(
    licence="MIT",
    network="fake",
    parameters=7,
    precision="fp32",
    training_command="none",
    seed=0,
    sources=(ModelSource("nothing", "nowhere", "MIT"),),
    measures=(ModelMeasure("photos", "iou", 0.5),),
)


class FakeInferenceServer:
    """Cuts whatever is not white; every behaviour can be set by a test.

    Attributes:
        error: Raised by every inference while it is set.
        delay_s: Seconds that every inference takes.
        known: The models there are.
        seen: The photos that the network was shown.
        priorities: How urgent each of them was.
        cancelled: How many inferences were cancelled.
        away: Whether it does not answer when asked how it is.
        loaded: What it says of its models then.
        passes: How many passes it says there were.
        pulses: How often it was asked for a sign of life.
    """

    def __init__(self) -> None:
        self.error: ReasonedError | None = None
        self.delay_s = 0.0
        self.known = [MattingModel("matte", "3", 64, 48, CARD), MattingModel("sleeping")]
        self.seen: list[Pixels] = []
        self.priorities: list[Priority] = []
        self.cancelled = 0
        self.away = False
        self.loaded = [ModelState("matte", "3", "fp32", "cpu", {1: 3, 2: 1})]
        self.passes = 0
        self.pulses = 0

    async def model(self, name: str, timeout_s: float) -> MattingModel:
        assert timeout_s > 0
        for model in self.known:
            if model.name == name and model.ready:
                return model
        raise ModelNotFoundError(f"there is no model {name!r}", field="model")

    async def models(self, timeout_s: float) -> list[MattingModel]:
        assert timeout_s > 0
        return self.known

    async def infer(
        self,
        model: MattingModel,
        photo: Pixels,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Matte:
        assert timeout_s > 0
        try:
            await asyncio.sleep(self.delay_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        self.seen.append(photo)
        self.priorities.append(priority)
        alpha = np.where(photo[0].min(axis=2) < 250, 255, 0).astype(np.uint8)
        return Matte(alpha, model.version)

    async def pulse(self, model: str, timeout_s: float) -> Pulse | None:  # noqa: ARG002
        assert timeout_s > 0
        self.pulses += 1
        return None if self.away else Pulse(self.passes, None)

    @property
    def addresses(self) -> tuple[str, ...]:
        return ("fake:1",)

    async def states(self, timeout_s: float) -> list[ServerState]:
        assert timeout_s > 0
        if self.away:
            return [ServerState("fake:1", reachable=False)]
        return [ServerState("fake:1", reachable=True, models=tuple(self.loaded))]

    async def close(self) -> None:
        """There is nothing to close."""


def client_of(
    server: FakeInferenceServer, on_retry: Callable[[bool], None] = lambda _allowed: None
) -> InferenceClient:
    """Return a client of a fake that sends requests again and whose circuits stay closed."""
    answers = AnswerTimes()
    circuits = Circuits(10_000, lambda _model, _is_open: None, answers)
    return InferenceClient(server, circuits, Retries(0.1, 10, on_retry), answers)
