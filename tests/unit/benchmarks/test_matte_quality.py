"""`python -m benchmarks matte-quality` as a command; what it measures is asserted nowhere."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from benchmarks.empty_backgrounds import render_backgrounds
from benchmarks.matte_quality import rank_correlation
from tests.unit.benchmarks.conftest import Command

SIDE = 32


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A network whose matte is the photo's red channel."""
    photo, matte = (
        helper.make_tensor_value_info(name, TensorProto.UINT8, ["n", SIDE, SIDE, channels])
        for name, channels in (("photo", 3), ("matte", 1))
    )
    red = helper.make_node("Gather", ["photo", "first"], ["matte"], axis=3)
    first = helper.make_tensor("first", TensorProto.INT64, [1], [0])
    graph = helper.make_graph([red], "red", [photo], [matte], [first])
    path = tmp_path / "model.onnx"
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_it_prints_a_row_for_every_photo_and_ground(
    command: Command, tmp_path: Path, model: Path
) -> None:
    matte = np.zeros((64, 48), np.uint8)
    matte[10:40, 10:30] = 255
    rgb = np.repeat(matte[:, :, None], 3, axis=2)
    for name in ("one", "two"):
        Image.fromarray(rgb).save(tmp_path / f"{name}.png")
        Image.fromarray(matte).save(tmp_path / f"{name}.matte.png")
    run = command("matte-quality", "--photos", tmp_path, "--model", model)
    assert run.returncode == 0, run.stderr
    rows = [line.split() for line in run.stdout.splitlines() if line]
    assert ["one", "1.00", "1.00"] in [row[:3] for row in rows]
    assert ["two", "1.00", "0.00", "0.00"] in rows
    for ground in render_backgrounds(SIDE, SIDE):
        assert f"\n{ground} " in run.stdout
    for step in ("mean", "clean_matte", "confidence", "has_product"):
        assert step in [row[0] for row in rows]


def test_a_folder_without_mattes_is_an_error(command: Command, tmp_path: Path, model: Path) -> None:
    run = command("matte-quality", "--photos", tmp_path, "--model", model)
    assert run.returncode == 1
    assert "no NAME.matte.png" in run.stderr


def test_a_missing_model_is_an_error(command: Command, tmp_path: Path) -> None:
    run = command("matte-quality", "--model", tmp_path / "none.onnx")
    assert run.returncode == 1
    assert "no model at" in run.stderr


def test_the_correlation_is_that_of_ranks() -> None:
    assert rank_correlation([0.1, 0.2, 0.9], [5, 6, 7]) == pytest.approx(1)
    assert rank_correlation([0.1, 0.2, 0.9], [7, 6, 5]) == pytest.approx(-1)
