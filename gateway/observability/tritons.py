"""What the gateway knows of its Tritons: asked now and then, shown at each scrape.

Triton tells Prometheus how many photos and passes there were, which gives a mean batch. How large
each batch was, it tells in its statistics alone, and it is the distribution that says whether
batching works.
"""

import asyncio
import logging
from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.inference.server import InferenceServer, ServerState
from gateway.observability import catalogue

log = logging.getLogger(__name__)

_TIMEOUT_S: Final = 2.0


class TritonWatch(Collector):
    """Asks every Triton for its state, and shows the last answers.

    What was known of a Triton stays while it does not answer, so that no counter starts anew.

    Args:
        tritons: Whom to ask.
        default_model: The model that is marked as the default.
        interval_s: Seconds between two rounds.
    """

    def __init__(self, tritons: InferenceServer, default_model: str, interval_s: float) -> None:
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
            except Exception:  # the watch must outlive whatever a Triton answers
                log.exception("the state of Triton cannot be told")
            await asyncio.sleep(self._interval_s)

    def collect(self) -> Iterator[Metric]:
        """Show what the last round brought."""
        states = tuple(self._states.values())
        reachable = GaugeMetricFamily(
            catalogue.TRITON_REACHABLE.name, catalogue.TRITON_REACHABLE.help, labels=("triton",)
        )
        batches = HistogramMetricFamily(
            catalogue.TRITON_BATCH_SIZE.name,
            catalogue.TRITON_BATCH_SIZE.help,
            labels=("triton", "model"),
        )
        models = GaugeMetricFamily(
            catalogue.MODEL_INFO.name,
            catalogue.MODEL_INFO.help,
            labels=tuple(catalogue.MODEL_INFO.labels),
        )
        told = set()
        for state in states:
            reachable.add_metric((state.address,), float(state.reachable))
            for model in state.models:
                default = "yes" if model.name == self._default_model else "no"
                told.add((model.name, model.version, model.precision, model.device, default))
                buckets, total = _cumulated(model.passes)
                batches.add_metric((state.address, model.name), buckets, total)
        for labels in sorted(told):
            models.add_metric(labels, 1)
        yield from (reachable, batches, models)

    def _note(self, state: ServerState) -> None:
        known = self._states[state.address]
        if not state.reachable:
            state = ServerState(state.address, reachable=False, models=known.models)
        self._states[state.address] = state


def _cumulated(passes: dict[int, int]) -> tuple[list[tuple[str, float]], float]:
    """Return a histogram's buckets, and the sum of what it holds, of passes by batch size."""
    buckets = [
        (str(float(bound)), float(sum(n for size, n in passes.items() if size <= bound)))
        for bound in catalogue.TRITON_BATCH_SIZE.buckets
    ]
    buckets.append(("+Inf", float(sum(passes.values()))))
    return buckets, float(sum(size * n for size, n in passes.items()))
