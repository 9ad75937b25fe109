"""What a configuration says of instances on a GPU: options of the CUDA provider, ways of tensors.

`parameters` has the names that the native backend had first, with its numbers;
`optimization.execution_accelerators.gpu_execution_accelerator` with the name `cuda` has the names
and values of ONNX Runtime itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

HOST, BOUND, PINNED = "host", "bound", "pinned"
_FLAGS = ("0", "1")
_SEARCHES = ("EXHAUSTIVE", "HEURISTIC", "DEFAULT")
_STRATEGIES = ("kNextPowerOfTwo", "kSameAsRequested")
_MOST_BYTES = 2**63 - 1

# By ONNX Runtime's names: the values that each may have; none listed: a number of bytes.
_CUDA_OPTIONS: dict[str, tuple[str, ...]] = {
    "arena_extend_strategy": _STRATEGIES,
    "cudnn_conv_algo_search": _SEARCHES,
    "cudnn_conv_use_max_workspace": _FLAGS,
    "do_copy_in_default_stream": _FLAGS,
    "enable_cuda_graph": _FLAGS,
    "gpu_mem_limit": (),
    "prefer_nhwc": _FLAGS,
    "use_ep_level_unified_stream": _FLAGS,
    "use_tf32": _FLAGS,
}
# By the native backend's keys in `parameters`: its numbers stand for these values, in order.
_NUMBERED: dict[str, tuple[str, ...]] = {
    "arena_extend_strategy": _STRATEGIES,
    "cudnn_conv_algo_search": _SEARCHES,
    "do_copy_in_default_stream": _FLAGS,
    "gpu_mem_limit": (),
}


class GpuConfigError(ValueError):
    """What is asked of the GPU cannot be done."""


@dataclass(frozen=True, slots=True)
class GpuOptions:
    """How instances on a GPU run.

    Attributes:
        provider: Options of the CUDA provider, by ONNX Runtime's names.
        transfer: How tensors get to the GPU and back: `host` (ONNX Runtime copies arrays), `bound`
            (copied straight into memory on the GPU that stays bound) or `pinned` (the same through
            page-locked memory).
        batch_sizes: The sizes that passes are padded to, ascending, the last one the largest
            batch; none: every batch as it comes.
    """

    provider: Mapping[str, str]
    transfer: str = HOST
    batch_sizes: tuple[int, ...] = ()

    @property
    def graphs(self) -> bool:
        """Whether passes are captured as CUDA graphs, one for each batch size."""
        return self.provider.get("enable_cuda_graph") == "1"

    def padded(self, batch: int) -> int:
        """Return the size that a batch is padded to."""
        return next((size for size in self.batch_sizes if size >= batch), batch)


def parse_gpu(
    text: Callable[[str], str], optimization: Mapping[str, Any], max_batch_size: int
) -> GpuOptions:
    """Read and check what a configuration says of the GPU.

    Args:
        text: Gives a parameter's text by its key, empty where it is unset.
        optimization: The configuration's `optimization`.
        max_batch_size: The model's.

    Returns:
        The options.

    Raises:
        GpuConfigError: A value is unknown, or two contradict each other; the message names it.
    """
    numbers = {key: text(key) for key in _NUMBERED}
    provider = {key: _numbered(key, value) for key, value in numbers.items() if value}
    for key, value in _accelerator(optimization).items():
        if provider.get(key, value) != value:
            raise GpuConfigError(
                f"{key} is {provider[key]} in the parameters, but {value} in the "
                "gpu_execution_accelerator"
            )
        provider[key] = value
    transfer = text("gpu_tensor_transfer") or HOST
    if transfer not in (HOST, BOUND, PINNED):
        raise GpuConfigError(
            f"parameter 'gpu_tensor_transfer' is {transfer!r}; it must be host, bound or pinned"
        )
    options = GpuOptions(provider, transfer, _sizes(text("gpu_batch_sizes"), max_batch_size))
    if options.graphs and (transfer == HOST or not options.batch_sizes):
        raise GpuConfigError(
            "enable_cuda_graph needs tensors that stay in place (parameter 'gpu_tensor_transfer': "
            "bound or pinned) and 'gpu_batch_sizes', one graph for each"
        )
    return options


def _numbered(key: str, text: str) -> str:
    values = _NUMBERED[key]
    if not values:
        return _bytes(f"parameter {key!r}", text)
    if not text.isdecimal() or int(text) >= len(values):
        meanings = ", ".join(f"{number} ({value})" for number, value in enumerate(values))
        raise GpuConfigError(f"parameter {key!r} is {text!r}; it must be one of {meanings}")
    return values[int(text)]


def _bytes(what: str, text: str) -> str:
    if not text.isdecimal() or not 0 < int(text) <= _MOST_BYTES:
        raise GpuConfigError(f"{what} is {text!r}; it must be a number of bytes above 0")
    return text


def _accelerator(optimization: Mapping[str, Any]) -> dict[str, str]:
    asked = optimization.get("execution_accelerators", {}).get("gpu_execution_accelerator", [])
    names = [str(one.get("name", "")) for one in asked]
    if not names:
        return {}
    if names != ["cuda"]:
        raise GpuConfigError(
            f"gpu_execution_accelerator is {', '.join(map(repr, names))}; this backend knows "
            "'cuda' alone, Triton's native backend the others"
        )
    found = {key: str(value) for key, value in asked[0].get("parameters", {}).items()}
    for key, value in found.items():
        if key not in _CUDA_OPTIONS:
            raise GpuConfigError(
                f"gpu_execution_accelerator 'cuda' has the parameter {key!r}; this backend knows "
                f"{', '.join(_CUDA_OPTIONS)}"
            )
        known = _CUDA_OPTIONS[key]
        if not known:
            _bytes(f"{key!r} of the gpu_execution_accelerator", value)
        elif value not in known:
            raise GpuConfigError(
                f"{key!r} of the gpu_execution_accelerator is {value!r}; it must be one of "
                f"{', '.join(known)}"
            )
    return found


def _sizes(text: str, max_batch_size: int) -> tuple[int, ...]:
    if not text:
        return ()
    parts = [part.strip() for part in text.split(",")]
    sizes = tuple(int(part) for part in parts if part.isdecimal())
    if len(sizes) < len(parts) or sizes != tuple(sorted(set(sizes))) or 0 in sizes:
        raise GpuConfigError(
            f"parameter 'gpu_batch_sizes' is {text!r}; it must be ascending sizes, such as 1,4,16"
        )
    if sizes[-1] != max_batch_size:
        raise GpuConfigError(
            f"parameter 'gpu_batch_sizes' ends with {sizes[-1]}; its last size must be "
            f"max_batch_size, {max_batch_size}"
        )
    return sizes
