"""Whether the gateway can serve: judged by what the default model answers, never by a port.

Triton's own health check still passes after a model's process has died. So only an answer to a
photo counts: a recent one to a caller, or else one to a probe. The same probes close the open
circuits of all models. The gateway itself must also be able to decode.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from gateway.inference.client import InferenceClient
from imaging.errors import ReasonedError

log = logging.getLogger(__name__)

_SHORTEST_INTERVAL_S = 0.1

# The interval of probes of a model that does not answer: a probe that fails costs little.
_INTERVAL_WHILE_AWAY_S = 0.25

# An answer counts as recent for this many passes of its model.
_PASSES = 4.0


class ReadinessWatch:
    """Watches the default model and reports each change.

    Args:
        inference: The client of the inference server.
        model: The default model's name.
        interval_s: Seconds between two checks.
        probe_timeout_s: Seconds that a probe waits before it asks for a sign of life.
        on_change: Awaited with the new state at each change, and once at the start.
        hindrance: Says why the gateway itself could not serve; empty if it could.
    """

    def __init__(
        self,
        inference: InferenceClient,
        model: str,
        interval_s: float,
        probe_timeout_s: float,
        on_change: Callable[[bool], Awaitable[None]],
        hindrance: Callable[[], str] = lambda: "",
    ) -> None:
        self._inference = inference
        self._model = model
        self._interval_s = interval_s
        self._probe_timeout_s = probe_timeout_s
        self._on_change = on_change
        self._probing: dict[str, asyncio.Task[str]] = {}
        self._hindrance = hindrance
        self._ready: bool | None = None

    def probe_now(self) -> None:
        """Check again soon, by a probe."""
        self._inference.circuits.found_away.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            await self._watch()
        finally:
            for probe in self._probing.values():
                probe.cancel()
            await asyncio.gather(*self._probing.values(), return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            found_away = self._inference.circuits.found_away
            must_probe = found_away.is_set()
            found_away.clear()
            for model in self._inference.circuits.open_models - {self._model}:
                # One model's probe may take long, and the others do not wait for it.
                if model not in self._probing or self._probing[model].done():
                    self._probing[model] = asyncio.create_task(self._probe(model))
            await self._check(must_probe=must_probe)
            # However many callers find a model away, there are at most ten checks a second.
            await asyncio.sleep(min(_SHORTEST_INTERVAL_S, self._interval_s))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await found_away.wait()

    async def _check(self, *, must_probe: bool) -> None:
        start_s = time.monotonic()
        reason = ""
        is_open = self._model in self._inference.circuits.open_models
        # Probes must not keep a slow model busy.
        fresh_s = max(self._interval_s, _PASSES * self._inference.answers.pass_s(self._model))
        if must_probe or is_open or not self._answered_since(start_s - fresh_s):
            reason = await self._probe_default()
        # Callers' photos may have been answered while a busy server kept the probe waiting.
        away = reason and not self._answered_since(start_s)
        await self._judge(f"model {self._model!r} does not answer: {reason}" if away else "")

    async def _probe_default(self) -> str:
        """Probe the default model; a gateway that cannot serve says so meanwhile."""
        probe = asyncio.create_task(self._probe(self._model))
        try:
            while not (await asyncio.wait({probe}, timeout=self._interval_s))[0]:
                if self._hindrance():
                    await self._judge("")
            return probe.result()
        finally:
            probe.cancel()
            await asyncio.gather(probe, return_exceptions=True)

    async def _judge(self, away: str) -> None:
        """Report a change.

        Args:
            away: Says that the model does not answer; empty if it does.
        """
        why = away or self._hindrance()
        ready = not why
        if ready != self._ready:
            self._ready = ready
            log.log(
                logging.INFO if ready else logging.WARNING,
                "%s",
                f"model {self._model!r} answers: ready" if ready else f"not ready: {why}",
            )
            await self._on_change(ready)

    def _answered_since(self, moment_s: float) -> bool:
        return self._inference.answers.last_s(self._model) >= moment_s

    def _pause_s(self) -> float:
        away = not self._ready or self._inference.circuits.open_models
        return min(self._interval_s, _INTERVAL_WHILE_AWAY_S) if away else self._interval_s

    async def _probe(self, model: str) -> str:
        """Ask for a real inference and return why there was none, "" if there was."""
        try:
            await self._inference.probe(model, self._probe_timeout_s)
        except ReasonedError as exc:
            return f"{type(exc).__name__}: {exc}"
        except Exception as exc:  # the watch must go on after any error of a probe
            log.exception("the probe of model %r failed", model)
            return type(exc).__name__
        return ""
