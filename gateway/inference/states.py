"""The state of each Triton: reachable or not, its models, and the batch sizes that they ran."""

import asyncio
from typing import Any, Final

from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from gateway.inference.channel import CHANNEL_OPTIONS, channel_target, single_addresses
from gateway.inference.model_card import CARD_PARAMETER, read_card
from gateway.inference.server import ModelState, Pulse, ServerState

# Names in Triton's ModelInstanceGroup; what was AUTO in a file is one of these once it is loaded.
_GPU: Final = "KIND_GPU"
_CPU: Final = "KIND_CPU"
# The statuses of a call that was not answered.
_SILENT: Final = ("DEADLINE_EXCEEDED", "UNAVAILABLE", "CANCELLED")


class TritonStates:
    """Asks Tritons, each over a channel of its own.

    Where one name stands for several Tritons, the channel keeps to one of them.

    Args:
        addresses: As `gateway.inference.channel.channel_target` takes them.
    """

    def __init__(self, addresses: str) -> None:
        self._clients = {
            address: InferenceServerClient(channel_target(address), channel_args=CHANNEL_OPTIONS)
            for address in single_addresses(addresses)
        }

    @property
    def addresses(self) -> tuple[str, ...]:
        """The address of each."""
        return tuple(self._clients)

    async def states(self, timeout_s: float) -> list[ServerState]:
        """Ask each."""
        return list(
            await asyncio.gather(
                *(self._state(address, timeout_s) for address in self._clients),
            )
        )

    async def pulse(self, model: str, timeout_s: float) -> Pulse | None:
        """Ask each for the passes of one model; None if none of them answers."""
        told = await asyncio.gather(
            *(_passes(client, model, timeout_s) for client in self._clients.values())
        )
        answers = [each for each in told if each is not None]
        if not answers:
            return None
        passes = sum(count for count, _ in answers)
        return Pulse(passes, sum(took_s for _, took_s in answers) / passes if passes else None)

    async def close(self) -> None:
        """Close the channels."""
        for client in self._clients.values():
            await client.close()

    async def _state(self, address: str, timeout_s: float) -> ServerState:
        client = self._clients[address]
        try:
            answer = await client.get_inference_statistics(client_timeout=timeout_s)
            models = [
                await _model(client, statistics, timeout_s) for statistics in answer.model_stats
            ]
        except InferenceServerException:
            return ServerState(address, reachable=False)
        return ServerState(address, reachable=True, models=tuple(models))


async def _passes(
    client: InferenceServerClient, model: str, timeout_s: float
) -> tuple[int, float] | None:
    """Return how many passes of a model there were, and their seconds; None without an answer."""
    try:
        answer = await client.get_inference_statistics(model, client_timeout=timeout_s)
    except InferenceServerException as exc:
        status = (exc.status() or "").removeprefix("StatusCode.")
        # Any other status is an answer.
        return None if status in _SILENT else (0, 0.0)
    batches = [batch for each in answer.model_stats for batch in each.batch_stats]
    passes = sum(int(batch.compute_infer.count) for batch in batches)
    return passes, sum(int(batch.compute_infer.ns) for batch in batches) / 1e9


async def _model(client: InferenceServerClient, statistics: Any, timeout_s: float) -> ModelState:
    name, version = statistics.name, statistics.version
    config = (await client.get_model_config(name, version, client_timeout=timeout_s)).config
    passes = {
        int(each.batch_size): int(each.compute_infer.count) for each in statistics.batch_stats
    }
    return ModelState(name, version, _precision(config), _device(config), passes)


def _precision(config: Any) -> str:
    card = read_card(config.name, config.parameters[CARD_PARAMETER].string_value)
    return (card.precision if card else "") or "unknown"


def _device(config: Any) -> str:
    kinds = {group.Kind.Name(group.kind) for group in config.instance_group}
    if kinds & {_GPU, _CPU}:
        return "gpu" if _GPU in kinds else "cpu"
    return "unknown"
