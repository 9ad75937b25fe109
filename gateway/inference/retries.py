"""Second chances at the inference server: where they are safe, and never more than a few.

An inference changes nothing, so one that found Triton or its model away may be asked for again,
which with several Tritons is asked of the next. An answer that came, be it an error of the model's,
is never asked for again, and neither is what ran out of its time.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from gateway.admission.priority import Priority
from gateway.errors import InferenceUnavailableError
from gateway.inference.server import InferenceServer, Matte, MattingModel, Pulse
from imaging.types import Pixels

T = TypeVar("T")

# gRPC deals calls out in turn, whoever's they are: a further attempt may meet the same sick Triton.
ATTEMPTS: Final = 4
# A sole Triton that has twice been away is; each attempt at a dead model process takes a second.
ATTEMPTS_AT_ONE: Final = 2

# What a retry may still be worth sending for.
_LEAST_TIME_S = 0.01


class RetryBudget:
    """A bucket of retries: full at first, a retry takes one, and each request puts a share back.

    However bad an outage, requests and retries together are at most `1 + share` times the requests,
    once the bucket is empty.

    Args:
        share: Retries that each request puts back.
        most: How many the bucket holds.
    """

    def __init__(self, share: float, most: float) -> None:
        self._share = share
        self._most = most
        self._left = most

    def note_request(self) -> None:
        """Put a request's share back."""
        self._left = min(self._most, self._left + self._share)

    def take(self) -> bool:
        """Take a retry, if there is one."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


class RetryingInference:
    """An inference server that is asked again on a budget; implements `InferenceServer`.

    Args:
        inference: The inference server behind it.
        budget: The retries that there are.
        on_retry: Called with whether the budget allowed a retry.
        attempts: How often one thing is asked for at most.
    """

    def __init__(
        self,
        inference: InferenceServer,
        budget: RetryBudget,
        on_retry: Callable[[bool], None],
        attempts: int = ATTEMPTS,
    ) -> None:
        self._attempts = attempts
        self._inference = inference
        self._budget = budget
        self._on_retry = on_retry

    async def model(self, name: str, timeout_s: float) -> MattingModel:
        """Look a ready model up."""
        return await self._retried(lambda left_s: self._inference.model(name, left_s), timeout_s)

    async def models(self, timeout_s: float) -> list[MattingModel]:
        """List the matting models."""
        return await self._retried(self._inference.models, timeout_s)

    async def infer(
        self,
        model: MattingModel,
        photo: Pixels,
        timeout_s: float,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Matte:
        """Run the network on one photo."""
        return await self._retried(
            lambda left_s: self._inference.infer(model, photo, left_s, priority), timeout_s
        )

    async def pulse(self, model: str, timeout_s: float) -> Pulse | None:
        """Ask for a sign of life."""
        return await self._inference.pulse(model, timeout_s)

    def last_answer_s(self, model: str) -> float:
        """Return the `time.monotonic()` of a model's last matte."""
        return self._inference.last_answer_s(model)

    async def close(self) -> None:
        """Close the connection of the server behind."""
        await self._inference.close()

    async def _retried(self, ask: Callable[[float], Awaitable[T]], timeout_s: float) -> T:
        give_up_s = time.monotonic() + timeout_s
        self._budget.note_request()
        for attempt in range(1, self._attempts + 1):
            left_s = timeout_s if attempt == 1 else give_up_s - time.monotonic()
            try:
                return await ask(left_s)
            except InferenceUnavailableError:
                if attempt == self._attempts or give_up_s - time.monotonic() < _LEAST_TIME_S:
                    raise
                allowed = self._budget.take()
                self._on_retry(allowed)
                if not allowed:
                    raise
        raise AssertionError("the last attempt returns or raises")
