"""Weights in fewer bits: what is stored comes back, and a runtime computes with it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from export.compact import (
    CODES,
    LARGE,
    SCALES,
    codes_of,
    exact_codes,
    pack_state,
    round_weights,
    unpack_state,
)
from export.compact_graph import HALVED, pack, unpack
from export.precision.half import write_half

ort = pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is missing")

WIDTH = 160  # WIDTH * WIDTH weights are stored in codes


def weights(seed: int, *shape: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    channels = np.exp(generator.normal(0, 3, (shape[0], *(1,) * (len(shape) - 1))))
    return np.asarray(generator.normal(0, 1, shape) * channels, np.float32)


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=4, max_side=6),
        elements=st.floats(-(2.0**40), 2.0**40, width=32, allow_subnormal=False),
    ),
    st.integers(0, 1),
)
def test_rounded_weights_are_found_again_to_the_last_bit(
    values: NDArray[np.float32], axis: int
) -> None:
    # Scales far below what 32 bits hold exactly are no weights of a network.
    values[np.abs(values) < 2.0**-80] = 0
    rounded = codes_of(values, axis)
    again = codes_of(rounded.values(), axis)
    assert np.array_equal(again.values(), rounded.values())
    steps = np.broadcast_to(rounded.scales, values.shape)
    assert (np.abs(values - rounded.values()) <= steps * 0.5001).all()


def test_large_layers_take_codes_and_small_ones_halves() -> None:
    large, small, bias = weights(1, WIDTH, WIDTH), weights(2, 8, 3, 3, 3), weights(3, 9)
    packed = pack_state({"large": large, "small": small, "bias": bias, "count": np.array(3)})
    kinds = {name: str(value.dtype) for name, value in packed.items()}
    assert kinds == {
        "large/codes": "int8",
        "large/scales": "float32",
        "small": "float16",
        "bias": "float16",
        "count": "int64",
    }
    back = unpack_state(packed)
    assert np.array_equal(back["large"], round_weights(large))
    assert np.array_equal(back["small"], round_weights(small))
    assert back["count"] == 3
    with pytest.raises(KeyError, match="large/scales"):
        unpack_state({"large/codes": packed["large/codes"]})


def test_weights_that_were_not_rounded_are_no_codes() -> None:
    plain = weights(4, WIDTH, WIDTH)
    assert exact_codes(plain) is None
    assert exact_codes(round_weights(plain)) is not None
    turned = exact_codes(np.ascontiguousarray(round_weights(plain).T))
    assert turned is not None
    assert turned.scales.shape == (1, WIDTH)
    assert exact_codes(round_weights(weights(5, 4, 4))) is None


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """Two layers behind the wire contract's types: rows by WIDTH in, rows by four out."""
    helper, kinds = onnx.helper, onnx.TensorProto
    large = round_weights(weights(6, WIDTH, WIDTH) / np.float32(1000)).T
    small = round_weights(weights(7, WIDTH, 4) / np.float32(1000))
    nodes = [
        helper.make_node("Cast", ["photo"], ["x"], to=kinds.FLOAT),
        helper.make_node("MatMul", ["x", "large"], ["y"]),
        helper.make_node("Relu", ["y"], ["z"]),
        helper.make_node("MatMul", ["z", "small"], ["w"]),
        helper.make_node("Cast", ["w"], ["matte"], to=kinds.INT32),
    ]
    constants = [
        onnx.numpy_helper.from_array(np.ascontiguousarray(large), "large"),
        onnx.numpy_helper.from_array(small, "small"),
    ]
    ports = [
        helper.make_tensor_value_info("photo", kinds.UINT8, ["rows", WIDTH]),
        helper.make_tensor_value_info("matte", kinds.INT32, ["rows", 4]),
    ]
    made = helper.make_graph(nodes, "two layers", ports[:1], ports[1:], constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path = tmp_path / "full.onnx"
    onnx.save(model, path)
    return path


def ask(path: Path) -> NDArray[np.int32]:
    rows = np.random.default_rng(8).integers(0, 256, (5, WIDTH), np.uint8)
    answer: NDArray[np.int32] = ort.InferenceSession(str(path)).run(None, {"photo": rows})[0]
    return answer


def test_a_packed_graph_answers_alike_and_unpacks_to_what_it_was(
    graph: Path, tmp_path: Path
) -> None:
    model = onnx.load(graph)
    pack(model)
    onnx.checker.check_model(model, full_check=True)
    names = {tensor.name for tensor in model.graph.initializer}
    assert names == {"large" + CODES, "large" + SCALES, "small" + HALVED}
    onnx.save(model, tmp_path / "packed.onnx")
    assert (tmp_path / "packed.onnx").stat().st_size < 0.3 * graph.stat().st_size
    assert np.array_equal(ask(tmp_path / "packed.onnx"), ask(graph))
    known = unpack(model)
    assert known.keys() == {"large"}
    before = {
        one.name: onnx.numpy_helper.to_array(one) for one in onnx.load(graph).graph.initializer
    }
    after = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert [node.op_type for node in model.graph.node] == [
        "Cast",
        "MatMul",
        "Relu",
        "MatMul",
        "Cast",
    ]


def test_the_half_precision_variant_shares_the_codes(graph: Path, tmp_path: Path) -> None:
    model = onnx.load(graph)
    pack(model)
    onnx.save(model, tmp_path / "packed.onnx")
    write_half(tmp_path / "packed.onnx", tmp_path / "half.onnx")
    write_half(graph, tmp_path / "plain.onnx")
    stored = {one.name: one for one in onnx.load(tmp_path / "half.onnx").graph.initializer}
    codes = next(one for one in model.graph.initializer if one.name == "large" + CODES)
    assert stored["large" + CODES].raw_data == codes.raw_data
    assert (tmp_path / "half.onnx").stat().st_size < 0.6 * (tmp_path / "plain.onnx").stat().st_size
    np.testing.assert_allclose(ask(tmp_path / "half.onnx"), ask(tmp_path / "plain.onnx"), atol=1)


def test_published_models_are_built_without_torch() -> None:
    code = "import sys, export.cli, export.isnet; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


assert WIDTH * WIDTH >= LARGE
