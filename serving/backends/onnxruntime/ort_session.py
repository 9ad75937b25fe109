"""The onnxruntime session of one model instance: the provider that its kind asks for, or none."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import ort_config
import ort_gpu
from ort_bound import BoundPasses, Parts
from ort_memory import CudaMemory, Memory

Array = npt.NDArray[Any]

_OPENVINO = "OpenVINOExecutionProvider"
_LEVELS = {
    -1: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    0: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
    1: onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    2: onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
}


class ProviderError(RuntimeError):
    """The hardware that the configuration asks for cannot be used."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a model.

    Attributes:
        name: Triton's name for it.
        kind: `CPU` or `GPU`; Triton has resolved `KIND_AUTO` by then.
        device_id: The GPU's number.
    """

    name: str
    kind: str
    device_id: int


class Session:
    """A loaded network.

    Args:
        path: The ONNX file.
        config: The model's configuration.
        instance: What it runs on.

    Raises:
        ConfigError: Configuration and file do not fit.
        CudaError: CUDA's own memory cannot be had.
        ProviderError: A GPU or OpenVINO is asked for and onnxruntime cannot use it.
    """

    def __init__(self, path: Path, config: ort_config.BackendConfig, instance: Instance) -> None:
        options = _session_options(config, instance)
        providers = providers_for(
            instance,
            onnxruntime.get_available_providers(),
            cpu_accelerator=config.cpu_accelerator,
            threads=options.intra_op_num_threads,
            gpu=config.gpu.provider,
        )
        on_gpu = instance.kind == "GPU"
        if on_gpu:
            # CUDA's libraries may come from wheels, where the loader does not look by itself.
            onnxruntime.preload_dlls()
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=providers, enable_fallback=0
        )
        self._session.disable_fallback()
        refuse_other_provider(
            instance, self._session.get_providers(), cpu_accelerator=config.cpu_accelerator
        )
        ort_config.check_against(config, _graph_of(self._session))
        self._shrinkage = config.arena_shrinkage
        self._gpu = config.gpu if on_gpu else ort_gpu.GpuOptions({})
        self._run_options: dict[int, Any] = {}
        self._bound = None
        if self._gpu.transfer != ort_gpu.HOST:
            self._bound = bound_passes(self._session, config, CudaMemory(instance.device_id))
        self._warm_up(config)
        threads = options.intra_op_num_threads
        self.description = (
            f"onnxruntime {onnxruntime.__version__}, {self._session.get_providers()[0]}, "
            f"{threads or 'all'} threads"
        )
        if on_gpu:
            chosen = self._session.get_provider_options()["CUDAExecutionProvider"]
            told = ", ".join(f"{key}={value}" for key, value in sorted(chosen.items()))
            self.description += f", tensors {self._gpu.transfer}, {told}"

    @property
    def takes_parts(self) -> bool:
        """Whether `run` takes the tensors of several requests apart, so that none are joined."""
        return self._bound is not None

    @property
    def overwrites(self) -> bool:
        """Whether a pass overwrites the arrays that the one before it returned."""
        return self._gpu.transfer == ort_gpu.PINNED

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Parts]) -> list[Array]:
        """Run one pass; arrays by input name to arrays in the order of `outputs`."""
        if self._bound:
            return self._bound.run(outputs, inputs, self._options_of)
        arrays: list[Array]
        if self._gpu.batch_sizes:
            batch = len(next(iter(inputs.values())))
            size = self._gpu.padded(batch)
            padded = {name: _pad(array, size) for name, array in inputs.items()}
            arrays = self._session.run(list(outputs), padded, self._options_of(size))
            return [array[:batch] for array in arrays]
        arrays = self._session.run(list(outputs), inputs, self._options_of(0))
        return arrays

    def _options_of(self, size: int) -> Any:
        key = size if self._gpu.graphs else 0
        if key not in self._run_options:
            options = onnxruntime.RunOptions()
            if self._shrinkage:
                options.add_run_config_entry(
                    "memory.enable_memory_arena_shrinkage", self._shrinkage
                )
            if self._gpu.graphs:
                options.add_run_config_entry("gpu_graph_id", str(key))
            self._run_options[key] = options
        return self._run_options[key]

    def _warm_up(self, config: ort_config.BackendConfig) -> None:
        """Run each batch size once: the choice of algorithms is no caller's wait."""
        outputs = [tensor.name for tensor in config.outputs]
        # The largest first: what is reserved for it serves the others.
        for size in reversed(self._gpu.batch_sizes):
            self.run(
                outputs,
                {
                    tensor.name: np.zeros((size, *tensor.dims), ort_config.dtype_of(tensor))
                    for tensor in config.inputs
                },
            )


def bound_passes(session: Any, config: ort_config.BackendConfig, memory: Memory) -> BoundPasses:
    """Bind a session to memory of a device, as the configuration says."""
    return BoundPasses(session, config, memory, pinned=config.gpu.transfer == ort_gpu.PINNED)


def _pad(array: Any, size: int) -> Any:
    if len(array) == size:
        return array
    padded = np.zeros((size, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded


def providers_for(
    instance: Instance,
    available: Sequence[str],
    *,
    cpu_accelerator: str = "",
    threads: int = 0,
    gpu: Mapping[str, str] | None = None,
) -> list[Any]:
    """Choose onnxruntime's execution providers for an instance.

    Args:
        instance: The instance.
        available: The providers that this build of onnxruntime has.
        cpu_accelerator: `openvino` or empty; concerns instances on the CPU alone.
        threads: Of one pass, for OpenVINO; 0 leaves it the choice.
        gpu: Options of the CUDA provider, by its own names.

    Returns:
        The argument `providers` of `InferenceSession`.

    Raises:
        ProviderError: This build lacks what the instance wants: CUDA or OpenVINO.
    """
    if instance.kind == "CPU" and cpu_accelerator == "openvino":
        return [_openvino(instance, available, threads)]
    if instance.kind == "CPU":
        return ["CPUExecutionProvider"]
    if instance.kind != "GPU":
        raise ProviderError(f"instance {instance.name} is of the unsupported kind {instance.kind}")
    if "CUDAExecutionProvider" not in available:
        raise ProviderError(
            f"instance {instance.name} is KIND_GPU, but this onnxruntime has no "
            f"CUDAExecutionProvider (it has {', '.join(available)}); install onnxruntime-gpu in "
            "its place, or set KIND_CPU"
        )
    return [("CUDAExecutionProvider", {**(gpu or {}), "device_id": str(instance.device_id)})]


def _openvino(instance: Instance, available: Sequence[str], threads: int) -> Any:
    if _OPENVINO not in available:
        raise ProviderError(
            f"instance {instance.name} has the cpu_execution_accelerator openvino, but this "
            f"onnxruntime has no {_OPENVINO} (it has {', '.join(available)}); install "
            "onnxruntime-openvino in its place (the group `serving-openvino`), or leave the "
            "accelerator out"
        )
    # Without the precision OpenVINO may choose bfloat16 where the processor has it.
    chosen = {"device_type": "CPU", "precision": "FP32"}
    return _OPENVINO, chosen | ({"num_of_threads": str(threads)} if threads else {})


def refuse_other_provider(
    instance: Instance, active: Sequence[str], *, cpu_accelerator: str = ""
) -> None:
    """Refuse a session that did not get its provider: onnxruntime itself only logs a warning.

    Args:
        instance: The instance.
        active: The session's providers.
        cpu_accelerator: `openvino` or empty.

    Raises:
        ProviderError: The instance wants a GPU or OpenVINO and the session has none.
    """
    if instance.kind == "CPU" and cpu_accelerator == "openvino" and _OPENVINO not in active:
        raise ProviderError(
            f"instance {instance.name} has the cpu_execution_accelerator openvino, but onnxruntime "
            "could not start it (its log says why); it is not run by onnxruntime's own kernels "
            "instead, leave the accelerator out for that"
        )
    if instance.kind == "GPU" and "CUDAExecutionProvider" not in active:
        raise ProviderError(
            f"instance {instance.name} is KIND_GPU, but onnxruntime could not start CUDA on device "
            f"{instance.device_id} (its log says why: driver, CUDA or cuDNN libraries); it is not "
            "run on the CPU instead, set KIND_CPU for that"
        )


def thread_share(config: ort_config.BackendConfig, instance: Instance, cores: int) -> int:
    """Decide how many threads compute one pass.

    Args:
        config: The model's configuration.
        instance: The instance.
        cores: Cores that the process may use.

    Returns:
        As configured; else, on the CPU, an equal share of the cores: every instance is a process of
        its own, and with all cores for each they would take them from one another. 0 leaves it to
        onnxruntime.
    """
    if config.intra_op_threads or instance.kind != "CPU":
        return config.intra_op_threads
    return max(1, cores // max(1, config.cpu_instances))


def read_graph(path: Path) -> ort_config.Graph:
    """Read what an ONNX file takes and gives.

    Args:
        path: The ONNX file.

    Returns:
        Its inputs and outputs.

    Raises:
        ConfigError: A tensor is of a type that cannot be served.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(path), options, providers=["CPUExecutionProvider"], enable_fallback=0
    )
    return _graph_of(session)


def _session_options(config: ort_config.BackendConfig, instance: Instance) -> Any:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = _LEVELS[config.graph_level]
    cores = len(os.sched_getaffinity(0))
    options.intra_op_num_threads = thread_share(config, instance, cores)
    options.inter_op_num_threads = config.inter_op_threads
    modes = onnxruntime.ExecutionMode
    options.execution_mode = modes.ORT_PARALLEL if config.parallel else modes.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = config.mem_arena
    options.enable_mem_pattern = config.mem_pattern
    # Threads that have nothing to do would spin for a while in hope of the next pass. On a shared
    # host that time is the decoding's and encoding's.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if config.whole_on_device and instance.kind == "GPU":
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    if config.device_initializers:
        options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return options


def _graph_of(session: Any) -> ort_config.Graph:
    return ort_config.Graph(
        inputs=tuple(map(_tensor_of, session.get_inputs())),
        outputs=tuple(map(_tensor_of, session.get_outputs())),
    )


def _tensor_of(node: Any) -> ort_config.Tensor:
    if node.type not in ort_config.TRITON_TYPES:
        raise ort_config.ConfigError(f"tensor {node.name!r} is of the unsupported type {node.type}")
    # onnxruntime gives an open dimension as None or by its name.
    dims = tuple(dim if isinstance(dim, int) else -1 for dim in node.shape)
    return ort_config.Tensor(node.name, ort_config.TRITON_TYPES[node.type], dims)
