"""Models are judged by photos with reference mattes, and it needs no torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is not installed")
onnx = pytest.importorskip("onnx", reason="the export group (onnx) is not installed")
pytest.importorskip("py_sod_metrics", reason="the group measures is not installed")

from export.cli import main  # noqa: E402
from export.errors import PicturesError, VerificationError  # noqa: E402
from export.evaluate import evaluate, judge, open_model, table  # noqa: E402
from export.photos import Photo, read_photos  # noqa: E402
from export.sheet import signed_difference, write_judged_sheet  # noqa: E402

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


def red_model(path: Path, side: int = SIDE) -> Path:
    """Write a model whose matte is the photo's red channel."""
    from onnx import TensorProto, helper  # noqa: PLC0415

    graph = helper.make_graph(
        [helper.make_node("Gather", ["photo", "red"], ["matte"], axis=3)],
        "red",
        [helper.make_tensor_value_info("photo", TensorProto.UINT8, ["n", side, side, 3])],
        [helper.make_tensor_value_info("matte", TensorProto.UINT8, ["n", side, side, 1])],
        [helper.make_tensor("red", TensorProto.INT64, [1], [0])],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    return path


@pytest.fixture
def red_is_matte(tmp_path: Path) -> Path:
    return red_model(tmp_path / "red.onnx")


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
        top = image.height - SIDE - 16  # of the wrong photo's difference, below which is its text
        assert image.getpixel((3 * SIDE + 1, top + 1)) == (255, 0, 0)
        assert image.getpixel((3 * SIDE + SIDE // 2, top + SIDE // 2)) == (0, 0, 255)


def test_the_committed_model_judges_two_photos(
    photos: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = root / "model_repository" / "matte" / "1" / "model.onnx"
    options = ["--photos", str(photos), "--model", str(model), "--sheet", str(tmp_path / "s.png")]
    assert main(["evaluate", *options]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    header = "photo", "IoU", "bIoU", "MAE", "S", "wF", "mE"
    assert tuple(cell.strip() for cell in lines[0].strip("|").split("|")) == header
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert [row[0] for row in rows] == ["right", "wrong", "mean"]
    figures = np.array([row[1:] for row in rows], float)
    assert ((figures >= 0) & (figures <= 1)).all()
    np.testing.assert_allclose(figures[:2].mean(axis=0), figures[2], atol=0.0011)
    with Image.open(tmp_path / "s.png") as image:
        assert image.width == 4 * 320


def test_several_models_and_sets_are_compared_side_by_side(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, side in (("small", 16), ("large", SIDE)):
        (tmp_path / name).mkdir()
        red_model(tmp_path / name / "model.onnx", side)
    models = [f"--model={tmp_path}/{name}/model.onnx" for name in ("small", "large")]
    sets = [f"--photos={photos}", f"--rendered={photos}"]
    assert main(["evaluate", *models, *sets, f"--sheet={tmp_path}/sheet.png"]) == 0
    printed = capsys.readouterr().out
    assert f"photos: small/model.onnx, 16 px, judged at {SIDE} px" in printed
    means = printed.split("rendered: means")[1].splitlines()
    assert [line[2:19].strip() for line in means[4:6]] == ["small/model.onnx", "large/model.onnx"]
    for name in ("photos", "rendered"):
        with Image.open(tmp_path / f"sheet-{name}.png") as image:
            assert image.width == 6 * SIDE


def test_mattes_of_another_size_are_judged_at_the_size_asked_for(
    photos: Path, red_is_matte: Path
) -> None:
    sides = []

    def read(side: int) -> list[Photo]:
        sides.append(side)
        return read_photos(photos, side)

    right, _ = judge(open_model(red_is_matte), read, 2 * SIDE)
    assert right.matte.shape == right.photo.reference.shape == (2 * SIDE, 2 * SIDE)
    assert right.agreement.iou > 0.9
    assert sides == [2 * SIDE, SIDE]


def test_differences_are_red_for_too_much_and_blue_for_too_little() -> None:
    matte, reference = np.array([[0.0, 1, 0, 1]]), np.array([[0.0, 1, 1, 0]])
    white, red, blue = (255, 255, 255), (255, 0, 0), (0, 0, 255)
    colours = [tuple(pixel) for pixel in signed_difference(matte, reference)[0].tolist()]
    assert colours == [white, white, blue, red]


def test_without_a_set_named_the_default_photos_are_judged(
    red_is_matte: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("export.cli.PHOTOS", photos)
    options = [f"--model={red_is_matte}", f"--sheet={tmp_path}/sheet.png"]
    assert main(["evaluate", *options]) == 0
    assert (tmp_path / "sheet.png").exists()


def test_the_table_ends_with_the_mean(photos: Path, red_is_matte: Path, tmp_path: Path) -> None:
    judged = evaluate(red_is_matte, photos)
    last = table(judged).splitlines()[-1]
    mean = np.mean([one.agreement.iou for one in judged])
    assert last.startswith("| mean")
    assert f"{mean:.3f}" in last
    write_judged_sheet({"red": judged[:1]}, tmp_path / "deep" / "sheet.png")
    assert (tmp_path / "deep" / "sheet.png").exists()


def test_failures_are_told_in_a_line_and_by_status(
    photos: Path, red_is_matte: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ["evaluate", "--photos", str(tmp_path / "none"), "--model", str(red_is_matte)]
    assert main(missing) == 1
    assert "holds no" in capsys.readouterr().err
    with pytest.raises(VerificationError):
        evaluate(tmp_path / "none.onnx", photos)
    with pytest.raises(VerificationError, match="no matte"):
        evaluate(_answers_its_photo(tmp_path / "photo.onnx"), photos)
    (photos / "right.png").unlink()
    with pytest.raises(PicturesError, match="no photo beside"):
        read_photos(photos, SIDE)
    with pytest.raises(SystemExit) as exit_:
        main(["evaluate", "--unknown"])
    assert exit_.value.code == 2


def _answers_its_photo(path: Path) -> Path:
    from onnx import TensorProto, helper  # noqa: PLC0415

    shape: list[str | int | None] = ["n", SIDE, SIDE, 3]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["photo"], ["matte"])],
        "identity",
        [helper.make_tensor_value_info("photo", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("matte", TensorProto.UINT8, shape)],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    return path


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
    code = "import sys, export.cli, export.compare_models; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
