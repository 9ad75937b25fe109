"""What the backend reads from a model's configuration, completes and refuses."""

import json
from typing import Any

import pytest
from ort_completion import complete, is_complete
from ort_config import ConfigError, Graph, Tensor, check_against, parse

PHOTO = {"name": "photo", "data_type": "TYPE_UINT8", "dims": ["4", "4", "3"]}
MATTE = {"name": "matte", "data_type": "TYPE_UINT8", "dims": ["4", "4", "1"]}
GRAPH = Graph(
    inputs=(Tensor("photo", "TYPE_UINT8", (-1, 4, 4, 3)),),
    outputs=(
        Tensor("matte", "TYPE_UINT8", (-1, 4, 4, 1)),
        Tensor("edge", "TYPE_FP16", (-1, 4, 4, 1)),
    ),
)


def config_of(**changes: Any) -> str:
    base = {"name": "matte", "max_batch_size": 8, "input": [PHOTO], "output": [MATTE]}
    return json.dumps({**base, **changes})


def parameters(**values: str) -> dict[str, dict[str, str]]:
    return {key: {"string_value": value} for key, value in values.items()}


def accelerator(*asked: dict[str, Any]) -> dict[str, Any]:
    return {"optimization": {"execution_accelerators": {"cpu_execution_accelerator": list(asked)}}}


def test_the_cpus_accelerator_is_read_by_tritons_key() -> None:
    assert parse(config_of()).cpu_accelerator == ""
    assert parse(config_of(**accelerator())).cpu_accelerator == ""
    assert parse(config_of(**accelerator({"name": "openvino"}))).cpu_accelerator == "openvino"


def test_unset_values_are_onnxruntimes_but_for_the_memory_pattern() -> None:
    config = parse(config_of())
    assert config.file_name == "model.onnx"
    assert config.max_batch_size == 8
    assert config.graph_level == config.intra_op_threads == config.inter_op_threads == 0
    assert config.mem_arena
    assert not config.mem_pattern
    assert not config.parallel
    assert config.inputs == (Tensor("photo", "TYPE_UINT8", (4, 4, 3)),)


def test_the_native_backends_keys_are_read() -> None:
    values = {
        "intra_op_thread_count": "3",
        "inter_op_thread_count": "2",
        "execution_mode": "1",
        "enable_mem_arena": "0",
        "enable_mem_pattern": "true",
        "memory.enable_memory_arena_shrinkage": "cpu:0",
        "session.use_device_allocator_for_initializers": "1",
    }
    config = parse(
        config_of(parameters=parameters(**values), optimization={"graph": {"level": -1}})
    )
    assert (config.intra_op_threads, config.inter_op_threads, config.parallel) == (3, 2, True)
    assert (config.mem_arena, config.mem_pattern) == (False, True)
    assert config.arena_shrinkage == "cpu:0"
    assert config.device_initializers
    assert config.graph_level == -1


def test_instances_on_the_cpu_are_counted() -> None:
    groups = [
        {"kind": "KIND_CPU", "count": 2},
        {"kind": "KIND_GPU", "count": 4},
        {"kind": "KIND_CPU", "count": 1},
    ]
    assert parse(config_of(instance_group=groups)).cpu_instances == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": parameters(intra_op_treads="2")}, "unknown parameters intra_op_treads"),
        ({"parameters": parameters(intra_op_thread_count="-1")}, "must be 0 to 1024"),
        ({"parameters": parameters(enable_mem_arena="maybe")}, "must be 0 or 1"),
        ({"optimization": {"graph": {"level": 3}}}, "must be -1, 0, 1 or 2"),
        (
            {"optimization": {"execution_accelerators": {"gpu_execution_accelerator": [{}]}}},
            "gpu_execution_accelerator is ''; this backend knows 'cuda' alone",
        ),
        (accelerator({"name": "tpu"}), "cpu_execution_accelerator is 'tpu'; .* knows 'openvino'"),
        (accelerator({"name": "openvino"}, {"name": "openvino"}), "one at a time"),
        (accelerator({"name": "openvino", "parameters": {"x": "1"}}), "has the parameters x"),
        ({"sequence_batching": {"state": []}}, "sequence_batching"),
        ({"model_transaction_policy": {"decoupled": True}}, "decoupled"),
        ({"input": [{**PHOTO, "allow_ragged_batch": True}]}, "allow_ragged_batch"),
        ({"batch_input": [{"kind": "BATCH_ELEMENT_COUNT"}]}, "batch_input"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(config_of(**changes))


def test_a_full_configuration_needs_no_completion() -> None:
    assert is_complete(json.loads(config_of(dynamic_batching={})))


@pytest.mark.parametrize(
    "changes",
    [
        {},  # no scheduler
        {"max_batch_size": 0, "dynamic_batching": {}},
        {"input": [], "dynamic_batching": {}},
        {"output": [{"name": "matte"}], "dynamic_batching": {}},
    ],
)
def test_a_gap_calls_for_completion(changes: dict[str, Any]) -> None:
    assert not is_complete(json.loads(config_of(**changes)))


def test_everything_is_completed_from_an_open_batch_axis() -> None:
    added = complete({"input": [], "output": []}, GRAPH)
    assert added.max_batch_size == 4
    assert added.dynamic_batching
    assert added.inputs == [{"name": "photo", "data_type": "TYPE_UINT8", "dims": [4, 4, 3]}]
    assert [entry["name"] for entry in added.outputs] == ["matte", "edge"]


def test_what_is_declared_stays() -> None:
    config = {
        "max_batch_size": 16,
        "input": [{"name": "photo", "data_type": "TYPE_INVALID", "dims": []}],
        "output": [MATTE],
        "dynamic_batching": {"max_queue_delay_microseconds": 5},
    }
    added = complete(config, GRAPH)
    assert added.max_batch_size == 16
    assert not added.dynamic_batching
    assert [entry["name"] for entry in added.inputs] == ["photo"]
    assert added.outputs == []


def test_a_graph_without_an_open_batch_axis_is_not_batched() -> None:
    fixed = Graph(
        inputs=(Tensor("vector", "TYPE_FP32", (3,)),), outputs=(Tensor("sum", "TYPE_FP32", (1,)),)
    )
    added = complete({"input": [], "output": []}, fixed)
    assert added.max_batch_size == 0
    assert not added.dynamic_batching
    assert added.inputs == [{"name": "vector", "data_type": "TYPE_FP32", "dims": [3]}]


def test_a_configuration_fits_its_graph() -> None:
    check_against(parse(config_of()), GRAPH)
    check_against(parse(config_of(input=[{**PHOTO, "dims": ["-1", "-1", "3"]}])), GRAPH)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input": [{**PHOTO, "name": "image"}]}, "inputs image, the ONNX file photo"),
        ({"input": [{**PHOTO, "data_type": "TYPE_FP32"}]}, "TYPE_FP32 .* but TYPE_UINT8"),
        ({"input": [{**PHOTO, "dims": ["4", "5", "3"]}]}, r"\[-1, 4, 5, 3\]"),
        ({"max_batch_size": 0}, r"\[4, 4, 3\]"),
        ({"output": [{**MATTE, "name": "mask"}]}, "no output 'mask', only matte, edge"),
    ],
)
def test_a_misfit_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_against(parse(config_of(**changes)), GRAPH)


def test_a_reshaped_input_is_compared_by_its_new_shape() -> None:
    reshaped = {**PHOTO, "dims": ["48"], "reshape": {"shape": ["4", "4", "3"]}}
    check_against(parse(config_of(input=[reshaped])), GRAPH)
