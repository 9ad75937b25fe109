"""Counting graphs by hand, and the roofline's arithmetic."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.limits.graph import GraphError, count_graph, count_model
from benchmarks.limits.network import Runner, Setting, settings_of
from benchmarks.limits.roofline import Peaks, attainable_per_s
from benchmarks.rounds import over_rounds

FLOAT = TensorProto.FLOAT


def graph(
    nodes: Sequence[onnx.NodeProto],
    photo: Sequence[int | str],
    answer: Sequence[int | str],
    weights: dict[str, np.ndarray],
    kinds: tuple[int, int] = (FLOAT, FLOAT),
) -> onnx.ModelProto:
    made = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", kinds[0], photo)],
        [helper.make_tensor_value_info("y", kinds[1], answer)],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def floats(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def test_a_convolution_counts_two_for_each_multiply_add() -> None:
    node = helper.make_node("Conv", ["x", "w", "b"], ["y"], pads=[1, 1, 1, 1], group=2)
    weights = {"w": floats(8, 2, 3, 3), "b": floats(8)}
    cost = count_model(graph([node], ["n", 4, 10, 10], ["n", 8, 10, 10], weights))
    # 800 numbers out; each from 2 channels of its group times 9 taps.
    assert cost.operations == {"fp32": 800 * 2 * 18}
    assert cost.weight_bytes == 4 * (8 * 2 * 9 + 8)
    assert cost.port_bytes == 4 * (400 + 800)
    assert cost.least_bytes(4) == cost.weight_bytes / 4 + cost.port_bytes


def test_a_transposed_convolution_counts_from_its_input() -> None:
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2, 2])
    cost = count_model(graph([node], ["n", 3, 5, 5], ["n", 4, 10, 10], {"w": floats(3, 4, 2, 2)}))
    assert cost.operations == {"fp32": 2 * 75 * 16}


@pytest.mark.parametrize(
    ("node", "shape", "weights", "operations"),
    [
        (helper.make_node("MatMul", ["x", "w"], ["y"]), (6, 5), floats(7, 5), 2 * 6 * 7 * 5),
        (
            helper.make_node("Gemm", ["x", "w"], ["y"], transB=1),
            (1, 5),
            floats(5, 7),
            2 * 1 * 7 * 5,
        ),
    ],
)
def test_matrix_products_count_two_for_each_factor(
    node: onnx.NodeProto, shape: tuple[int, int], weights: np.ndarray, operations: int
) -> None:
    rows = shape[0]
    cost = count_model(graph([node], [rows, 7], [rows, 5], {"w": weights}))
    assert cost.operations == {"fp32": operations}


def test_an_activation_counts_nothing() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["inner"]),
        helper.make_node("Relu", ["inner"], ["y"]),
    ]
    cost = count_model(graph(nodes, ["n", 3, 4, 4], ["n", 2, 4, 4], {"w": floats(2, 3, 1, 1)}))
    assert cost.operations == {"fp32": 32 * 6}
    assert cost.port_bytes == 4 * (48 + 32)


def test_a_product_of_quantised_tensors_is_integer_arithmetic() -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"]),
        helper.make_node("DequantizeLinear", ["xq", "s", "z"], ["xf"]),
        helper.make_node("DequantizeLinear", ["wq", "s", "zs"], ["wf"]),
        helper.make_node("Conv", ["xf", "wf"], ["c"]),
        helper.make_node("QuantizeLinear", ["c", "s", "z"], ["cq"]),
        helper.make_node("DequantizeLinear", ["cq", "s", "z"], ["y"]),
    ]
    weights: dict[str, np.ndarray] = {
        "s": np.array(0.1, np.float32),
        "z": np.array(0, np.uint8),
        "zs": np.array(0, np.int8),
        "wq": np.zeros((2, 3, 1, 1), np.int8),
    }
    cost = count_model(graph(nodes, ["n", 3, 4, 4], ["n", 2, 4, 4], weights))
    assert cost.operations == {"int8": 2 * 32 * 3}


@pytest.mark.parametrize(
    ("node", "name"),
    [
        (helper.make_node("Einsum", ["x"], ["y"], equation="abc->a"), "Einsum"),
        (helper.make_node("Fast", ["x"], ["y"], domain="com.example"), "com.example Fast"),
    ],
)
def test_an_operator_that_may_hide_products_is_an_error_that_names_it(
    node: onnx.NodeProto, name: str
) -> None:
    with pytest.raises(GraphError, match=name):
        count_model(graph([node], [1, 4, 4], [1], {}))


def test_what_is_no_graph_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(GraphError, match="as an ONNX file"):
        count_graph(tmp_path / "model.onnx")


@pytest.mark.parametrize("name", ["matte", "matte-fp16", "matte-int8"])
def test_the_variants_of_the_default_network_do_the_same_products(root: Path, name: str) -> None:
    path = root / "model_repository" / name / "1" / "model.onnx"
    cost = count_graph(path)
    precision = name.partition("-")[2] or "fp32"
    assert cost.total_operations == 3_060_678_400
    # The first and the last convolution of int8 stay in floats.
    assert cost.operations[precision] > (0.92 if precision == "int8" else 0.95) * (
        cost.total_operations
    )
    assert cost.weight_bytes == pytest.approx(path.stat().st_size, rel=0.1)


# The exporter by tracing takes a tenth of the other one's time; the products are the same.
@pytest.mark.filterwarnings("ignore")
def test_the_published_count_of_u2netp_is_met() -> None:
    torch = pytest.importorskip("torch")
    from export.networks.u2net import u2netp  # noqa: PLC0415  needs torch

    written = io.BytesIO()
    photo = (torch.zeros(1, 3, 320, 320),)
    torch.onnx.export(u2netp().eval(), photo, written, dynamo=False, opset_version=18)
    cost = count_model(onnx.load_from_string(written.getvalue()))
    # 19.8 billion multiply-adds at 320x320, in convolutions.
    assert cost.total_operations / 2e9 == pytest.approx(19.8, rel=0.005)
    assert cost.weight_bytes / 4 == pytest.approx(1.13e6, rel=0.01)


def test_the_slower_of_arithmetic_and_memory_is_the_limit() -> None:
    peaks = Peaks({"fp32": 100.0, "int8": 1000.0}, bytes_per_s=10.0)
    assert attainable_per_s({"fp32": 50}, 1, peaks) == pytest.approx(2.0)
    assert attainable_per_s({"fp32": 50}, 20, peaks) == pytest.approx(0.5)
    assert attainable_per_s({"fp32": 50, "int8": 500}, 1, peaks) == pytest.approx(1.0)
    assert attainable_per_s({"fp16": 50}, 1, peaks) == pytest.approx(2.0)  # as fp32


def test_the_spread_leaves_out_the_outer_quarters() -> None:
    spread = over_rounds([1.0, 90.0, 100.0, 110.0, 900.0])
    assert spread.middle == 100
    assert spread.share == pytest.approx(0.1)


def test_every_setting_uses_all_cores() -> None:
    settings = list(settings_of(4, (1, 8)))
    assert Setting(4, 1, 8) in settings
    assert len(settings) == 6
    assert {one.instances * one.threads for one in settings} == {4}


def test_a_provider_that_is_not_there_is_an_error_and_nothing_runs_elsewhere(root: Path) -> None:
    path = root / "model_repository" / "matte" / "1" / "model.onnx"
    with pytest.raises(RuntimeError, match="no SuchExecutionProvider"):
        Runner(path, Setting(1, 1, 1), "SuchExecutionProvider")
    with Runner(path, Setting(1, 1, 1)) as runner:
        assert math.isfinite(runner.images_per_s(0))
