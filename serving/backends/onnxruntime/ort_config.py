"""A model's configuration as Triton hands it over: read, and checked against the graph.

The keys are those of the native backend. Whatever would change the result or the speed but is not
supported here is an error, so that a model never runs otherwise than its configuration says.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import ort_gpu

_BOOLEAN = {"0": False, "1": True, "false": False, "true": True}
_TENSORS_ON_GPU = "FORCE_CPU_ONLY_INPUT_TENSORS"
_PYTHON_BACKEND_KEYS = {_TENSORS_ON_GPU}
# Where the model comes from; for who reads the configuration, not for the backend.
_CARD_KEY = "model_card"
_CPU_ACCELERATORS = ("openvino",)

TRITON_TYPES = {
    "tensor(bool)": "TYPE_BOOL",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(uint16)": "TYPE_UINT16",
    "tensor(uint32)": "TYPE_UINT32",
    "tensor(uint64)": "TYPE_UINT64",
    "tensor(int8)": "TYPE_INT8",
    "tensor(int16)": "TYPE_INT16",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int64)": "TYPE_INT64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
}


class ConfigError(ValueError):
    """The configuration asks for something that this backend does not do."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output: its name, Triton's type and its dimensions, -1 where open."""

    name: str
    data_type: str
    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """What an ONNX file takes and gives; dimensions include the batch axis."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """What of `config.pbtxt` this backend acts on.

    Attributes:
        file_name: The ONNX file's name in the version's folder.
        max_batch_size: 0: no batch axis.
        inputs: As declared; dimensions without the batch axis.
        outputs: As declared; dimensions without the batch axis.
        graph_level: `optimization.graph.level`: -1 basic, 1 extended, 2 none, 0 or unset all.
        intra_op_threads: 0: a share of the cores.
        inter_op_threads: 0: onnxruntime's choice.
        parallel: Whether `execution_mode` is 1.
        mem_arena: Whether onnxruntime keeps freed memory.
        mem_pattern: Whether onnxruntime reserves memory by the largest batch seen.
        arena_shrinkage: Arenas to shrink after each pass, such as `cpu:0`; empty: none.
        device_initializers: Whether weights bypass the arena.
        cpu_instances: How many instances share the CPU.
        cpu_accelerator: What runs CPU instances: `openvino`, or empty for onnxruntime's kernels.
        gpu: How instances on a GPU run.
        whole_on_device: Whether a GPU instance is refused if a node of it would run on the CPU.
    """

    file_name: str
    max_batch_size: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    graph_level: int
    intra_op_threads: int
    inter_op_threads: int
    parallel: bool
    mem_arena: bool
    mem_pattern: bool
    arena_shrinkage: str
    device_initializers: bool
    cpu_instances: int
    cpu_accelerator: str
    gpu: ort_gpu.GpuOptions
    whole_on_device: bool


def parse(model_config: str) -> BackendConfig:
    """Read and check a model's configuration.

    Args:
        model_config: Triton's `ModelConfig` as JSON, completed.

    Returns:
        The settings of this backend.

    Raises:
        ConfigError: Something is unknown, out of range or unsupported; the message names it.
    """
    config = json.loads(model_config)
    _refuse_unsupported(config)
    values = _Parameters(config.get("parameters", {}))
    level = int(config.get("optimization", {}).get("graph", {}).get("level", 0))
    max_batch_size = int(config.get("max_batch_size", 0))
    parsed = BackendConfig(
        file_name=config.get("default_model_filename") or "model.onnx",
        max_batch_size=max_batch_size,
        inputs=tuple(map(_declared, config.get("input", []))),
        outputs=tuple(map(_declared, config.get("output", []))),
        graph_level=level,
        intra_op_threads=values.integer("intra_op_thread_count", at_most=1024),
        inter_op_threads=values.integer("inter_op_thread_count", at_most=1024),
        parallel=values.integer("execution_mode", at_most=1) == 1,
        mem_arena=values.boolean("enable_mem_arena", default=True),
        # onnxruntime's default is on; it then holds memory for the largest batch that it has seen,
        # twice what the pass needs, and gains no speed.
        mem_pattern=values.boolean("enable_mem_pattern", default=False),
        arena_shrinkage=values.text("memory.enable_memory_arena_shrinkage"),
        device_initializers=values.boolean(
            "session.use_device_allocator_for_initializers", default=False
        ),
        cpu_instances=sum(
            int(group.get("count", 1))
            for group in config.get("instance_group", [])
            if group.get("kind") == "KIND_CPU"
        ),
        cpu_accelerator=_cpu_accelerator(config.get("optimization", {})),
        gpu=_gpu(values, config.get("optimization", {}), max_batch_size),
        whole_on_device=values.boolean("session.disable_cpu_ep_fallback", default=False),
    )
    values.refuse_unknown()
    return parsed


def dtype_of(tensor: Tensor) -> np.dtype[Any]:
    """Give NumPy's type for Triton's, `TYPE_FP16` and its like."""
    name = tensor.data_type.removeprefix("TYPE_").lower()
    return np.dtype(name.replace("fp", "float"))


def check_against(config: BackendConfig, graph: Graph) -> None:
    """Make sure that a configuration fits its ONNX file.

    Args:
        config: The configuration.
        graph: The ONNX file's inputs and outputs.

    Raises:
        ConfigError: A name, type or dimension differs; the message says which.
    """
    if {tensor.name for tensor in config.inputs} != {tensor.name for tensor in graph.inputs}:
        raise ConfigError(
            f"the configuration has inputs {_names(config.inputs)}, "
            f"the ONNX file {_names(graph.inputs)}"
        )
    known = {("input", t.name): t for t in graph.inputs}
    known |= {("output", t.name): t for t in graph.outputs}
    for side, tensors in (("input", config.inputs), ("output", config.outputs)):
        for tensor in tensors:
            actual = known.get((side, tensor.name))
            if actual is None:
                raise ConfigError(
                    f"the ONNX file has no {side} {tensor.name!r}, only {_names(graph.outputs)}"
                )
            dims = ((-1,) if config.max_batch_size else ()) + tensor.dims
            if tensor.data_type != actual.data_type or not _fits(dims, actual.dims):
                raise ConfigError(
                    f"{side} {tensor.name!r} is {tensor.data_type} {list(dims)} in the "
                    f"configuration but {actual.data_type} {list(actual.dims)} in the ONNX file"
                )


class _Parameters:
    """The `parameters` of a configuration; every key must be asked for once."""

    def __init__(self, parameters: Mapping[str, Mapping[str, str]]) -> None:
        self._values = {key: str(item["string_value"]) for key, item in parameters.items()}
        self._known = set(_PYTHON_BACKEND_KEYS | {_CARD_KEY})

    def text(self, key: str) -> str:
        self._known.add(key)
        return self._values.get(key, "").strip()

    def integer(self, key: str, *, at_most: int) -> int:
        text = self.text(key) or "0"
        if not text.isdecimal() or int(text) > at_most:
            raise ConfigError(f"parameter {key!r} is {text!r}; it must be 0 to {at_most}")
        return int(text)

    def boolean(self, key: str, *, default: bool) -> bool:
        text = self.text(key)
        if text and text.lower() not in _BOOLEAN:
            raise ConfigError(f"parameter {key!r} is {text!r}; it must be 0 or 1")
        return _BOOLEAN[text.lower()] if text else default

    def refuse_unknown(self) -> None:
        unknown = sorted(self._values.keys() - self._known)
        if unknown:
            raise ConfigError(
                f"unknown parameters {', '.join(unknown)}; "
                f"this backend knows {', '.join(sorted(self._known))}"
            )


def _refuse_unsupported(config: Mapping[str, Any]) -> None:
    optimization = config.get("optimization", {})
    level = int(optimization.get("graph", {}).get("level", 0))
    if level not in (-1, 0, 1, 2):
        raise ConfigError(f"optimization.graph.level is {level}; it must be -1, 0, 1 or 2")
    unsupported = {
        "sequence_batching": config.get("sequence_batching"),
        "model_transaction_policy.decoupled": config.get("model_transaction_policy", {}).get(
            "decoupled"
        ),
        "batch_input": config.get("batch_input"),
        "batch_output": config.get("batch_output"),
        "allow_ragged_batch": any(
            tensor.get("allow_ragged_batch") for tensor in config.get("input", [])
        ),
    }
    asked = [name for name, value in unsupported.items() if value]
    if asked:
        raise ConfigError(f"{', '.join(asked)}: only Triton's native backend supports this")


def _gpu(
    values: "_Parameters", optimization: Mapping[str, Any], max_batch_size: int
) -> ort_gpu.GpuOptions:
    try:
        options = ort_gpu.parse_gpu(values.text, optimization, max_batch_size)
    except ort_gpu.GpuConfigError as exc:
        raise ConfigError(str(exc)) from exc
    if values.text(_TENSORS_ON_GPU).lower() == "no" and options.transfer == ort_gpu.HOST:
        raise ConfigError(
            f"{_TENSORS_ON_GPU} is 'no', so that tensors may come on the GPU: that needs the "
            "parameter 'gpu_tensor_transfer' to be bound or pinned"
        )
    return options


def _cpu_accelerator(optimization: Mapping[str, Any]) -> str:
    asked = optimization.get("execution_accelerators", {}).get("cpu_execution_accelerator", [])
    if not asked:
        return ""
    names = [str(accelerator.get("name", "")) for accelerator in asked]
    if len(names) > 1 or names[0] not in _CPU_ACCELERATORS:
        raise ConfigError(
            f"cpu_execution_accelerator is {', '.join(map(repr, names))}; this backend knows "
            f"{', '.join(map(repr, _CPU_ACCELERATORS))}, one at a time"
        )
    if parameters := asked[0].get("parameters"):
        raise ConfigError(
            f"cpu_execution_accelerator {names[0]!r} has the parameters "
            f"{', '.join(sorted(parameters))}; this backend knows none"
        )
    return names[0]


def _declared(tensor: Mapping[str, Any]) -> Tensor:
    # What Triton hands over has the shape of `reshape`, where there is one.
    dims = tensor.get("reshape", {}).get("shape", tensor["dims"])
    return Tensor(tensor["name"], tensor["data_type"], tuple(map(int, dims)))


def _fits(declared: tuple[int, ...], actual: tuple[int, ...]) -> bool:
    return len(declared) == len(actual) and all(
        -1 in (ours, theirs) or ours == theirs
        for ours, theirs in zip(declared, actual, strict=True)
    )


def _names(tensors: Iterable[Tensor]) -> str:
    return ", ".join(tensor.name for tensor in tensors) or "none"
