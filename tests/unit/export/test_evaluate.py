"""Models are judged by photos with reference mattes, and it needs no torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is not installed")
onnx = pytest.importorskip("onnx", reason="the export group (onnx) is not installed")

from export.cli import main  # noqa: E402
from export.errors import PicturesError, VerificationError  # noqa: E402
from export.evaluate import evaluate, table, write_sheet  # noqa: E402
from export.measures import agreement  # noqa: E402
from export.photos import read_photos  # noqa: E402

SIDE = 32


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """One photo whose red channel is its matte, one whose red channel is the opposite."""
    folder = tmp_path / "photos"
    folder.mkdir()
    matte = np.zeros((40, 60), np.uint8)
    matte[10:30, 15:45] = 255
    for name, red in (("right", matte), ("wrong", 255 - matte)):
        rgb = np.dstack([red, matte // 2, matte // 3])
        Image.fromarray(rgb).save(folder / f"{name}.png")
        Image.fromarray(matte).save(folder / f"{name}.matte.png")
    return folder


@pytest.fixture
def red_is_matte(tmp_path: Path) -> Path:
    """A model whose matte is the photo's red channel."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    graph = helper.make_graph(
        [helper.make_node("Gather", ["photo", "red"], ["matte"], axis=3)],
        "red",
        [helper.make_tensor_value_info("photo", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("matte", TensorProto.UINT8, ["n", SIDE, SIDE, 1])],
        [helper.make_tensor("red", TensorProto.INT64, [1], [0])],
    )
    opset = [helper.make_opsetid("", 18)]
    path = tmp_path / "red.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    return path


def test_agreement_is_one_for_equals_and_none_for_opposites() -> None:
    half = np.zeros((4, 4), np.float32)
    half[:2] = 1
    assert agreement(half, half) == agreement(half * 0, half * 0)
    assert (agreement(half, half).iou, agreement(half, half).mae) == (1.0, 0.0)
    assert (agreement(1 - half, half).iou, agreement(1 - half, half).mae) == (0.0, 1.0)
    quarter = half.copy()
    quarter[1] = 0
    assert agreement(quarter, half).iou == 0.5
    assert agreement(quarter, half).mae == 0.25


def test_each_photo_is_judged_at_the_models_size(photos: Path, red_is_matte: Path) -> None:
    right, wrong = evaluate(red_is_matte, photos)
    assert [right.photo.name, wrong.photo.name] == ["right", "wrong"]
    assert right.matte.shape == right.photo.reference.shape == (SIDE, SIDE)
    assert right.agreement.iou > 0.9
    assert right.agreement.mae < 0.05
    assert wrong.agreement.iou < 0.1


def test_the_command_prints_a_table_and_writes_a_sheet(
    photos: Path, red_is_matte: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    options = ["--photos", str(photos), "--model", str(red_is_matte), "--sheet", str(sheet)]
    assert main(["evaluate", *options]) == 0
    printed = capsys.readouterr().out
    assert "| right " in printed
    assert "| mean " in printed
    with Image.open(sheet) as image:
        assert image.width == 4 * SIDE
        assert image.height > 2 * SIDE


def test_the_table_ends_with_the_mean(photos: Path, red_is_matte: Path, tmp_path: Path) -> None:
    judged = evaluate(red_is_matte, photos)
    last = table(judged).splitlines()[-1]
    mean = np.mean([one.agreement.iou for one in judged])
    assert last.startswith("| mean")
    assert f"{mean:.3f}" in last
    write_sheet(judged[:1], tmp_path / "deep" / "sheet.png")
    assert (tmp_path / "deep" / "sheet.png").exists()


def test_failures_are_told_in_a_line_and_by_status(
    photos: Path, red_is_matte: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ["evaluate", "--photos", str(tmp_path / "none"), "--model", str(red_is_matte)]
    assert main(missing) == 1
    assert "holds no" in capsys.readouterr().err
    with pytest.raises(VerificationError):
        evaluate(tmp_path / "none.onnx", photos)
    (photos / "right.png").unlink()
    with pytest.raises(PicturesError, match="no photo beside"):
        read_photos(photos, SIDE)
    with pytest.raises(SystemExit) as exit_:
        main(["evaluate", "--unknown"])
    assert exit_.value.code == 2


def test_a_turned_photo_is_set_upright(tmp_path: Path) -> None:
    stripe = np.zeros((20, 40, 3), np.uint8)
    stripe[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    Image.fromarray(stripe).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    Image.fromarray(np.zeros((40, 20), np.uint8)).save(tmp_path / "turned.matte.png")
    (photo,) = read_photos(tmp_path, SIDE)
    assert photo.rgb[4].mean() > 200
    assert photo.rgb[-4].mean() < 50


def test_judging_needs_no_torch() -> None:
    code = "import sys, export.cli, export.evaluate; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
