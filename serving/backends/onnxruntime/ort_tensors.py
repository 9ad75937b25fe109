"""Tensors between Triton's stub and numpy, without copies.

The stub's own `as_numpy` and its constructor from an array know numpy's memory layout of version 1
alone: under numpy 2 the one returns an array of zeros and the other an empty tensor, both without
an error. DLPack is a stable interface of both sides, and copies nothing.
"""

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt
from ort_memory import DeviceTensor

Array = npt.NDArray[Any]

_set_capsule_name = ctypes.pythonapi.PyCapsule_SetName
_set_capsule_name.argtypes = (ctypes.py_object, ctypes.c_char_p)
_set_capsule_name.restype = ctypes.c_int
_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)
_capsule_pointer.restype = ctypes.c_void_p
# The capsule keeps a pointer to its name: this object must live as long as the process.
_USED = ctypes.c_char_p(b"used_dltensor")


class _DLTensor(ctypes.Structure):
    """DLPack's description of a tensor, the first part of what a capsule points to."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


# DLPack's codes of types, as the letters that NumPy has for them.
_KINDS = {0: "i", 1: "u", 2: "f", 6: "b"}


def to_array(tensor: Any) -> Array:
    """View a request's tensor as an array.

    Args:
        tensor: The stub's tensor, on the CPU.

    Returns:
        A read-only view of the shared memory, valid until the batch has been answered.
    """
    return np.from_dlpack(tensor)


def to_device_tensor(tensor: Any) -> DeviceTensor:
    """Find out where a request's tensor lies on the GPU, without a copy.

    Args:
        tensor: The stub's tensor, on a GPU, C-contiguous as Triton's are.

    Returns:
        Its address, shape and type, valid until the batch has been answered.
    """
    capsule = tensor.to_dlpack()
    found = _DLTensor.from_address(_capsule_pointer(capsule, b"dltensor"))
    shape = tuple(found.shape[axis] for axis in range(found.ndim))
    dtype = np.dtype(f"{_KINDS[found.code]}{found.bits // 8}")
    return DeviceTensor(found.data + found.byte_offset, shape, dtype, capsule)


def from_array(tensor_type: Any, name: str, array: Array) -> Any:
    """Wrap an array as a tensor of a response.

    Args:
        tensor_type: The stub's class of tensors.
        name: The output's name.
        array: C-contiguous and writeable; the tensor keeps it alive.

    Returns:
        The stub's tensor over the same memory.
    """
    capsule = array.__dlpack__()
    tensor = tensor_type.from_dlpack(name, capsule)
    # The stub marks a consumed capsule by a name that numpy does not know ("used_dlpack"); under
    # the name of the DLPack specification numpy's destructor leaves it alone. With the stub's own,
    # each response would write an ignored exception to the log.
    _set_capsule_name(capsule, _USED)
    return tensor
