"""The state of each Triton, asked for at an interval and shown at each scrape.

Triton's own metrics have the number of photos and of passes, which gives the mean batch size. The
size of each batch is in its statistics only. The distribution shows whether batching works.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from gateway.inference.server import InferenceServer, ServerState
from gateway.observability.metrics import Metrics

log = logging.getLogger(__name__)

_TIMEOUT_S: Final = 2.0


class TritonWatch(Collector):
    """Asks every Triton for its state, and shows the last answers.

    While a Triton does not answer, its last state stays, so that no counter starts again at zero.

    Args:
        metrics: Declares what is shown.
        tritons: The servers to ask.
        default_model: The model that is marked as the default.
        interval_s: Seconds between two rounds.
    """

    def __init__(
        self, metrics: Metrics, tritons: InferenceServer, default_model: str, interval_s: float
    ) -> None:
        self._metrics = metrics
        self._tritons = tritons
        self._default_model = default_model
        self._interval_s = interval_s
        self._states: dict[str, ServerState] = {
            address: ServerState(address, reachable=False) for address in tritons.addresses
        }

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            try:
                for state in await self._tritons.states(_TIMEOUT_S):
                    self._note(state)
            except Exception:  # no answer of a Triton may end the watch
                log.exception("the state of Triton cannot be told")
            await asyncio.sleep(self._interval_s)

    def collect(self) -> Iterator[Metric]:
        """Show the result of the last round."""
        states = tuple(self._states.values())
        metrics = self._metrics
        reachable = metrics.triton_reachable.family()
        batches = metrics.triton_batch_size.family()
        models = metrics.model_info.family()
        told = set()
        for state in states:
            labels = metrics.triton_reachable.labels(state.address)
            reachable.add_metric(labels, float(state.reachable))
            for model in state.models:
                told.add(
                    metrics.model_info.labels(
                        model.name,
                        model.version,
                        model.precision,
                        model.device,
                        "yes" if model.name == self._default_model else "no",
                    )
                )
                buckets, total = self._cumulated(model.passes)
                labels = metrics.triton_batch_size.labels(state.address, model.name)
                batches.add_metric(labels, buckets, total)
        for labels in sorted(told):
            models.add_metric(labels, 1)
        yield from (reachable, batches, models)

    def _note(self, state: ServerState) -> None:
        known = self._states[state.address]
        if not state.reachable:
            state = ServerState(state.address, reachable=False, models=known.models)
        self._states[state.address] = state

    def _cumulated(self, passes: dict[int, int]) -> tuple[list[tuple[str, float]], float]:
        """Return a histogram's buckets, and the sum of what it holds, of passes by batch size."""
        buckets = [
            (str(float(bound)), float(sum(n for size, n in passes.items() if size <= bound)))
            for bound in self._metrics.triton_batch_size.declaration.buckets
        ]
        buckets.append(("+Inf", float(sum(passes.values()))))
        return buckets, float(sum(size * n for size, n in passes.items()))
