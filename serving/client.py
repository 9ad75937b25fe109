"""Triton's own API, as far as serving needs it: the one place that knows `tritonclient`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import numpy as np
from tritonclient import grpc as triton_grpc
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from serving.errors import TritonApiError

# A server that has just been started is noticed at once, not after seconds.
_CHANNEL = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.enable_http_proxy", 0),
]
_CALL_TIMEOUT_S = 5.0
_DEAD_STUB = "is not healthy"


class Answer(Enum):
    """How a model took a probe."""

    ANSWERED = auto()
    REFUSED = auto()
    DEAD = auto()
    LATE = auto()
    AWAY = auto()


@dataclass(frozen=True, slots=True)
class Probe:
    """One inference that a model can be asked for at any time.

    Attributes:
        inputs: Shape and Triton's type of each input, by name.
        exact: Whether the model must accept it: no dimension had to be guessed.
    """

    inputs: Mapping[str, tuple[tuple[int, ...], str]]
    exact: bool


class TritonClient:
    """Talks to one Triton.

    Args:
        address: Its gRPC address, `HOST:PORT`.
    """

    def __init__(self, address: str) -> None:
        self._client = triton_grpc.InferenceServerClient(address, channel_args=_CHANNEL)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def is_ready(self, models: Sequence[str]) -> bool:
        """Tell whether the server and all of some models say that they are ready."""
        try:
            return bool(self._client.is_server_ready(client_timeout=_CALL_TIMEOUT_S)) and all(
                self._client.is_model_ready(model, client_timeout=_CALL_TIMEOUT_S)
                for model in models
            )
        except InferenceServerException:
            return False

    def ready_models(self) -> list[str]:
        """List the models that are loaded.

        Raises:
            TritonApiError: Triton does not answer.
        """
        try:
            index = self._client.get_model_repository_index(client_timeout=_CALL_TIMEOUT_S)
        except InferenceServerException as exc:
            raise TritonApiError(str(exc)) from exc
        return sorted({model.name for model in index.models if model.state == "READY"})

    def successes(self, model: str) -> int:
        """Count the inferences that a model has answered since it was loaded.

        Raises:
            TritonApiError: Triton does not answer, or the model is not loaded.
        """
        try:
            found = self._client.get_inference_statistics(model, client_timeout=_CALL_TIMEOUT_S)
        except InferenceServerException as exc:
            raise TritonApiError(str(exc)) from exc
        return sum(int(stats.inference_stats.success.count) for stats in found.model_stats)

    def instances(self, model: str) -> int:
        """Count the instances of a model that is loaded.

        Raises:
            TritonApiError: Triton does not answer, or the model is not loaded.
        """
        groups = self._config(model).instance_group
        return sum(group.count * max(1, len(group.gpus)) for group in groups)

    def probe_of(self, model: str) -> Probe:
        """Work out an inference for a model from its configuration.

        Raises:
            TritonApiError: Triton does not answer, or the model is not loaded.
        """
        config = self._config(model)
        batch = (1,) if config.max_batch_size else ()
        inputs = {
            tensor.name: (
                (*batch, *(1 if dim < 0 else int(dim) for dim in tensor.dims)),
                _type_name(tensor.data_type),
            )
            for tensor in config.input
            if not tensor.optional
        }
        exact = all(
            dim > 0 for tensor in config.input if not tensor.optional for dim in tensor.dims
        ) and all(kind != "BYTES" for _, kind in inputs.values())
        return Probe(inputs, exact)

    def _config(self, model: str) -> Any:
        try:
            return self._client.get_model_config(model, client_timeout=_CALL_TIMEOUT_S).config
        except InferenceServerException as exc:
            raise TritonApiError(str(exc)) from exc

    def infer(self, model: str, probe: Probe, timeout_s: float) -> tuple[Answer, str]:
        """Ask a model for one inference of zeros.

        Args:
            model: The model.
            probe: What to send.
            timeout_s: How long to wait.

        Returns:
            How the model took it, and the error's text.
        """
        inputs = []
        for name, (shape, kind) in probe.inputs.items():
            tensor = triton_grpc.InferInput(name, list(shape), kind)
            zeros: np.ndarray[tuple[int, ...], np.dtype[np.generic]] = (
                np.full(shape, b"", np.object_)
                if kind == "BYTES"
                else np.zeros(shape, triton_to_np_dtype(kind))
            )
            tensor.set_data_from_numpy(zeros)
            inputs.append(tensor)
        try:
            self._client.infer(model, inputs, client_timeout=timeout_s)
        except InferenceServerException as exc:
            return _answer(exc), str(exc)
        return Answer.ANSWERED, ""

    def unload(self, model: str, timeout_s: float) -> None:
        """Unload a model.

        Raises:
            TritonApiError: Triton does not answer.
        """
        try:
            self._client.unload_model(model, client_timeout=timeout_s)
        except InferenceServerException as exc:
            raise TritonApiError(str(exc)) from exc

    def load(self, model: str, timeout_s: float) -> None:
        """Load a model; to Triton one whose process has died is loaded, so unload that first.

        Raises:
            TritonApiError: It could not be loaded.
        """
        try:
            self._client.load_model(model, client_timeout=timeout_s)
        except InferenceServerException as exc:
            raise TritonApiError(str(exc)) from exc


def _answer(exc: InferenceServerException) -> Answer:
    status = exc.status() or ""
    if _DEAD_STUB in str(exc):
        return Answer.DEAD
    if status.endswith("DEADLINE_EXCEEDED"):
        return Answer.LATE
    if status.endswith(("UNAVAILABLE", "NOT_FOUND", "CANCELLED")):
        return Answer.AWAY
    return Answer.REFUSED


def _type_name(data_type: int) -> str:
    name = str(model_config_pb2.DataType.Name(data_type)).removeprefix("TYPE_")
    return "BYTES" if name == "STRING" else name
