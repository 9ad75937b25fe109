"""A record says what was measured, and on what; a file that is none is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.record import read_record, write_record


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "load.json"
    rows = [{"mode": "closed", "p95_ms": np.float32(12.5), "requests": np.int64(3)}]
    write_record(path, "load", {"photos": Path("samples")}, rows, seed=7, notes=["short"])
    record = read_record(path)
    assert record.benchmark == "load"
    assert record.settings == {"photos": "samples"}
    assert record.rows == [{"mode": "closed", "p95_ms": 12.5, "requests": 3}]
    assert record.seed == 7
    assert record.notes == ["short"]
    assert record.machine["cores"] >= 1
    assert record.machine["memory_bytes"] > 1e8
    assert record.machine["cpu"]
    assert {"python", "numpy", "onnxruntime", "grpcio", "tritonclient", "triton"} <= set(
        record.versions
    )
    assert record.wall_s > 0


def test_a_figure_that_is_not_finite_becomes_null(tmp_path: Path) -> None:
    path = tmp_path / "load.json"
    write_record(path, "load", {}, [{"p95_ms": float("nan"), "ratio": np.float64("inf")}])
    assert read_record(path).rows == [{"p95_ms": None, "ratio": None}]


def test_a_value_that_json_has_no_word_for_is_refused_and_nothing_written(tmp_path: Path) -> None:
    path = tmp_path / "load.json"
    with pytest.raises(TypeError, match="object"):
        write_record(path, "load", {}, [{"what": object()}])
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no json", "cannot be read"),
        ("[]", "no JSON object"),
        ('{"benchmark": "load"}', "lacks settings"),
    ],
)
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "load.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=said):
        read_record(path)


def test_rows_that_are_no_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "load.json"
    write_record(path, "load", {}, [])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"rows": [1]}))
    with pytest.raises(ValueError, match="rows"):
        read_record(path)


def test_a_file_that_is_not_there_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="absent"):
        read_record(tmp_path / "absent.json")
