"""The circuit breakers: while a model does not answer, its callers are refused at once.

Each model has a circuit. It opens after several failures in a row of the kind that says that Triton
or the model is away, or after one failed probe. While it is open, callers get UNAVAILABLE at once.
Only an answer closes it: to a probe, which `gateway.inference.readiness` sends, or a late one to an
earlier caller. So no caller's photo is spent to find out whether a hung model is back.

A slow or busy model is not away. How long a model may be silent follows from its own pass times
(`gateway.inference.answer_times`).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from gateway.errors import DeadlineError, InferenceUnavailableError
from gateway.inference.answer_times import AnswerTimes

log = logging.getLogger(__name__)

# A deadline that comes sooner says more about the caller than about the model.
_LEAST_SILENCE_S: Final = 0.5


class Circuits:
    """The circuit of each model.

    Args:
        failures_to_open: Failures in a row that open a circuit.
        on_change: Called with a model and whether its circuit is open now.
        answers: Says when a model answered last, and how long it may be silent.

    Attributes:
        found_away: Set whenever a caller has found the server or a model away.
    """

    def __init__(
        self, failures_to_open: int, on_change: Callable[[str, bool], None], answers: AnswerTimes
    ) -> None:
        self._failures_to_open = failures_to_open
        self._on_change = on_change
        self._answers = answers
        # Failures in a row, of models that exist: a name that a caller made up gets no circuit.
        self._failures: dict[str, int] = {}
        self._open: set[str] = set()
        self.found_away = asyncio.Event()

    @property
    def open_models(self) -> frozenset[str]:
        """The models whose circuit is open."""
        return frozenset(self._open)

    def add(self, model: str) -> None:
        """Give a model that exists a closed circuit, unless it has one."""
        self._failures.setdefault(model, 0)

    @contextmanager
    def guard(self, model: str = "") -> Iterator[None]:
        """Run a block that asks the server on behalf of a caller, and count a model's failure.

        Args:
            model: The model that is asked; empty for what is not about one model.

        Raises:
            InferenceUnavailableError: The circuit is open, or the block raised this.
        """
        if model in self._open:
            self.found_away.set()
            raise InferenceUnavailableError(f"model {model!r} does not answer at present")
        start_s = time.monotonic()
        try:
            yield
        except InferenceUnavailableError as exc:
            self.found_away.set()
            self._count_failure(model, exc)
            raise
        except DeadlineError as exc:
            silent = self._answers.last_s(model) < start_s
            limit_s = self._answers.silence_limit_s(model, _LEAST_SILENCE_S)
            if silent and time.monotonic() - start_s >= limit_s:
                self._count_failure(model, exc)
            raise

    def open(self, model: str, reason: str) -> None:
        """Open a model's circuit, if the model has one."""
        if model in self._failures and model not in self._open:
            self._open.add(model)
            log.warning("circuit of model %r opens: %s", model, reason)
            self._on_change(model, True)  # noqa: FBT003  a state, no switch

    def close(self, model: str) -> None:
        """Close a model's circuit: the model has answered."""
        self._failures[model] = 0
        if model in self._open:
            self._open.remove(model)
            log.info("circuit of model %r closes: it answers", model)
            self._on_change(model, False)  # noqa: FBT003  a state, no switch

    def _count_failure(self, model: str, exc: Exception) -> None:
        if model not in self._failures:
            return
        self._failures[model] += 1
        if self._failures[model] >= self._failures_to_open:
            self.open(model, f"{self._failures[model]} failures in a row, the last: {exc}")
