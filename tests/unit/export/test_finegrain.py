"""The public benchmark is read in the form that its hub serves it in."""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pa = pytest.importorskip("pyarrow", reason="the group judging (pyarrow) is not installed")
from pyarrow import parquet  # noqa: E402

from export.errors import PackageError, PicturesError  # noqa: E402
from export.finegrain import read_finegrain  # noqa: E402

SIDE = 32
FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def encoded(pixels: np.ndarray, form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def row(shift: int = 0, path: str | None = "sofa.png") -> dict[str, Any]:
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 15 + shift : 45 + shift] = 255
    rgb = np.dstack([mask, mask // 2, mask // 3])
    return {
        "image": {"bytes": encoded(rgb), "path": path},
        "mask": {"bytes": encoded(mask), "path": None},
    }


def write(path: Path, rows: list[dict[str, Any]], **columns: Any) -> Path:
    schema = pa.schema(list((columns or {"image": FILE, "mask": FILE}).items()))
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    return path


def test_each_row_is_a_photo_with_its_mask(tmp_path: Path) -> None:
    rows = [row(), row(10), *(row(path=None) for _ in range(8))]  # more than are read at once
    file = write(tmp_path / "copy" / "data" / "test-00000-of-00001.parquet", rows)
    photos = read_finegrain(file, SIDE)
    assert [one.name for one in photos[:3]] == ["000 sofa", "001 sofa", "002"]
    assert len(photos) == 10
    first, second = photos[:2]
    assert first.rgb.shape == (SIDE, SIDE, 3)
    assert first.reference.shape == (SIDE, SIDE)
    assert first.reference[16, 16] == second.reference[16, 23] == 1.0
    assert first.reference[16, 2] == second.reference[16, 9] == 0.0
    assert np.abs(first.rgb[..., 0] / 255 - first.reference).mean() < 0.02
    again = read_finegrain(tmp_path / "copy", SIDE)
    assert [one.name for one in again] == [one.name for one in photos]


def test_the_command_judges_it(tmp_path: Path, root: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the export group (onnxruntime) is not installed")
    pytest.importorskip("py_sod_metrics", reason="the group measures is not installed")
    from export.cli import main  # noqa: PLC0415

    file = write(tmp_path / "test.parquet", [row(), row(10)])
    model = root / "model_repository" / "matte" / "1" / "model.onnx"
    options = [f"--finegrain={file}", f"--model={model}", f"--sheet={tmp_path}/sheet.png"]
    assert main(["evaluate", *options]) == 0
    assert (tmp_path / "sheet.png").exists()


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(PicturesError, match="holds no parquet file"):
        read_finegrain(tmp_path, SIDE)
    with pytest.raises(PicturesError, match=r"none\.parquet cannot be read"):
        read_finegrain(tmp_path / "none.parquet", SIDE)
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(PicturesError, match=r"text\.parquet cannot be read"):
        read_finegrain(tmp_path / "text.parquet", SIDE)
    lacking = write(tmp_path / "lacking.parquet", [row()], image=FILE, prompt=pa.string())
    with pytest.raises(PicturesError, match="no column mask"):
        read_finegrain(lacking, SIDE)
    with pytest.raises(PicturesError, match="holds no rows"):
        read_finegrain(write(tmp_path / "empty.parquet", []), SIDE)


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ({"bytes": None, "path": "elsewhere.png"}, "mask holds no bytes"),
        ({"bytes": b"no picture", "path": None}, "mask cannot be read"),
        ({"bytes": encoded(np.zeros((60, 40), np.uint8)), "path": None}, "differ in shape"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, cell: dict[str, Any], told: str) -> None:
    file = write(tmp_path / "bad.parquet", [row(), row() | {"mask": cell}])
    with pytest.raises(PicturesError, match=f"row 1: .*{told}"):
        read_finegrain(file, SIDE)


def test_columns_of_another_kind_are_refused(tmp_path: Path) -> None:
    file = write(
        tmp_path / "paths.parquet",
        [{"image": "a", "mask": "b"}],
        image=pa.string(),
        mask=pa.string(),
    )
    with pytest.raises(PicturesError, match="row 0: image holds no bytes"):
        read_finegrain(file, SIDE)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "test.parquet", [row()])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(PackageError, match="pyarrow"):
        read_finegrain(file, SIDE)
