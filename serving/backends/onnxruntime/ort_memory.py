"""Memory on a GPU and page-locked memory, by CUDA's runtime library through ctypes."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_LIBRARIES = ("libcudart.so.13", "libcudart.so.12")
_COPY_BY_ADDRESS = 4  # cudaMemcpyDefault: the direction follows from where the pointers point


class CudaError(RuntimeError):
    """CUDA's runtime refused."""


class Memory(Protocol):
    """Where a network's inputs and outputs lie while it runs.

    Attributes:
        device: ONNX Runtime's name of the kind of device.
        device_id: Its number.
    """

    device: str
    device_id: int

    def on_device(self, size_bytes: int) -> int:
        """Reserve memory for the life of the process; returns its address."""

    def on_host(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        """Make an array in memory that the device can copy from and to by itself."""

    def copy(self, target: int, source: int, size_bytes: int) -> None:
        """Copy between any two addresses, of the device or the host."""

    def settle(self) -> None:
        """Wait until every copy has arrived."""


class CudaMemory:
    """Memory of one NVIDIA GPU.

    Args:
        device_id: Its number.

    Raises:
        CudaError: There is no CUDA runtime, or the GPU cannot be used.
    """

    device = "cuda"

    def __init__(self, device_id: int) -> None:
        self.device_id = device_id
        self._runtime = _load()
        for name in ("cudaMemcpy", "cudaMalloc", "cudaHostAlloc", "cudaStreamSynchronize"):
            getattr(self._runtime, name).restype = ctypes.c_int
        self._runtime.cudaGetErrorString.restype = ctypes.c_char_p
        self._runtime.cudaMemcpy.argtypes = (
            *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t),
            ctypes.c_int,
        )
        self._call("cudaSetDevice", ctypes.c_int(device_id))

    def on_device(self, size_bytes: int) -> int:
        """Reserve memory on the GPU."""
        address = ctypes.c_void_p()
        self._call("cudaMalloc", ctypes.byref(address), ctypes.c_size_t(size_bytes))
        return int(address.value or 0)

    def on_host(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        """Make an array in page-locked memory, which lives as long as the process."""
        size_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        address = ctypes.c_void_p()
        self._call(
            "cudaHostAlloc", ctypes.byref(address), ctypes.c_size_t(size_bytes), ctypes.c_uint(0)
        )
        memory = (ctypes.c_uint8 * size_bytes).from_address(int(address.value or 0))
        return np.ctypeslib.as_array(memory).view(dtype).reshape(shape)

    def copy(self, target: int, source: int, size_bytes: int) -> None:
        """Copy; what comes from pageable memory may still be under way afterwards."""
        self._call("cudaMemcpy", target, source, size_bytes, _COPY_BY_ADDRESS)

    def settle(self) -> None:
        """Wait for the default stream, on which the copies run."""
        self._call("cudaStreamSynchronize", ctypes.c_void_p(None))

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._runtime, name)(*arguments)
        if status:
            said = self._runtime.cudaGetErrorString(ctypes.c_int(status)).decode()
            raise CudaError(f"{name} on GPU {self.device_id}: {said} (status {status})")


@dataclass(frozen=True, slots=True)
class DeviceTensor:
    """A request's tensor that lies on the GPU.

    Attributes:
        address: Where.
        shape: Its shape.
        dtype: Its type.
        owner: What keeps the memory.
    """

    address: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    owner: Any

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Its size."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


def _load() -> Any:
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise CudaError(f"there is no CUDA runtime library ({', '.join(_LIBRARIES)})")
