"""Watches each loaded model by evidence, and replaces it when its process has died or hangs.

To Triton a model whose stub process was killed is live and ready for ever: every request fails, and
no health call says so. Three signals tell, from cheap to dear:

1. A stub that ran a moment ago is gone. /proc shows it within one interval, and it costs nothing;
   but only of embedded stubs, and never of one that hangs.
2. Inferences that succeeded since the last look. While there are callers, that is proof enough.
3. A real inference (zeros of the input's shape), sent when nothing succeeded for a while. It is the
   only proof that an idle model answers; it costs a pass of the network, so it is not sent at every
   look. Its deadline is long, and a model counts as hung only if nothing at all succeeded while the
   probe waited: a saturated model answers others meanwhile, and is left alone.

The cure is the same for all: unload, load, and an end to the old stubs. Triton never finishes a
model that sent a request to a dead stub: what is left of it keeps the model's other stubs running.

Watching the stubs' deaths by the kernel (pidfd) instead of by the clock would save half an interval
of the two to three seconds that a replacement takes, and would still need all of the above.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from serving.client import Answer, Probe
from serving.errors import TritonApiError
from serving.stubs import Stub

log = logging.getLogger(__name__)

_RELOAD_TIMEOUT_S = 120.0
_FIRST_DELAY_S = 1.0
_LONGEST_DELAY_S = 30.0
_REFUSALS = 3


class ModelApi(Protocol):
    """What the watch needs of Triton's API."""

    def successes(self, model: str) -> int:
        """Count the inferences that a model has answered since it was loaded."""

    def instances(self, model: str) -> int:
        """Count the instances of a model, each a stub of the embedded Triton's."""

    def probe_of(self, model: str) -> Probe:
        """Work out an inference for a model."""

    def infer(self, model: str, probe: Probe, timeout_s: float) -> tuple[Answer, str]:
        """Ask a model for one inference."""

    def unload(self, model: str, timeout_s: float) -> None:
        """Unload a model."""

    def load(self, model: str, timeout_s: float) -> None:
        """Load a model."""


@dataclass(frozen=True, slots=True)
class _Fault:
    reason: str
    hung: bool = False


class ModelWatch:
    """The watch over one model.

    Args:
        model: Its name.
        api: Triton's API.
        list_stubs: Lists the model's running stubs.
        on_dead_stub: Called when one has died.
        probe_interval_s: Idle time after which the model is probed.
        hang_timeout_s: Time without any answer after which it counts as hung.
        clock: Seconds from any start.
    """

    def __init__(
        self,
        model: str,
        api: ModelApi,
        *,
        list_stubs: Callable[[str], frozenset[Stub]],
        on_dead_stub: Callable[[], None],
        probe_interval_s: float,
        hang_timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._api = api
        self._list_stubs = list_stubs
        self._on_dead_stub = on_dead_stub
        self._probe_interval_s = probe_interval_s
        self._hang_timeout_s = hang_timeout_s
        self._clock = clock
        self._successes = 0
        self._stubs: frozenset[Stub] = frozenset()
        self._proven_s = clock()
        self._refusals = 0
        self._delay_s = 0.0
        self._fault: _Fault | None = None
        self._not_before_s = clock()

    def look(self) -> None:
        """Judge the model once, and replace it if need be."""
        if self._fault is None:
            try:
                self._fault = self._find_fault()
            except TritonApiError:
                # Unloaded by an operator, or Triton itself is away: neither is ours to mend.
                self._stubs, self._successes = frozenset(), 0
                return
            if self._fault:
                log.warning("model %r is broken: %s", self._model, self._fault.reason)
        if self._fault and self._clock() >= self._not_before_s:
            self._replace(self._fault)

    def _find_fault(self) -> _Fault | None:
        # Raises if the model is not loaded: then its stubs have been told to go.
        successes = self._api.successes(self._model)
        stubs = self._list_stubs(self._model)
        # New stubs beside the lost ones are those of a model that somebody loaded anew. A load
        # that failed leaves as many as before: the lost ones were those that it had begun with.
        if (
            self._stubs - stubs
            and stubs <= self._stubs
            and len(stubs) < self._api.instances(self._model)
        ):
            return _Fault("its backend process has died")
        self._stubs = stubs
        if successes > self._successes:
            self._prove(successes)
            return None
        self._successes = successes
        if self._clock() - self._proven_s < self._probe_interval_s:
            return None
        return self._probe()

    def _probe(self) -> _Fault | None:
        probe = self._api.probe_of(self._model)
        answer, text = self._api.infer(self._model, probe, self._hang_timeout_s)
        if answer is Answer.DEAD:
            return _Fault(text)
        if answer is Answer.AWAY:
            return None
        successes = self._api.successes(self._model)
        if successes > self._successes or answer is Answer.ANSWERED:
            self._prove(successes)
            return None
        if answer is Answer.LATE:
            return _Fault(f"it answered nothing for {self._hang_timeout_s:g} s", hung=True)
        if not probe.exact:
            # The error of a guessed input is an answer of the model's all the same.
            self._prove(successes)
            return None
        self._refusals += 1
        return _Fault(f"it fails again and again: {text}") if self._refusals >= _REFUSALS else None

    def _prove(self, successes: int) -> None:
        self._successes = successes
        self._proven_s = self._clock()
        self._refusals = 0
        if self._proven_s - self._not_before_s > _LONGEST_DELAY_S:
            self._delay_s = 0.0

    def _replace(self, fault: _Fault) -> None:
        start_s = self._clock()
        old = self._stubs
        self._on_dead_stub()
        try:
            if fault.hung:
                # Triton waits for what a hung stub has been given: dead, it gives it up.
                _kill(old)
            self._api.unload(self._model, _RELOAD_TIMEOUT_S)
            self._api.load(self._model, _RELOAD_TIMEOUT_S)
        except TritonApiError as exc:
            log.error("model %r could not be loaded again: %s", self._model, exc)  # noqa: TRY400 - Triton's message says it
            return
        finally:
            self._back_off()
            _kill(old)
        self._fault = None
        self._stubs = self._list_stubs(self._model)
        self._successes = self._refusals = 0
        # The new one has still to prove itself: it is probed at the next look.
        self._proven_s = self._clock() - self._probe_interval_s
        log.warning("model %r was loaded again in %.1f s", self._model, self._clock() - start_s)

    def _back_off(self) -> None:
        self._delay_s = min(_LONGEST_DELAY_S, max(_FIRST_DELAY_S, 2 * self._delay_s))
        self._not_before_s = self._clock() + self._delay_s


def _kill(stubs: frozenset[Stub]) -> None:
    for stub in stubs:
        stub.kill()
