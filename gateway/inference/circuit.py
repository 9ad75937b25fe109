"""The circuit before the inference server: a model that does not answer costs nobody a wait.

A circuit per model. It opens when so many calls in a row have failed as they fail when Triton or
the model is away, or when a probe has; while it is open, callers hear UNAVAILABLE at once. Only an
answer closes it: a probe's, which `gateway.inference.readiness` sends, or a late one to an earlier
caller. So it is never a caller's photo that finds out whether a hung model is back.

A model that is slow, or has much to do, is not away. How long nothing may be heard of a model
follows its own pace (`gateway.inference.model_pace`). While a probe waits, Triton is asked for a
sign of life, which a hung one does not give.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import numpy as np

from gateway.admission.priority import Priority
from gateway.errors import DeadlineError, InferenceUnavailableError
from gateway.inference.model_pace import ModelPaces
from gateway.inference.server import InferenceServer, Matte, MattingModel, Pulse
from imaging.types import Pixels

T = TypeVar("T")

log = logging.getLogger(__name__)

# A deadline that comes sooner says more about the caller than about the model.
_PATIENCE_S = 0.5

# What a probe may take at most, however slow its model is.
LONGEST_PROBE_S = 120.0


class CircuitBreaker:
    """An inference server with a circuit before each model; implements `InferenceServer`.

    Args:
        inference: The inference server behind it.
        failures_to_open: Failures in a row that open a circuit.
        on_change: Called with a model and whether its circuit is open now.
        paces: Learn from the answers how long a pass of each model takes.
    """

    def __init__(
        self,
        inference: InferenceServer,
        failures_to_open: int,
        on_change: Callable[[str, bool], None],
        paces: ModelPaces,
    ) -> None:
        self._inference = inference
        self._failures_to_open = failures_to_open
        self._on_change = on_change
        self._paces = paces
        # Models that have been there: a name that a caller made up gets no circuit.
        self._failures: dict[str, int] = {}
        self._open: set[str] = set()

    @property
    def open_models(self) -> frozenset[str]:
        """The models whose circuit is open."""
        return frozenset(self._open)

    async def model(self, name: str, timeout_s: float) -> MattingModel:
        """Look a ready model up, if its circuit is closed."""
        self._check(name)
        model = await self._watched(name, self._inference.model(name, timeout_s))
        self._failures.setdefault(name, 0)
        return model

    async def models(self, timeout_s: float) -> list[MattingModel]:
        """List the matting models, whatever the circuits."""
        return await self._inference.models(timeout_s)

    async def infer(
        self,
        model: MattingModel,
        photo: Pixels,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Matte:
        """Run the network on one photo, if the model's circuit is closed."""
        self._check(model.name)
        start_s = time.monotonic()
        answer = self._inference.infer(model, photo, timeout_s, priority)
        matte = await self._watched(model.name, answer)
        self._answered(model.name, time.monotonic() - start_s)
        return matte

    async def probe(self, name: str, timeout_s: float) -> None:
        """Ask a model for a real inference, its circuit open or closed; the answer decides on it.

        Args:
            name: The model.
            timeout_s: How long the probe waits before it asks for a sign of life, s. It goes on
                waiting while there is one, and has been a pass within the model's own patience.

        Raises:
            GatewayError: As `InferenceServer.model` and `InferenceServer.infer` do.
        """
        start_s = time.monotonic()
        try:
            model = await self._inference.model(name, timeout_s)
            self._failures.setdefault(name, 0)
            await self._pass(model, timeout_s)
        except (InferenceUnavailableError, DeadlineError) as exc:
            # A busy server may keep the probe waiting while it answers callers.
            if name in self._failures and self.last_answer_s(name) < start_s:
                self._trip(name, f"a probe failed: {exc}")
            raise

    async def pulse(self, model: str, timeout_s: float) -> Pulse | None:
        """Ask for a sign of life, whatever the circuits."""
        return await self._inference.pulse(model, timeout_s)

    def last_answer_s(self, model: str) -> float:
        """Return the `time.monotonic()` of a model's last matte."""
        return self._inference.last_answer_s(model)

    async def close(self) -> None:
        """Close the connection of the server behind."""
        await self._inference.close()

    async def _pass(self, model: MattingModel, timeout_s: float) -> None:
        """Have a model pass a black picture, or see that it answers somebody else."""
        black = np.zeros((1, model.input_height_px, model.input_width_px, 3), np.uint8)
        start_s = time.monotonic()
        longest_s = self._paces.patience_s(model.name, LONGEST_PROBE_S)
        probe = asyncio.ensure_future(self._inference.infer(model, black, longest_s))
        moved_s, passes = start_s, -1
        try:
            while not (await asyncio.wait({probe}, timeout=timeout_s))[0]:
                if self.last_answer_s(model.name) > start_s:
                    return
                pulse = await self._inference.pulse(model.name, timeout_s)
                now_s = time.monotonic()
                if pulse is None:
                    raise DeadlineError(
                        f"no answer, and no sign of life, in {now_s - start_s:.1f} s"
                    )
                if passes not in (-1, pulse.passes):
                    moved_s = now_s
                passes = pulse.passes
                if pulse.pass_s is not None:
                    self._paces.tell(model.name, pulse.pass_s)
                if now_s - moved_s >= self._paces.patience_s(model.name, timeout_s):
                    raise DeadlineError(f"no pass of the model in {now_s - moved_s:.1f} s")
            probe.result()
            self._answered(model.name, time.monotonic() - start_s)
        finally:
            probe.cancel()
            await asyncio.gather(probe, return_exceptions=True)

    def _check(self, model: str) -> None:
        if model in self._open:
            raise InferenceUnavailableError(f"model {model!r} does not answer at present")

    async def _watched(self, model: str, call: Awaitable[T]) -> T:
        start_s = time.monotonic()
        try:
            return await call
        except InferenceUnavailableError as exc:
            self._failed(model, exc)
            raise
        except DeadlineError as exc:
            hung = self.last_answer_s(model) < start_s
            patience_s = self._paces.patience_s(model, _PATIENCE_S)
            if hung and time.monotonic() - start_s >= patience_s:
                self._failed(model, exc)
            raise

    def _failed(self, model: str, exc: Exception) -> None:
        if model not in self._failures:
            return
        self._failures[model] += 1
        if self._failures[model] >= self._failures_to_open:
            self._trip(model, f"{self._failures[model]} failures in a row, the last: {exc}")

    def _trip(self, model: str, reason: str) -> None:
        if model not in self._open:
            self._open.add(model)
            log.warning("circuit of model %r opens: %s", model, reason)
            self._on_change(model, True)  # noqa: FBT003  a state, no switch

    def _answered(self, model: str, took_s: float) -> None:
        self._paces.note(model, took_s)
        self._failures[model] = 0
        if model in self._open:
            self._open.remove(model)
            log.info("circuit of model %r closes: it answers", model)
            self._on_change(model, False)  # noqa: FBT003  a state, no switch
