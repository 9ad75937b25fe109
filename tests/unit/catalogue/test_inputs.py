"""What a job's photos are: folders, globs and manifests."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalogue.errors import InputError
from catalogue.inputs import read_photos


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_a_folder_s_photos_are_named_by_their_paths_and_others_are_told(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "shoes/b.PNG", "readme.txt", "_results/part-1.parquet", "out/x.heic")
    photos = read_photos(str(tmp_path))
    assert photos.table["id"].to_pylist() == ["a.jpg", "out/x.heic", "shoes/b.PNG"]
    assert photos.table["input"].to_pylist() == [
        str(tmp_path / name) for name in ("a.jpg", "out/x.heic", "shoes/b.PNG")
    ]
    assert photos.left_out == ("readme.txt",)


def test_a_glob_s_photos_are_named_from_where_its_wildcards_begin(tmp_path: Path) -> None:
    touch(tmp_path, "2026/a/1.jpg", "2026/b/2.jpg", "2026/b/3.txt", "2025/a/4.jpg")
    photos = read_photos(f"{tmp_path}/2026/*/*")
    assert photos.table["id"].to_pylist() == ["a/1.jpg", "b/2.jpg"]
    assert photos.left_out == ("b/3.txt",)


@pytest.mark.parametrize("what", ["nothing", "nothing/*.jpg", "empty", "lone.jpg", "gopher://x/y"])
def test_an_input_without_photos_is_an_error_that_names_it(tmp_path: Path, what: str) -> None:
    (tmp_path / "empty").mkdir()
    touch(tmp_path, "lone.jpg")
    uri = what if "://" in what else f"{tmp_path}/{what}"
    with pytest.raises(InputError, match=what.partition("/")[0].partition(":")[0]):
        read_photos(uri)


def test_csv_is_text_with_relative_paths_and_a_short_line_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(
        "id,path,size,kind\n007,in/a.jpg,800,\ncut off\n008,s3://bucket/b.jpg,,shoe\n"
    )
    rows = read_photos(f"{tmp_path}/m.csv").table.to_pylist()
    assert rows[0] == {
        "id": "007",
        "input": f"{tmp_path}/in/a.jpg",
        "size": "800",
        "kind": None,
        "problem": None,
    }
    assert rows[1]["problem"] == "line 3 has 1 fields, the header 4"
    assert rows[2]["input"] == "s3://bucket/b.jpg"


def test_json_lines_keep_what_is_readable(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text(
        '{"id": "a", "uri": "/a.jpg", "square": true}\n\n{"id": \n[1]\n'
        '{"id": "b", "uri": "b.jpg"}\n'
    )
    rows = read_photos(f"{tmp_path}/m.jsonl").table.to_pylist()
    assert [row["id"] for row in rows] == ["a", None, None, "b"]
    assert rows[0]["square"] == "true"
    assert "line 3 is no JSON" in rows[1]["problem"]
    assert rows[2]["problem"] == "line 4 is no JSON object"


def test_parquet_keeps_its_types_and_several_manifests_are_one(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"id": [1, 2], "path": ["a", "b"], "price": [1.5, 2.5]}), tmp_path / "1.parquet"
    )
    pq.write_table(pa.table({"id": [3], "path": ["c"], "price": [9.5]}), tmp_path / "2.parquet")
    table = read_photos(f"{tmp_path}/*.parquet").table
    assert table["id"].to_pylist() == ["1", "2", "3"]
    assert table["price"].to_pylist() == [1.5, 2.5, 9.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,size\na,1\n", "it needs id and one of input, path, uri"),
        ("path\na\n", "it needs id"),
        ("id,path,uri\na,b,c\n", "one of input, path, uri"),
        ("id,path,problem\na,b,c\n", "column problem: rename it"),
        ("", "it needs id"),
    ],
)
def test_a_manifest_without_what_it_needs_is_an_error(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_photos(f"{tmp_path}/m.csv")


def test_a_broken_parquet_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="is broken"):
        read_photos(f"{tmp_path}/m.parquet")
