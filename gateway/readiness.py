"""Whether the gateway can serve: judged by what the default model answers, never by a port.

Triton's own health stays green after a model's process has died, so a photo's answer is the only
evidence that counts: a recent one of a caller's, or else one of a probe's.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

import numpy as np

from gateway.errors import GatewayError
from gateway.inference import InferenceServer

log = logging.getLogger(__name__)

_SHORTEST_INTERVAL_S = 0.1


class ReadinessWatch:
    """Watches the default model and reports each change.

    Args:
        inference: The inference server.
        model: The default model's name.
        interval_s: Seconds between two looks.
        probe_timeout_s: Seconds that a probe may take.
        on_change: Awaited with the new state at each change, and once at the start.
    """

    def __init__(
        self,
        inference: InferenceServer,
        model: str,
        interval_s: float,
        probe_timeout_s: float,
        on_change: Callable[[bool], Awaitable[None]],
    ) -> None:
        self._inference = inference
        self._model = model
        self._interval_s = interval_s
        self._probe_timeout_s = probe_timeout_s
        self._on_change = on_change
        self._ready: bool | None = None
        self._doubted = asyncio.Event()

    def doubt(self) -> None:
        """Look again soon: a caller's request has just found the model away."""
        self._doubted.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            doubted = self._doubted.is_set()
            self._doubted.clear()
            await self._look(must_probe=doubted)
            # However many callers doubt, there are not more than ten looks a second.
            await asyncio.sleep(min(_SHORTEST_INTERVAL_S, self._interval_s))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._doubted.wait(), self._interval_s)

    async def _look(self, *, must_probe: bool) -> None:
        start_s = time.monotonic()
        reason = ""
        if must_probe or not self._answered_since(start_s - self._interval_s):
            try:
                await self._probe()
            except GatewayError as exc:
                reason = f"{type(exc).__name__}: {exc}"
            except Exception as exc:  # the watch must outlive whatever a probe meets
                log.exception("the readiness probe failed")
                reason = type(exc).__name__
        # Callers' photos may have been answered while a busy server kept the probe waiting.
        ready = not reason or self._answered_since(start_s)
        if ready != self._ready:
            self._ready = ready
            log.log(
                logging.INFO if ready else logging.WARNING,
                "model %r %s",
                self._model,
                "answers: ready" if ready else f"does not answer: not ready ({reason})",
            )
            await self._on_change(ready)

    def _answered_since(self, moment_s: float) -> bool:
        return self._inference.last_answer_s(self._model) >= moment_s

    async def _probe(self) -> None:
        model = await self._inference.model(self._model, self._probe_timeout_s)
        black = np.zeros((1, model.input_height_px, model.input_width_px, 3), np.uint8)
        await self._inference.infer(model, black, self._probe_timeout_s)
