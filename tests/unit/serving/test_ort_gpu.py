"""What a configuration says of GPU instances, and passes on memory that stays bound."""

import ctypes
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from ort_batches import BatchRunner, Work
from ort_config import BackendConfig, ConfigError, parse
from ort_gpu import GpuOptions
from ort_memory import DeviceTensor
from ort_session import Instance, bound_passes, providers_for
from ort_tensors import to_device_tensor

from tests.integration import toy_models

TOY = {
    "name": "toy",
    "max_batch_size": 8,
    "input": [{"name": "photo", "data_type": "TYPE_UINT8", "dims": ["2", "3", "3"]}],
    "output": [{"name": "matte", "data_type": "TYPE_UINT8", "dims": ["2", "3", "3"]}],
}


class HostMemory:
    """Main memory in the place of a GPU's: addresses are as real, and nothing else differs."""

    device = "cpu"
    device_id = 0

    def __init__(self) -> None:
        self.copies: list[int] = []
        self._kept: list[Any] = []

    def on_device(self, size_bytes: int) -> int:
        kept = np.full(size_bytes, 7, np.uint8)
        self._kept.append(kept)
        return kept.ctypes.data

    def on_host(self, shape: Sequence[int], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        return np.zeros(shape, dtype)

    def copy(self, target: int, source: int, size_bytes: int) -> None:
        self.copies.append(size_bytes)
        ctypes.memmove(target, source, size_bytes)

    def settle(self) -> None:
        pass


def configured(cuda: dict[str, str] | None = None, **parameters: str) -> BackendConfig:
    accelerators = {"gpu_execution_accelerator": [{"name": "cuda", "parameters": cuda}]}
    optimization = {"execution_accelerators": accelerators} if cuda else {}
    values = {key: {"string_value": value} for key, value in parameters.items()}
    return parse(json.dumps({**TOY, "parameters": values, "optimization": optimization}))


def gpu_of(cuda: dict[str, str] | None = None, **parameters: str) -> GpuOptions:
    return configured(cuda, **parameters).gpu


def test_the_native_backends_numbers_become_onnxruntimes_names() -> None:
    options = gpu_of(
        cudnn_conv_algo_search="1", arena_extend_strategy="1", gpu_mem_limit="4294967296"
    )
    assert options.provider == {
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
        "gpu_mem_limit": "4294967296",
    }
    assert options.transfer == "host"
    assert options.batch_sizes == ()


def test_options_of_cuda_go_to_the_provider_with_the_device() -> None:
    options = gpu_of({"cudnn_conv_use_max_workspace": "0", "prefer_nhwc": "1", "use_tf32": "0"})
    [(name, given)] = providers_for(
        Instance("toy_0", "GPU", 1), ["CUDAExecutionProvider"], gpu=options.provider
    )
    assert name == "CUDAExecutionProvider"
    assert given == {
        "cudnn_conv_use_max_workspace": "0",
        "prefer_nhwc": "1",
        "use_tf32": "0",
        "device_id": "1",
    }


@pytest.mark.parametrize(
    ("cuda", "parameters", "message"),
    [
        ({}, {"cudnn_conv_algo_search": "3"}, r"'3'; it must be one of 0 \(EXHAUSTIVE\), 1"),
        ({}, {"gpu_mem_limit": "4G"}, "'4G'; it must be a number of bytes"),
        ({"use_tf32": "yes"}, {}, "'yes'; it must be one of 0, 1"),
        ({"user_compute_stream": "1"}, {}, "parameter 'user_compute_stream'"),
        (
            {"cudnn_conv_algo_search": "DEFAULT"},
            {"cudnn_conv_algo_search": "1"},
            "HEURISTIC in the parameters, but DEFAULT",
        ),
        ({}, {"gpu_tensor_transfer": "fast"}, "'fast'; it must be host, bound or pinned"),
        ({}, {"gpu_batch_sizes": "1,4"}, "ends with 4; its last size must be max_batch_size, 8"),
        ({}, {"gpu_batch_sizes": "4,1,8"}, "must be ascending sizes"),
        ({}, {"gpu_batch_sizes": "1,x,8"}, "must be ascending sizes"),
        ({"enable_cuda_graph": "1"}, {"gpu_batch_sizes": "1,8"}, "needs tensors that stay"),
        ({"enable_cuda_graph": "1"}, {"gpu_tensor_transfer": "bound"}, "one graph for each"),
        ({}, {"FORCE_CPU_ONLY_INPUT_TENSORS": "no"}, "'gpu_tensor_transfer' to be bound or"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    cuda: dict[str, str], parameters: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        configured(cuda, **parameters)


def test_a_batch_is_padded_to_the_next_size() -> None:
    options = gpu_of(gpu_batch_sizes="1,4,8")
    assert [options.padded(batch) for batch in (1, 2, 4, 5, 8)] == [1, 4, 4, 8, 8]
    assert GpuOptions({}).padded(3) == 3


@pytest.fixture
def toy(tmp_path: Path) -> Any:
    file = toy_models.write_inverter(tmp_path) / "1" / "model.onnx"
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


def photos(*sizes: int) -> list[npt.NDArray[np.uint8]]:
    rng = np.random.default_rng(3)
    return [rng.integers(0, 256, (size, 2, 3, 3), np.uint8) for size in sizes]


@pytest.mark.parametrize("transfer", ["bound", "pinned"])
def test_requests_are_gathered_in_bound_memory_and_answered_in_order(
    toy: Any, transfer: str
) -> None:
    config = configured(gpu_tensor_transfer=transfer, gpu_batch_sizes="1,4,8")
    sizes: list[int] = []
    passes = bound_passes(toy, config, HostMemory())
    runner = BatchRunner(
        lambda outputs, inputs: passes.run(outputs, inputs, sizes.append),
        max_batch_size=8,
        takes_parts=True,
        overwrites=transfer == "pinned",
    )
    for given in (photos(1, 2, 2), photos(1), photos(2, 1), photos(8)):
        found = runner.run([Work({"photo": one}, ("matte",)) for one in given])
        for photo, answer in zip(given, found, strict=True):
            assert isinstance(answer, dict)
            np.testing.assert_array_equal(answer["matte"], 255 - photo)
    assert sizes == [8, 1, 4, 8]


def test_tensors_on_the_device_are_copied_there_and_the_others_together(toy: Any) -> None:
    memory = HostMemory()
    passes = bound_passes(toy, configured(gpu_tensor_transfer="pinned"), memory)
    parts = photos(1, 1, 2, 1)
    there = DeviceTensor(parts[2].ctypes.data, parts[2].shape, parts[2].dtype, parts[2])
    (found,) = passes.run(
        ["matte"], {"photo": [parts[0], parts[1], there, parts[3]]}, lambda _size: None
    )
    np.testing.assert_array_equal(found, 255 - np.concatenate(parts))
    row = parts[0].nbytes
    assert memory.copies == [2 * row, 2 * row, row, 5 * row]


def test_a_tensor_that_does_not_fit_spoils_its_own_request_alone(toy: Any) -> None:
    passes = bound_passes(toy, configured(gpu_tensor_transfer="pinned"), HostMemory())
    runner = BatchRunner(
        lambda outputs, inputs: passes.run(outputs, inputs, lambda _size: None),
        max_batch_size=8,
        takes_parts=True,
        overwrites=True,
    )
    first, second = photos(1, 1)
    wrong = np.zeros((1, 2, 3, 4), np.uint8)
    good, bad, other = runner.run([Work({"photo": p}, ("matte",)) for p in (first, wrong, second)])
    assert isinstance(good, dict)
    assert isinstance(other, dict)
    np.testing.assert_array_equal(good["matte"], 255 - first)
    np.testing.assert_array_equal(other["matte"], 255 - second)
    assert "must be uint8 ['batch', 2, 3, 3]" in str(bad)


def test_bound_memory_needs_every_dimension(toy: Any) -> None:
    config = configured(gpu_tensor_transfer="bound")
    with pytest.raises(ConfigError, match="needs a batch axis and no other open dimension"):
        bound_passes(toy, replace(config, max_batch_size=0), HostMemory())


def test_a_tensors_address_is_read_from_dlpack() -> None:
    (array,) = photos(3)

    class Tensor:
        def to_dlpack(self) -> Any:
            return array.__dlpack__()

    found = to_device_tensor(Tensor())
    assert found.dtype == np.uint8
    assert (found.address, found.shape) == (array.ctypes.data, array.shape)
