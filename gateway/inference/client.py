"""The gateway's one client of the inference server.

`gateway.inference.server` sends one request once. This client decides whether and how often a
request is sent: `circuits` refuse requests to a model that is away, `retries` send a request again
where that is safe, and `answer_times` learn from the answers.
"""

import asyncio
import time
from typing import Final

import numpy as np

from gateway.admission.priority import Priority
from gateway.errors import DeadlineError, InferenceUnavailableError
from gateway.inference.answer_times import AnswerTimes
from gateway.inference.circuits import Circuits
from gateway.inference.retries import Retries
from gateway.inference.server import InferenceServer, Matte, MattingModel
from imaging.types import Pixels

# The limit for a probe, however slow its model is.
LONGEST_PROBE_S: Final = 120.0


class InferenceClient:
    """Asks the inference server on behalf of callers and of the readiness watch.

    Args:
        server: The inference server.
        circuits: The circuits of its models.
        retries: Sends requests again.
        answers: Learns from the answers.

    Attributes:
        circuits: As above.
        answers: As above.
    """

    def __init__(
        self, server: InferenceServer, circuits: Circuits, retries: Retries, answers: AnswerTimes
    ) -> None:
        self._server = server
        self._retries = retries
        self.circuits = circuits
        self.answers = answers

    async def model(self, name: str, timeout_s: float) -> MattingModel:
        """Look a ready model up.

        Raises:
            ReasonedError: As `InferenceServer.model`; the server is not asked while the circuit is
                open.
        """
        with self.circuits.guard(name):
            return await self._model(name, timeout_s)

    async def models(self, timeout_s: float) -> list[MattingModel]:
        """List the matting models, whatever the circuits; raises as `InferenceServer.models`."""
        with self.circuits.guard():
            return await self._retries.run(self._server.models, timeout_s)

    async def infer(
        self,
        model: MattingModel,
        photo: Pixels,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Matte:
        """Run the network on one photo, as `InferenceServer.infer` does.

        Raises:
            ReasonedError: As `InferenceServer.infer`; the server is not asked while the circuit is
                open.
        """
        with self.circuits.guard(model.name):
            return await self._infer(model, photo, timeout_s, priority)

    async def probe(self, name: str, timeout_s: float) -> None:
        """Ask a model for a real inference, its circuit open or closed, and set the circuit by it.

        Args:
            name: The model.
            timeout_s: Seconds that the probe waits before it asks for a sign of life. It goes on
                waiting while there is one and the model does a pass within its silence limit.

        Raises:
            ReasonedError: As `InferenceServer.model` and `InferenceServer.infer`.
        """
        start_s = time.monotonic()
        try:
            await self._probe(await self._model(name, timeout_s), timeout_s)
        except (InferenceUnavailableError, DeadlineError) as exc:
            # A busy server may keep the probe waiting while it answers callers.
            if self.answers.last_s(name) < start_s:
                self.circuits.open(name, f"a probe failed: {exc}")
            raise

    async def close(self) -> None:
        """Close the connection to the server."""
        await self._server.close()

    async def _model(self, name: str, timeout_s: float) -> MattingModel:
        model = await self._retries.run(lambda left_s: self._server.model(name, left_s), timeout_s)
        self.circuits.add(name)
        return model

    async def _infer(
        self, model: MattingModel, photo: Pixels, timeout_s: float, priority: Priority
    ) -> Matte:
        start_s = time.monotonic()
        matte = await self._retries.run(
            lambda left_s: self._server.infer(model, photo, left_s, priority), timeout_s
        )
        self.answers.observe(model.name, time.monotonic() - start_s)
        self.circuits.close(model.name)
        return matte

    async def _probe(self, model: MattingModel, timeout_s: float) -> None:
        """Have a model pass a black picture, or see that it answers somebody else."""
        black = np.zeros((1, model.input_height_px, model.input_width_px, 3), np.uint8)
        start_s = time.monotonic()
        longest_s = self.answers.silence_limit_s(model.name, LONGEST_PROBE_S)
        probe = asyncio.ensure_future(self._infer(model, black, longest_s, Priority.INTERACTIVE))
        last_pass_s, passes = start_s, -1
        try:
            while not (await asyncio.wait({probe}, timeout=timeout_s))[0]:
                if self.answers.last_s(model.name) > start_s:
                    return
                pulse = await self._server.pulse(model.name, timeout_s)
                now_s = time.monotonic()
                if pulse is None:
                    raise DeadlineError(
                        f"no answer, and no sign of life, in {now_s - start_s:.1f} s"
                    )
                if passes not in (-1, pulse.passes):
                    last_pass_s = now_s
                passes = pulse.passes
                if pulse.pass_s is not None:
                    self.answers.assume(model.name, pulse.pass_s)
                if now_s - last_pass_s >= self.answers.silence_limit_s(model.name, timeout_s):
                    raise DeadlineError(f"no pass of the model in {now_s - last_pass_s:.1f} s")
            probe.result()
        finally:
            probe.cancel()
            await asyncio.gather(probe, return_exceptions=True)
