"""Passes whose inputs and outputs stay in one place on the GPU (ONNX Runtime's I/O binding).

A request's tensors are copied straight into that place, several requests one behind the other, so
that nothing is joined on the host first. The places never move, which is what CUDA graphs need.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import ort_config
from ort_memory import DeviceTensor, Memory

Array = npt.NDArray[Any]
Part = Array | DeviceTensor
Parts = Part | Sequence[Part]


class BoundPasses:
    """Runs a session on bound memory.

    Args:
        session: ONNX Runtime's.
        config: The model's configuration; every dimension but the batch must be fixed.
        memory: The device's.
        pinned: Whether copies go through page-locked memory.

    Raises:
        ConfigError: The model has no batch axis or an open dimension.
    """

    def __init__(
        self, session: Any, config: ort_config.BackendConfig, memory: Memory, *, pinned: bool
    ) -> None:
        self._session, self._gpu, self._memory, self._pinned = session, config.gpu, memory, pinned
        self._largest = config.max_batch_size
        self._inputs = {tensor.name: self._place(tensor) for tensor in config.inputs}
        self._outputs = {tensor.name: self._place(tensor) for tensor in config.outputs}
        self._bindings: dict[tuple[int, tuple[str, ...]], Any] = {}

    def run(
        self, outputs: Sequence[str], inputs: Mapping[str, Parts], options_of: Any
    ) -> list[Array]:
        """Run one pass.

        Args:
            outputs: The wanted outputs.
            inputs: By name: a tensor, or those of several requests in order.
            options_of: Gives ONNX Runtime's `RunOptions` for a batch size.

        Returns:
            The outputs. With page-locked memory they are views that the next pass overwrites.

        Raises:
            ValueError: A tensor has another shape or type than the model, or there are too many.
        """
        batch = 0
        for name, given in inputs.items():
            parts = [given] if isinstance(given, np.ndarray | DeviceTensor) else given
            batch = self._inputs[name].fill(name, parts, self._memory, self._largest)
        self._memory.settle()
        size = self._gpu.padded(batch)
        binding = self._binding(size, tuple(outputs))
        self._session.run_with_iobinding(binding, options_of(size))
        binding.synchronize_outputs()
        return [self._outputs[name].fetch(batch, self._memory) for name in outputs]

    def _binding(self, size: int, outputs: tuple[str, ...]) -> Any:
        key = size, outputs
        if key not in self._bindings:
            binding = self._session.io_binding()
            device = self._memory.device, self._memory.device_id
            for name, place in self._inputs.items():
                binding.bind_input(
                    name, *device, place.dtype.type, (size, *place.shape), place.address
                )
            for name in outputs:
                place = self._outputs[name]
                binding.bind_output(
                    name, *device, place.dtype.type, (size, *place.shape), place.address
                )
            self._bindings[key] = binding
        return self._bindings[key]

    def _place(self, tensor: ort_config.Tensor) -> "_Place":
        if not self._largest or -1 in tensor.dims:
            raise ort_config.ConfigError(
                f"parameter 'gpu_tensor_transfer' is {self._gpu.transfer!r}: it needs a batch axis "
                f"and no other open dimension, but {tensor.name!r} is {list(tensor.dims)} with "
                f"max_batch_size {self._largest}"
            )
        dtype = ort_config.dtype_of(tensor)
        row_bytes = int(np.prod(tensor.dims, dtype=np.int64)) * dtype.itemsize
        address = self._memory.on_device(self._largest * row_bytes)
        staging = (
            self._memory.on_host((self._largest, *tensor.dims), dtype) if self._pinned else None
        )
        return _Place(address, tensor.dims, dtype, row_bytes, staging)


class _Place:
    """Where one tensor of the model lies, for its largest batch."""

    def __init__(
        self,
        address: int,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        row_bytes: int,
        staging: Array | None,
    ) -> None:
        self.address, self.shape, self.dtype = address, shape, dtype
        self._row_bytes, self._staging = row_bytes, staging

    def fill(self, name: str, parts: Sequence[Part], memory: Memory, largest: int) -> int:
        """Copy parts in, one behind the other; returns the rows."""
        rows = 0
        for part in parts:
            if tuple(part.shape[1:]) != self.shape or part.dtype != self.dtype:
                raise ValueError(
                    f"input {name!r} is {part.dtype} {list(part.shape)}; it must be {self.dtype} "
                    f"{['batch', *self.shape]}"
                )
            if rows + len(part) > largest:
                raise ValueError(f"a batch has more than {largest} rows")
            if isinstance(part, DeviceTensor):
                memory.copy(self._row(rows), part.address, part.nbytes)
            elif self._staging is not None:
                np.copyto(self._staging[rows : rows + len(part)], part)
            else:
                whole = np.ascontiguousarray(part)
                memory.copy(self._row(rows), whole.ctypes.data, whole.nbytes)
            rows += len(part)
        self._send(parts, memory)
        return rows

    def _send(self, parts: Sequence[Part], memory: Memory) -> None:
        """Copy what was gathered in page-locked memory, neighbours together."""
        if self._staging is None:
            return
        start = end = 0
        for part in [*parts, None]:
            if part is not None and not isinstance(part, DeviceTensor):
                end += len(part)
                continue
            if end > start:
                source = self._staging[start:end]
                memory.copy(self._row(start), source.ctypes.data, source.nbytes)
            start = end = end + (len(part) if part is not None else 0)

    def fetch(self, rows: int, memory: Memory) -> Array:
        """Copy rows out."""
        if self._staging is not None:
            target = self._staging[:rows]
        else:
            target = np.empty((rows, *self.shape), self.dtype)
        memory.copy(target.ctypes.data, self.address, target.nbytes)
        return target

    def _row(self, number: int) -> int:
        return self.address + number * self._row_bytes
