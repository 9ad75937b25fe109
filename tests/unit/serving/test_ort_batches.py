"""How the backend makes one pass of many requests, and many replies of one pass."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ort_batches import BatchRunner, Failure, Work

Array = npt.NDArray[Any]


class InvalidArgument(Exception):  # noqa: N818 - named as onnxruntime names its own
    pass


class Network:
    """Twice the photo, and its mean; it refuses photos of 7 and of another width than 3."""

    def __init__(self) -> None:
        self.batch_sizes: list[int] = []

    def __call__(self, outputs: Sequence[str], inputs: dict[str, Array]) -> list[Array]:
        photo = inputs["photo"]
        self.batch_sizes.append(len(photo))
        if photo.shape[1:] != (3,):
            raise InvalidArgument(f"got {photo.shape}")
        if (photo == 7).any():
            raise RuntimeError("index 7 is out of range")
        known = {"twice": photo * 2, "mean": photo.mean(axis=1, keepdims=True)}
        return [known[name] for name in outputs]


def photo_of(*rows: int) -> Array:
    return np.repeat(np.array(rows, np.float32)[:, None], 3, axis=1)


def work(*rows: int, outputs: tuple[str, ...] = ("twice",)) -> Work:
    return Work({"photo": photo_of(*rows)}, outputs)


def value_of(result: dict[str, Array] | Failure, name: str = "twice") -> list[float]:
    assert isinstance(result, dict)
    return [float(row[0]) for row in result[name]]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_any_mixture_of_batch_sizes_takes_one_pass_and_splits_exactly(sizes: list[int]) -> None:
    network = Network()
    rows = iter(range(100, 200))
    works = [work(*(next(rows) for _ in range(size))) for size in sizes]
    results = BatchRunner(network, max_batch_size=8).run(works)
    assert network.batch_sizes == [sum(sizes)]
    for asked, result in zip(works, results, strict=True):
        assert isinstance(result, dict)
        np.testing.assert_array_equal(result["twice"], asked.inputs["photo"] * 2)
        assert result["twice"].flags.c_contiguous


def test_a_lone_request_reaches_the_network_without_a_copy() -> None:
    seen: list[Array] = []

    def network(_outputs: Sequence[str], inputs: dict[str, Array]) -> list[Array]:
        seen.append(inputs["photo"])
        return [inputs["photo"]]

    asked = work(1, 2)
    BatchRunner(network, max_batch_size=4).run([asked])
    assert seen[0] is asked.inputs["photo"]


def test_batches_share_one_buffer_for_their_inputs() -> None:
    seen: list[Array] = []

    def network(_outputs: Sequence[str], inputs: dict[str, Array]) -> list[Array]:
        seen.append(inputs["photo"])
        return [inputs["photo"] * 1]

    runner = BatchRunner(network, max_batch_size=4)
    for _ in range(2):
        assert [value_of(r) for r in runner.run([work(1), work(2, 3)])] == [[1], [2, 3]]
    assert np.shares_memory(seen[0], seen[1])


def test_each_request_gets_the_outputs_it_asked_for() -> None:
    both, one = BatchRunner(Network(), max_batch_size=4).run(
        [work(1, outputs=("mean", "twice")), work(4, outputs=("mean",))]
    )
    assert isinstance(both, dict)
    assert isinstance(one, dict)
    assert list(both) == ["mean", "twice"]
    assert list(one) == ["mean"]
    assert value_of(one, "mean") == [4]


def test_only_the_request_that_breaks_the_shared_pass_fails() -> None:
    network = Network()
    results = BatchRunner(network, max_batch_size=8).run([work(1), work(7), work(3, 4)])
    assert value_of(results[0]) == [2]
    assert results[1] == Failure("index 7 is out of range", callers_fault=False)
    assert value_of(results[2]) == [6, 8]
    assert network.batch_sizes == [4, 1, 1, 2]


def test_a_request_of_another_shape_does_not_share_the_pass() -> None:
    network = Network()
    odd = Work({"photo": np.zeros((2, 5), np.float32)}, ("twice",))
    results = BatchRunner(network, max_batch_size=8).run([work(1), odd, work(2)])
    assert [value_of(results[0]), value_of(results[2])] == [[2], [4]]
    assert results[1] == Failure("got (2, 5)", callers_fault=True)
    assert sorted(network.batch_sizes) == [2, 2]


def test_requests_of_a_model_without_a_batch_axis_run_one_by_one() -> None:
    network = Network()
    results = BatchRunner(network, max_batch_size=0).run([work(1, 2), work(3)])
    assert [value_of(result) for result in results] == [[2, 4], [6]]
    assert network.batch_sizes == [2, 1]


def test_an_output_without_the_batch_axis_is_an_error_and_no_mixture() -> None:
    def network(_outputs: Sequence[str], inputs: dict[str, Array]) -> list[Array]:
        return [inputs["photo"].sum(axis=0, keepdims=True)]

    # Alone a request may have such an output: nothing has to be split.
    results = BatchRunner(network, max_batch_size=4).run([work(1), work(2)])
    assert [value_of(result) for result in results] == [[1], [2]]


def test_an_empty_batch_is_answered_by_nothing() -> None:
    assert BatchRunner(Network(), max_batch_size=4).run([]) == []


@pytest.mark.parametrize("dtype", [np.float16, np.uint8, np.int64, np.bool_])
def test_types_survive_joining_and_splitting(dtype: type[np.generic]) -> None:
    def network(_outputs: Sequence[str], inputs: dict[str, Array]) -> list[Array]:
        return [inputs["photo"].copy()]

    works = [Work({"photo": np.ones((n, 2), dtype)}, ("twice",)) for n in (1, 2)]
    results = BatchRunner(network, max_batch_size=4).run(works)
    assert all(isinstance(r, dict) and r["twice"].dtype == dtype for r in results)
