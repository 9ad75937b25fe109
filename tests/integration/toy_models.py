"""Tiny ONNX models, each made for one behaviour of the backend."""

from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

ONE_INSTANCE = "instance_group [{ kind: KIND_CPU count: 1 }]\n"
# Long enough that requests sent one after another meet in one batch.
PATIENT = "max_batch_size: 8\ndynamic_batching { max_queue_delay_microseconds: 300000 }\n"


def write_model(
    repository: Path,
    name: str,
    nodes: Sequence[onnx.NodeProto],
    inputs: dict[str, tuple[int, Sequence[int | str]]],
    outputs: dict[str, tuple[int, Sequence[int | str]]],
    *,
    constants: Sequence[onnx.TensorProto] = (),
    config: str = "",
) -> Path:
    """Write a model folder.

    Args:
        repository: The model repository.
        name: The model's name.
        nodes: Its graph.
        inputs: ONNX type and shape by name.
        outputs: ONNX type and shape by name.
        constants: Initializers of the graph.
        config: What `config.pbtxt` says beside the backend.

    Returns:
        The model's folder.
    """
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(key, *value) for key, value in inputs.items()],
        [helper.make_tensor_value_info(key, *value) for key, value in outputs.items()],
        list(constants),
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="test"
    )
    onnx.checker.check_model(model)
    folder = repository / name
    (folder / "1").mkdir(parents=True)
    onnx.save(model, folder / "1" / "model.onnx")
    (folder / "config.pbtxt").write_text(f'backend: "onnxruntime"\n{config}')
    return folder


def write_inverter(repository: Path, name: str = "invert", config: str = "") -> Path:
    """255 minus the photo: `photo` uint8 (N, 2, 3, 3) to `matte` of the same shape."""
    return write_model(
        repository,
        name,
        # uint8 has Sub from opset 14 on, but no kernel everywhere; BitwiseNot would need opset 18.
        [
            helper.make_node("Cast", ["photo"], ["wide"], to=TensorProto.INT32),
            helper.make_node("Sub", ["white", "wide"], ["inverse"]),
            helper.make_node("Cast", ["inverse"], ["matte"], to=TensorProto.UINT8),
        ],
        {"photo": (TensorProto.UINT8, ["N", 2, 3, 3])},
        {"matte": (TensorProto.UINT8, ["N", 2, 3, 3])},
        constants=[helper.make_tensor("white", TensorProto.INT32, [1], [255])],
        config=config,
    )


def write_table(
    repository: Path, name: str = "table", config: str = PATIENT + ONE_INSTANCE
) -> Path:
    """Ten times the index, of 0 to 4: `index` int64 (N, 1) to `value`; others make it fail."""
    return write_model(
        repository,
        name,
        [helper.make_node("Gather", ["values", "index"], ["value"], axis=0)],
        {"index": (TensorProto.INT64, ["N", 1])},
        {"value": (TensorProto.INT64, ["N", 1])},
        constants=[helper.make_tensor("values", TensorProto.INT64, [5], [0, 10, 20, 30, 40])],
        config=config,
    )


def write_mixer(repository: Path, name: str = "mixer", config: str = "") -> Path:
    """Two inputs and three outputs, each of another type; all with an open batch axis."""
    return write_model(
        repository,
        name,
        [
            helper.make_node("Add", ["half", "half"], ["twice"]),
            helper.make_node("Cast", ["count"], ["real"], to=TensorProto.DOUBLE),
            helper.make_node("Greater", ["count", "zero"], ["positive"]),
        ],
        {"half": (TensorProto.FLOAT16, ["N", 2]), "count": (TensorProto.INT64, ["N", 3])},
        {
            "twice": (TensorProto.FLOAT16, ["N", 2]),
            "real": (TensorProto.DOUBLE, ["N", 3]),
            "positive": (TensorProto.BOOL, ["N", 3]),
        },
        constants=[helper.make_tensor("zero", TensorProto.INT64, [1], [0])],
        config=config,
    )


def write_unbatched(repository: Path, name: str = "unbatched", config: str = "") -> Path:
    """The sum of a vector of three: `vector` float32 (3,) to `sum` (1,); no batch axis."""
    return write_model(
        repository,
        name,
        [helper.make_node("ReduceSum", ["vector"], ["sum"], keepdims=1)],
        {"vector": (TensorProto.FLOAT, [3])},
        {"sum": (TensorProto.FLOAT, [1])},
        config=config,
    )


def write_echo_of_text(repository: Path, name: str = "text") -> Path:
    """A model of strings, which the backend does not serve."""
    return write_model(
        repository,
        name,
        [helper.make_node("Identity", ["text"], ["echo"])],
        {"text": (TensorProto.STRING, ["N", 1])},
        {"echo": (TensorProto.STRING, ["N", 1])},
    )


def write_slow(repository: Path, name: str = "slow", steps: int = 3) -> Path:
    """A pass of about a tenth of a second: `level` float32 (1,) to `mean` (1,), the same value."""
    size = 1024
    nodes = [
        helper.make_node("Div", ["level", "size"], ["part"]),
        helper.make_node("Expand", ["part", "shape"], ["step0"]),
        # The row sums of the second factor are one, so every product equals the first factor.
        helper.make_node("Div", ["step0", "level"], ["averaging"]),
        *(
            helper.make_node("MatMul", [f"step{step}", "averaging"], [f"step{step + 1}"])
            for step in range(steps)
        ),
        helper.make_node("ReduceSum", [f"step{steps}", "axis"], ["rows"], keepdims=0),
        helper.make_node("ReduceMean", ["rows"], ["mean"], keepdims=1),
    ]
    return write_model(
        repository,
        name,
        nodes,
        {"level": (TensorProto.FLOAT, [1])},
        {"mean": (TensorProto.FLOAT, [1])},
        constants=[
            helper.make_tensor("size", TensorProto.FLOAT, [1], [size]),
            helper.make_tensor("shape", TensorProto.INT64, [2], [size, size]),
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        ],
        config=ONE_INSTANCE,
    )


def write_slow_matting(repository: Path, config: str, name: str = "slow", steps: int = 6) -> Path:
    """A tenth of a second for six steps: `photo` uint8 (1, 2, 3, 3) to its greatest channel."""
    size = 1024
    nodes = [
        helper.make_node("Cast", ["photo"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["levels"], ["level"], keepdims=0),
        helper.make_node("Expand", ["level", "shape"], ["step0"]),
        # Its row sums are one, so that no product grows beyond what a float holds.
        helper.make_node("Expand", ["part", "shape"], ["averaging"]),
        *(
            helper.make_node("MatMul", [f"step{step}", "averaging"], [f"step{step + 1}"])
            for step in range(steps)
        ),
        helper.make_node("ReduceMean", [f"step{steps}"], ["worked"], keepdims=0),
        helper.make_node("Mul", ["worked", "zero"], ["nothing"]),
        helper.make_node("ReduceMax", ["levels"], ["greatest"], axes=[3], keepdims=1),
        helper.make_node("Add", ["greatest", "nothing"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["matte"], to=TensorProto.UINT8),
    ]
    return write_model(
        repository,
        name,
        nodes,
        {"photo": (TensorProto.UINT8, ["N", 2, 3, 3])},
        {"matte": (TensorProto.UINT8, ["N", 2, 3, 1])},
        constants=[
            helper.make_tensor("shape", TensorProto.INT64, [2], [size, size]),
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("part", TensorProto.FLOAT, [], [1 / size]),
        ],
        config=config,
    )
