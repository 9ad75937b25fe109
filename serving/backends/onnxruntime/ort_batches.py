"""One dynamic batch: many requests become one pass of the network, and its result many replies.

A request can spoil a shared pass in two ways. By shape: where the configuration leaves a dimension
open (-1) and the graph does not, a wrong shape reaches the backend; such requests differ in shape
and so never share a pass with good ones. By content: indices out of range, sizes computed from
values, division of integers by zero. When a shared pass fails, its requests are therefore run one
by one, and only the culprit gets the error.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Run = Callable[[Sequence[str], dict[str, Any]], list[Array]]


@dataclass(frozen=True, slots=True)
class Work:
    """What one request asks for.

    Attributes:
        inputs: Arrays by name, or tensors on a GPU; the first axis is the request's batch where the
            model has one.
        outputs: Names of the wanted outputs.
    """

    inputs: dict[str, Any]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one request got no result.

    Attributes:
        message: The reason, fit for the caller.
        callers_fault: Whether the request itself was unusable.
    """

    message: str
    callers_fault: bool


class BatchRunner:
    """Runs the requests of dynamic batches.

    Args:
        run: One pass of the network: names of outputs and arrays by input name to a list of arrays.
        max_batch_size: Most photos in one pass; 0: the model has no batch axis.
        takes_parts: Whether `run` joins the tensors of several requests itself.
        overwrites: Whether a pass overwrites what the one before it returned.
    """

    def __init__(
        self,
        run: Run,
        max_batch_size: int,
        *,
        takes_parts: bool = False,
        overwrites: bool = False,
    ) -> None:
        self._run = run
        self._max_batch_size = max_batch_size
        self._takes_parts = takes_parts
        self._overwrites = overwrites
        self._copies = False
        self._buffers: dict[tuple[str, tuple[int, ...], np.dtype[Any]], Array] = {}

    def run(self, works: Sequence[Work]) -> list[dict[str, Array] | Failure]:
        """Answer all requests of one batch.

        Args:
            works: The requests.

        Returns:
            For each, in order: its outputs by name, or why it has none.
        """
        results: dict[int, dict[str, Array] | Failure] = {}
        groups = list(self._groups(works))
        self._copies = self._overwrites and len(groups) > 1
        for members in groups:
            group = [works[index] for index in members]
            results.update(zip(members, self._run_group(group), strict=True))
        return [results[index] for index in range(len(works))]

    def _groups(self, works: Sequence[Work]) -> Iterable[list[int]]:
        if not self._max_batch_size:
            return [[index] for index in range(len(works))]
        groups: dict[frozenset[tuple[str, str, tuple[int, ...]]], list[int]] = {}
        for index, work in enumerate(works):
            key = frozenset((n, a.dtype.str, a.shape[1:]) for n, a in work.inputs.items())
            groups.setdefault(key, []).append(index)
        return groups.values()

    def _run_group(self, group: list[Work]) -> list[dict[str, Array] | Failure]:
        try:
            return list(self._shared_pass(group))
        except Exception as exc:  # noqa: BLE001 - whatever the network raises is some request's answer
            if len(group) == 1:
                return [_failure(exc)]
        self._copies = self._overwrites
        return [self._run_group([work])[0] for work in group]

    def _shared_pass(self, group: list[Work]) -> Iterable[dict[str, Array]]:
        wanted = tuple(dict.fromkeys(name for work in group for name in work.outputs))
        if len(group) == 1:
            arrays = dict(zip(wanted, self._run(wanted, group[0].inputs), strict=True))
            return [{name: self._kept(arrays[name]) for name in group[0].outputs}]
        sizes = [len(next(iter(work.inputs.values()))) for work in group]
        ends = np.cumsum(sizes).tolist()
        feeds = {
            name: self._joined(name, [work.inputs[name] for work in group], ends[-1])
            if not self._takes_parts
            else [work.inputs[name] for work in group]
            for name in group[0].inputs
        }
        arrays = dict(zip(wanted, self._run(wanted, feeds), strict=True))
        for name, array in arrays.items():
            if not array.shape or len(array) != ends[-1]:
                raise ValueError(
                    f"output {name!r} has shape {array.shape} for a batch of {ends[-1]}: "
                    "its first axis is not the batch"
                )
        # Parts along the first axis are contiguous, so the replies are views.
        return [
            {name: self._kept(arrays[name][end - size : end]) for name in work.outputs}
            for work, size, end in zip(group, sizes, ends, strict=True)
        ]

    def _kept(self, array: Array) -> Array:
        return array.copy() if self._copies else np.ascontiguousarray(array)

    def _joined(self, name: str, parts: list[Array], total: int) -> Array:
        """Concatenate along the first axis in memory kept for the purpose."""
        shape, dtype = parts[0].shape[1:], parts[0].dtype
        key = (name, shape, dtype)
        buffer = self._buffers.get(key)
        if buffer is None:
            # One per input: open dimensions could otherwise keep a buffer for every shape seen.
            self._buffers = {old: kept for old, kept in self._buffers.items() if old[0] != name}
            buffer = np.empty((max(self._max_batch_size, total), *shape), dtype)
            self._buffers[key] = buffer
        return np.concatenate(parts, out=buffer[:total])


def _failure(exc: Exception) -> Failure:
    # onnxruntime's own class for unusable inputs; its name is stable, its module is not.
    return Failure(str(exc), callers_fault=type(exc).__name__ == "InvalidArgument")
