"""A published graph is put in order, freed of what nobody asks for, and takes another side."""

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the export group (onnx) is not installed")
ort = pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is missing")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from export.errors import ModelFileError  # noqa: E402
from export.published import (  # noqa: E402
    is_half_precision,
    keep_output,
    reads,
    set_side,
    sort_nodes,
    to_full_precision,
)

SIDE = 8
FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def value(name: str, kind: int = FLOAT, side: int | str = SIDE) -> Any:
    return helper.make_tensor_value_info(name, kind, [1, 1, side, side])


def halving_model(kind: int = FLOAT, side: int | str = SIDE) -> Any:
    """Halve a picture and enlarge it again to a size that tracing has fixed; one more output."""
    weight = numpy_helper.from_array(
        np.full((1, 1, 1, 1), 0.5, np.float16 if kind == HALF else np.float32), "weight"
    )
    sizes = numpy_helper.from_array(np.array([SIDE, SIDE]), "sizes")
    nodes = [
        helper.make_node("Cast", ["photo"], ["entered"], to=kind),
        helper.make_node("Conv", ["entered", "weight"], ["filtered"], name="/a/Conv"),
        helper.make_node("MaxPool", ["filtered"], ["halved"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Shape", ["halved"], ["shape"], start=0, end=2),
        helper.make_node("Concat", ["shape", "sizes"], ["target"], axis=0),
        helper.make_node("Cast", ["halved"], ["single"], to=FLOAT),
        helper.make_node("Resize", ["single", "", "", "target"], ["matte"], mode="linear"),
        helper.make_node("Cast", ["shape"], ["sides"], to=FLOAT),
    ]
    outputs = [value("matte", FLOAT, side), helper.make_tensor_value_info("sides", FLOAT, [2])]
    graph = helper.make_graph(
        nodes, "graph", [value("photo", FLOAT, side)], outputs, [weight, sizes]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(model: Any, photo: np.ndarray) -> Any:
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString())
    return session.run([session.get_outputs()[0].name], {"photo": photo})[0]


def photo(side: int = SIDE) -> np.ndarray:
    return np.random.default_rng(3).random((1, 1, side, side), np.float32)


def test_nodes_in_any_order_are_put_in_order_and_answer_the_same() -> None:
    model = halving_model()
    wanted = answer(model, photo())
    nodes = list(model.graph.node)
    for shuffle in range(8):
        shuffled = [nodes[number] for number in np.random.default_rng(shuffle).permutation(8)]
        other = halving_model()
        del other.graph.node[:]
        other.graph.node.extend(shuffled)
        sort_nodes(other.graph)
        np.testing.assert_array_equal(answer(other, photo()), wanted)


def test_nodes_in_order_stay_as_they_are() -> None:
    model = halving_model()
    before = model.SerializeToString(deterministic=True)
    sort_nodes(model.graph)
    assert model.SerializeToString(deterministic=True) == before


def test_a_circle_of_nodes_is_refused() -> None:
    model = halving_model()
    model.graph.node[1].input[0] = "matte"
    with pytest.raises(ModelFileError, match="nodes wait for"):
        sort_nodes(model.graph)


def test_only_what_the_kept_output_needs_is_left() -> None:
    model = halving_model()
    model.graph.initializer.append(numpy_helper.from_array(np.ones(3, np.float32), "unused"))
    wanted = answer(model, photo())
    keep_output(model.graph, "matte")
    assert [one.name for one in model.graph.output] == ["matte"]
    assert "sides" not in {name for node in model.graph.node for name in node.output}
    assert {one.name for one in model.graph.initializer} == {"weight", "sizes"}
    np.testing.assert_array_equal(answer(model, photo()), wanted)


def test_what_a_branch_reads_of_outside_counts_as_read() -> None:
    inner = helper.make_graph(
        [helper.make_node("Add", ["outside", "own"], ["sum"])],
        "inner",
        [],
        [value("sum")],
        [numpy_helper.from_array(np.ones(1, np.float32), "own")],
    )
    node = helper.make_node("If", ["condition"], ["out"], then_branch=inner, else_branch=inner)
    assert reads(node) == {"condition", "outside"}


def test_half_precision_becomes_single_and_other_casts_stay() -> None:
    model = halving_model(HALF)
    assert is_half_precision(model.graph)
    wanted = answer(model, photo())
    to_full_precision(model)
    assert not is_half_precision(model.graph)
    casts = [node.input[0] for node in model.graph.node if node.op_type == "Cast"]
    assert casts == ["shape"]
    np.testing.assert_allclose(answer(model, photo()), wanted, atol=1e-3)


@pytest.mark.parametrize("new", [4, 16, 40])
def test_a_graph_takes_another_side(new: int) -> None:
    model = halving_model(side="side")
    keep_output(model.graph, "matte")
    set_side(model.graph, SIDE, new)
    found = answer(model, photo(new))
    assert found.shape == (1, 1, new, new)
    halved = photo(new).reshape(1, 1, new // 2, 2, new // 2, 2).max((3, 5)) / 2
    # A linear enlargement by two keeps the mean.
    assert found.mean() == pytest.approx(halved.mean(), abs=1e-6)


def test_a_side_that_leaves_parts_of_pixels_is_refused() -> None:
    model = halving_model()
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.array([3, 3]), "sizes"))
    with pytest.raises(ModelFileError, match="no whole number"):
        set_side(model.graph, SIDE, 12)


def test_a_size_that_is_computed_otherwise_is_refused() -> None:
    model = halving_model()
    model.graph.node[4].input[:] = ["sizes", "shape"]
    with pytest.raises(ModelFileError, match="cannot follow the side"):
        set_side(model.graph, SIDE, 16)
