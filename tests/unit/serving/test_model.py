"""The backend's entry, with a stand-in for the module that Triton's stub provides."""

import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import ort_batches
import pytest

from tests.integration.processes import ROOT

Array = npt.NDArray[Any]
BACKEND = ROOT / "serving" / "backends" / "onnxruntime"


@dataclass
class Tensor:
    """A tensor of the stub: DLPack in and out, as under numpy 2."""

    label: str
    array: Array

    def name(self) -> str:
        return self.label

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0

    @classmethod
    def from_dlpack(cls, name: str, capsule: Any) -> "Tensor":
        class Consumer:
            def __dlpack__(self, **_options: Any) -> Any:
                return capsule

            def __dlpack_device__(self) -> tuple[int, int]:
                return 1, 0

        return cls(name, np.from_dlpack(Consumer()))

    def is_cpu(self) -> bool:
        return True


@dataclass
class TritonError(Exception):
    message: str
    code: str

    INTERNAL = "INTERNAL"
    INVALID_ARG = "INVALID_ARG"
    CANCELLED = "CANCELLED"


@dataclass
class Response:
    output_tensors: Sequence[Tensor]
    error: TritonError | None = None


@dataclass
class Request:
    rows: Sequence[int]
    cancelled: bool = False
    outputs: Sequence[str] = field(default_factory=lambda: ["twice"])

    def is_cancelled(self) -> bool:
        return self.cancelled

    def inputs(self) -> list[Tensor]:
        return [Tensor("row", np.array(self.rows, np.int32)[:, None])]

    def requested_output_names(self) -> Sequence[str]:
        return self.outputs


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Any:
    stub = ModuleType("triton_python_backend_utils")
    vars(stub).update(Tensor=Tensor, TritonError=TritonError, InferenceResponse=Response)
    monkeypatch.setitem(sys.modules, stub.__name__, stub)
    spec = importlib.util.spec_from_file_location("backend_model", Path(BACKEND, "model.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model(backend: Any) -> Any:
    """An instance without a session; its network doubles, and refuses 7."""
    instance = backend.TritonPythonModel()
    instance.passes = []

    def network(_outputs: Sequence[str], inputs: dict[str, Array]) -> list[Array]:
        instance.passes.append(inputs["row"].ravel().tolist())
        if 7 in inputs["row"]:
            raise RuntimeError("7 is out of range")
        return [inputs["row"] * 2]

    instance._batches = ort_batches.BatchRunner(network, max_batch_size=8)  # noqa: SLF001
    return instance


def test_a_cancelled_request_is_not_computed_and_its_batch_mates_are(model: Any) -> None:
    first, cancelled, last = model.execute(
        [Request([1]), Request([2], cancelled=True), Request([3, 4])]
    )
    assert model.passes == [[1, 3, 4]]
    assert first.output_tensors[0].array.tolist() == [[2]]
    assert last.output_tensors[0].array.tolist() == [[6], [8]]
    assert cancelled.error.code == "CANCELLED"


def test_a_batch_of_cancelled_requests_costs_no_pass(model: Any) -> None:
    responses = model.execute([Request([1], cancelled=True)] * 2)
    assert model.passes == []
    assert [response.error.code for response in responses] == ["CANCELLED"] * 2


def test_errors_and_results_keep_the_order_of_the_requests(model: Any) -> None:
    culprit, good = model.execute([Request([7]), Request([5])])
    assert culprit.error == TritonError("7 is out of range", "INTERNAL")
    assert good.error is None
    assert good.output_tensors[0].name() == "twice"
    assert good.output_tensors[0].array.tolist() == [[10]]
