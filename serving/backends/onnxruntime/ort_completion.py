"""What a short `config.pbtxt` leaves out, filled in from the ONNX file by the native rules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ort_config import Graph, Tensor

# As the native backend's `default-max-batch-size`.
DEFAULT_MAX_BATCH_SIZE = 4


@dataclass(frozen=True, slots=True)
class Completion:
    """What is to be added to a configuration."""

    max_batch_size: int
    dynamic_batching: bool
    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]


def is_complete(config: Mapping[str, Any]) -> bool:
    """Tell whether a configuration leaves nothing to be completed."""
    tensors = [*config.get("input", []), *config.get("output", [])]
    return bool(
        config.get("max_batch_size")
        and config.get("input")
        and config.get("output")
        and all(_is_declared(tensor) for tensor in tensors)
        and (config["max_batch_size"] == 1 or _has_scheduler(config))
    )


def complete(config: Mapping[str, Any], graph: Graph) -> Completion:
    """Work out what a configuration leaves open, by the native backend's rules.

    Args:
        config: Triton's `ModelConfig` as a mapping.
        graph: The ONNX file's inputs and outputs.

    Returns:
        The additions: a model whose every tensor has an open first dimension is batched, to at
        most 4 unless configured; what is declared stays.
    """
    configured = int(config.get("max_batch_size", 0))
    batches = all(
        tensor.dims and tensor.dims[0] == -1 for tensor in (*graph.inputs, *graph.outputs)
    )
    max_batch_size = configured or (DEFAULT_MAX_BATCH_SIZE if batches else 0)
    skip = 1 if max_batch_size else 0
    return Completion(
        max_batch_size=max_batch_size,
        dynamic_batching=max_batch_size > 1 and not _has_scheduler(config),
        inputs=_additions(config.get("input", []), graph.inputs, skip, add_unnamed=True),
        # A configuration may name a part of the outputs: then the rest is not wanted.
        outputs=_additions(
            config.get("output", []), graph.outputs, skip, add_unnamed=not config.get("output")
        ),
    )


def _has_scheduler(config: Mapping[str, Any]) -> bool:
    return any(key in config for key in ("dynamic_batching", "sequence_batching"))


def _additions(
    declared: Iterable[Mapping[str, Any]],
    actual: Iterable[Tensor],
    skip: int,
    *,
    add_unnamed: bool,
) -> list[dict[str, Any]]:
    by_name = {tensor["name"]: tensor for tensor in declared}
    return [
        {"name": tensor.name, "data_type": tensor.data_type, "dims": list(tensor.dims[skip:])}
        for tensor in actual
        if (not _is_declared(by_name[tensor.name]) if tensor.name in by_name else add_unnamed)
    ]


def _is_declared(tensor: Mapping[str, Any]) -> bool:
    return bool(tensor.get("dims")) and tensor.get("data_type", "TYPE_INVALID") != "TYPE_INVALID"
