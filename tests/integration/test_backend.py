"""The Python-based backend `onnxruntime` under the real Triton."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from tritonclient import grpc as triton_grpc
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from tests.integration import toy_models
from tests.integration.processes import Triton, launch_triton

pytestmark = pytest.mark.integration

Array = npt.NDArray[Any]
SERVED = ("invert", "loose", "mixer", "named", "table", "unbatched")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The Python backend starts its stub through a shell and quotes nothing.
    folder = tmp_path_factory.mktemp("a folder with spaces")
    toy_models.write_inverter(folder, config=toy_models.PATIENT + toy_models.ONE_INSTANCE)
    toy_models.write_table(folder)
    toy_models.write_mixer(folder)
    toy_models.write_mixer(
        folder,
        "named",
        # Part of the outputs, and settings by the native backend's names.
        config="max_batch_size: 2\n"
        'output [{ name: "real" data_type: TYPE_FP64 dims: [3] }]\n'
        "optimization { graph { level: 1 } }\n"
        'parameters { key: "intra_op_thread_count" value { string_value: "1" } }\n'
        'parameters { key: "enable_mem_arena" value { string_value: "0" } }\n'
        'parameters { key: "memory.enable_memory_arena_shrinkage" value { string_value: "" } }\n'
        + toy_models.ONE_INSTANCE,
    )
    toy_models.write_unbatched(folder)
    # The configuration lets shapes pass that the graph refuses.
    toy_models.write_inverter(
        folder,
        "loose",
        config=toy_models.PATIENT
        + toy_models.ONE_INSTANCE
        + 'input [{ name: "photo" data_type: TYPE_UINT8 dims: [-1, -1, -1] }]\n'
        'output [{ name: "matte" data_type: TYPE_UINT8 dims: [-1, -1, -1] }]\n',
    )
    toy_models.write_inverter(folder, "gpu", config="instance_group [{ kind: KIND_GPU count: 1 }]")
    toy_models.write_inverter(
        folder, "typo", config='parameters { key: "intra_op_treads" value { string_value: "2" } }'
    )
    toy_models.write_inverter(
        folder,
        "misfit",
        config="max_batch_size: 4\n"
        'input [{ name: "photo" data_type: TYPE_UINT8 dims: [5, 3, 3] }]\n'
        'output [{ name: "matte" data_type: TYPE_UINT8 dims: [2, 3, 3] }]\n',
    )
    for accelerator in ("openvino", "tpu"):
        toy_models.write_inverter(
            folder,
            accelerator,
            config=toy_models.ONE_INSTANCE
            + "optimization { execution_accelerators {\n"
            + f'  cpu_execution_accelerator: [{{ name: "{accelerator}" }}] }} }}\n',
        )
    toy_models.write_echo_of_text(folder)
    broken = toy_models.write_inverter(folder, "broken")
    (broken / "1" / "model.onnx").write_bytes(b"not a model")
    return folder


@pytest.fixture(scope="module")
def server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    started = launch_triton(
        repository,
        tmp_path_factory.mktemp("toys") / "serving.log",
        models=SERVED,
        environ={"PACKSHOT_TRITON_LOG_LEVEL": "info"},
    )
    with started.process:
        started.process.wait_until(started.is_ready, timeout_s=300)
        yield started


@pytest.fixture
def client(server: Triton) -> Iterator[triton_grpc.InferenceServerClient]:
    with server.client() as connected:
        yield connected


def inputs_of(arrays: Mapping[str, Array]) -> list[triton_grpc.InferInput]:
    made = []
    for name, array in arrays.items():
        tensor = triton_grpc.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(array)
        made.append(tensor)
    return made


class Batch:
    """Requests sent at once, so that they meet in the queue."""

    def __init__(self, client: triton_grpc.InferenceServerClient, model: str) -> None:
        self._client = client
        self._model = model
        self._answers: list[list[Any]] = []
        self._calls: list[Any] = []

    def send(self, **arrays: Array) -> Any:
        answer: list[Any] = []
        self._answers.append(answer)
        call = self._client.async_infer(
            self._model,
            inputs_of(arrays),
            lambda result, error: answer.append(error if result is None else result),
            client_timeout=20,
        )
        self._calls.append(call)
        return call

    def answers(self, process: Any) -> list[Any]:
        process.wait_until(lambda: all(self._answers), timeout_s=20)
        return [answer[0] for answer in self._answers]


def photos(count: int, seed: int) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (count, 2, 3, 3), np.uint8)


def test_requests_of_mixed_batch_sizes_share_one_execution_and_get_their_own_results(
    server: Triton, client: triton_grpc.InferenceServerClient
) -> None:
    inferences, executions = server.statistics("invert")
    sent = [photos(count, seed) for seed, count in enumerate((1, 3, 2, 1, 1, 5, 2, 1))]
    batch = Batch(client, "invert")
    for photo in sent:
        batch.send(photo=photo)
    for photo, answer in zip(sent, batch.answers(server.process), strict=True):
        np.testing.assert_array_equal(answer.as_numpy("matte"), 255 - photo)
    more_inferences, more_executions = server.statistics("invert")
    assert more_inferences - inferences == 16
    # Two full batches hold them all, if every request comes in time.
    assert 2 <= more_executions - executions < len(sent)


def test_a_request_that_fills_the_batch_is_answered_alone(
    client: triton_grpc.InferenceServerClient,
) -> None:
    photo = photos(8, 1)
    answer = client.infer("invert", inputs_of({"photo": photo}), client_timeout=20)
    np.testing.assert_array_equal(answer.as_numpy("matte"), 255 - photo)


def test_a_request_whose_content_breaks_the_pass_fails_alone(
    server: Triton, client: triton_grpc.InferenceServerClient
) -> None:
    batch = Batch(client, "table")
    for index in (1, 99, 4, 2):
        batch.send(index=np.array([[index]], np.int64))
    first, culprit, *others = batch.answers(server.process)
    assert isinstance(culprit, InferenceServerException)
    assert "99" in str(culprit)
    values = [answer.as_numpy("value").tolist() for answer in (first, *others)]
    assert values == [[[10]], [[40]], [[20]]]


def test_a_request_of_a_shape_that_the_graph_refuses_fails_alone(
    server: Triton, client: triton_grpc.InferenceServerClient
) -> None:
    good = photos(2, 5)
    batch = Batch(client, "loose")
    batch.send(photo=good)
    batch.send(photo=np.zeros((1, 7, 7, 3), np.uint8))
    batch.send(photo=good[:1])
    first, culprit, last = batch.answers(server.process)
    np.testing.assert_array_equal(first.as_numpy("matte"), 255 - good)
    np.testing.assert_array_equal(last.as_numpy("matte"), 255 - good[:1])
    assert isinstance(culprit, InferenceServerException)
    assert culprit.status() == "StatusCode.INVALID_ARGUMENT"
    assert "photo" in str(culprit)


def test_a_cancelled_request_leaves_its_batch_mates_alone(
    server: Triton, client: triton_grpc.InferenceServerClient
) -> None:
    sent = photos(3, 9)
    batch = Batch(client, "invert")
    batch.send(photo=sent[:1])
    batch.send(photo=sent[1:2]).cancel()
    batch.send(photo=sent[2:])
    first, cancelled, last = batch.answers(server.process)
    np.testing.assert_array_equal(first.as_numpy("matte"), 255 - sent[:1])
    np.testing.assert_array_equal(last.as_numpy("matte"), 255 - sent[2:])
    assert cancelled.status() == "StatusCode.CANCELLED"


def test_a_minimal_configuration_is_completed_from_the_onnx_file(
    client: triton_grpc.InferenceServerClient,
) -> None:
    config = client.get_model_config("mixer", as_json=True, client_timeout=10)["config"]
    assert config["max_batch_size"] == 4
    assert "dynamic_batching" in config
    assert {(i["name"], i["data_type"], *i["dims"]) for i in config["input"]} == {
        ("half", "TYPE_FP16", "2"),
        ("count", "TYPE_INT64", "3"),
    }
    assert {(o["name"], o["data_type"], *o["dims"]) for o in config["output"]} == {
        ("twice", "TYPE_FP16", "2"),
        ("real", "TYPE_FP64", "3"),
        ("positive", "TYPE_BOOL", "3"),
    }


def test_several_inputs_and_outputs_of_several_types_are_served(
    client: triton_grpc.InferenceServerClient,
) -> None:
    arrays: dict[str, Array] = {
        "half": np.array([[0.5, 1.5], [-2, 4]], np.float16),
        "count": np.array([[1, -2, 3], [0, 5, -6]], np.int64),
    }
    answer = client.infer("mixer", inputs_of(arrays), client_timeout=20)
    assert answer.as_numpy("twice").tolist() == [[1, 3], [-4, 8]]
    assert answer.as_numpy("real").tolist() == [[1, -2, 3], [0, 5, -6]]
    assert answer.as_numpy("positive").tolist() == [[True, False, True], [False, True, False]]


def test_a_caller_gets_the_outputs_it_asks_for(client: triton_grpc.InferenceServerClient) -> None:
    arrays: dict[str, Array] = {
        "half": np.ones((1, 2), np.float16),
        "count": np.ones((1, 3), np.int64),
    }
    wanted = [triton_grpc.InferRequestedOutput("real")]
    answer = client.infer("mixer", inputs_of(arrays), outputs=wanted, client_timeout=20)
    assert answer.as_numpy("real").tolist() == [[1, 1, 1]]
    assert answer.as_numpy("twice") is None


def test_a_configuration_may_declare_part_of_the_outputs(
    client: triton_grpc.InferenceServerClient,
) -> None:
    arrays: dict[str, Array] = {
        "half": np.ones((1, 2), np.float16),
        "count": np.full((1, 3), 7, np.int64),
    }
    answer = client.infer("named", inputs_of(arrays), client_timeout=20)
    assert answer.as_numpy("real").tolist() == [[7, 7, 7]]
    assert answer.as_numpy("twice") is None


def test_a_model_without_a_batch_axis_is_served(client: triton_grpc.InferenceServerClient) -> None:
    config = client.get_model_config("unbatched", as_json=True, client_timeout=10)["config"]
    assert config.get("max_batch_size", 0) == 0
    arrays = {"vector": np.array([1, 2, 4.5], np.float32)}
    answer = client.infer("unbatched", inputs_of(arrays), client_timeout=20)
    assert answer.as_numpy("sum").tolist() == [7.5]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("gpu", "KIND_GPU"),
        ("typo", "unknown parameters intra_op_treads"),
        ("misfit", r"\[-1, 5, 3, 3\] in the configuration .* \[-1, 2, 3, 3\] in the ONNX file"),
        ("tpu", "cpu_execution_accelerator is 'tpu'; this backend knows 'openvino'"),
        ("text", r"unsupported type tensor\(string\)"),
        ("broken", "INVALID_PROTOBUF"),
    ],
)
def test_a_model_that_cannot_run_as_configured_is_refused_with_the_reason(
    client: triton_grpc.InferenceServerClient, model: str, reason: str
) -> None:
    with pytest.raises(InferenceServerException, match=reason):
        client.load_model(model, client_timeout=60)
    assert not client.is_model_ready(model, client_timeout=10)


def test_openvino_runs_the_model_that_asks_for_it_or_the_model_is_refused(
    server: Triton, client: triton_grpc.InferenceServerClient
) -> None:
    if "OpenVINOExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(InferenceServerException, match="install onnxruntime-openvino"):
            client.load_model("openvino", client_timeout=60)
        return
    client.load_model("openvino", client_timeout=60)
    photo = photos(2, 4)
    answer = client.infer("openvino", inputs_of({"photo": photo}), client_timeout=20)
    np.testing.assert_array_equal(answer.as_numpy("matte"), 255 - photo)
    assert "OpenVINOExecutionProvider" in server.process.log
