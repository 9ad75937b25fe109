"""Triton's backend `onnxruntime`, written in Python: runs a photo's network on embedded Triton.

Triton queues and batches the requests of many callers; its Python stub imports this file and hands
each dynamic batch to `TritonPythonModel.execute`. A `config.pbtxt` written for the native backend
of the same name loads here unchanged; what this one cannot do, it refuses when the model is loaded.

The stub sees this folder and the environment's installed packages, nothing else of the project.
"""

from pathlib import Path
from typing import Any

import ort_batches
import ort_completion
import ort_config
import ort_session
import ort_tensors
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """One instance of a model; Triton's stub calls its methods by their names."""

    @staticmethod
    def auto_complete_config(auto_complete_model_config: Any) -> Any:
        """Fill in what `config.pbtxt` leaves out, from the ONNX file.

        Args:
            auto_complete_model_config: Triton's `ModelConfig` to be completed.

        Returns:
            The same object.
        """
        config = auto_complete_model_config.as_dict()
        if ort_completion.is_complete(config):
            return auto_complete_model_config
        file_name = config.get("default_model_filename") or "model.onnx"
        graph = ort_session.read_graph(Path(pb_utils.get_model_dir(), file_name))
        completion = ort_completion.complete(config, graph)
        if completion.max_batch_size:
            auto_complete_model_config.set_max_batch_size(completion.max_batch_size)
        if completion.dynamic_batching:
            auto_complete_model_config.set_dynamic_batching()
        for entry in completion.inputs:
            auto_complete_model_config.add_input(entry)
        for entry in completion.outputs:
            auto_complete_model_config.add_output(entry)
        return auto_complete_model_config

    def initialize(self, args: dict[str, str]) -> None:
        """Load the ONNX file, or refuse with the reason.

        Args:
            args: Triton's description of this instance: configuration, kind, device, folder.
        """
        config = ort_config.parse(args["model_config"])
        path = Path(args["model_repository"], args["model_version"], config.file_name)
        instance = ort_session.Instance(
            name=args["model_instance_name"],
            kind=args["model_instance_kind"],
            device_id=int(args["model_instance_device_id"]),
        )
        self._session = ort_session.Session(path, config, instance)
        self._batches = ort_batches.BatchRunner(
            self._session.run,
            max_batch_size=config.max_batch_size,
            takes_parts=self._session.takes_parts,
            overwrites=self._session.overwrites,
        )
        pb_utils.Logger.log_info(f"{instance.name}: {self._session.description}")

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer every request of one dynamic batch.

        Args:
            requests: Triton's `InferenceRequest`s.

        Returns:
            One `InferenceResponse` for each, in order: outputs, or that request's own error.
        """
        responses: list[Any] = [None] * len(requests)
        waiting: list[int] = []
        work: list[ort_batches.Work] = []
        for index, request in enumerate(requests):
            if request.is_cancelled():
                responses[index] = _failed("the caller cancelled", pb_utils.TritonError.CANCELLED)
                continue
            inputs = {tensor.name(): self._input(tensor) for tensor in request.inputs()}
            work.append(ort_batches.Work(inputs, tuple(request.requested_output_names())))
            waiting.append(index)
        for index, result in zip(waiting, self._batches.run(work), strict=True):
            if isinstance(result, ort_batches.Failure):
                code = pb_utils.TritonError.INVALID_ARG if result.callers_fault else None
                responses[index] = _failed(result.message, code or pb_utils.TritonError.INTERNAL)
            else:
                tensors = [
                    ort_tensors.from_array(pb_utils.Tensor, name, array)
                    for name, array in result.items()
                ]
                responses[index] = pb_utils.InferenceResponse(output_tensors=tensors)
        return responses

    def _input(self, tensor: Any) -> Any:
        if tensor.is_cpu():
            return ort_tensors.to_array(tensor)
        return ort_tensors.to_device_tensor(tensor)

    def finalize(self) -> None:
        """Release the session and its memory."""
        del self._batches
        del self._session


def _failed(message: str, code: Any) -> Any:
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(message, code))
