"""Tensors between Triton's stub and numpy, without copies.

The stub's own `as_numpy` and its constructor from an array know numpy's memory layout of version 1
alone: under numpy 2 the one returns an array of zeros and the other an empty tensor, both without
an error. DLPack is a stable interface of both sides, and copies nothing.
"""

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_set_capsule_name = ctypes.pythonapi.PyCapsule_SetName
_set_capsule_name.argtypes = (ctypes.py_object, ctypes.c_char_p)
_set_capsule_name.restype = ctypes.c_int
# The capsule keeps a pointer to its name: this object must live as long as the process.
_USED = ctypes.c_char_p(b"used_dltensor")


def to_array(tensor: Any) -> Array:
    """View a request's tensor as an array.

    Args:
        tensor: The stub's tensor, on the CPU.

    Returns:
        A read-only view of the shared memory, valid until the batch has been answered.
    """
    return np.from_dlpack(tensor)


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
