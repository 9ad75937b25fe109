"""The result table: parts, the row that counts, and merging."""

import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalogue.places import Place
from catalogue.results import FOLDER, Results, part_name
from catalogue.rows import Item, as_table, row


def rows_of(*names: str, confidence: float = 0.5, later_s: float = 0.0) -> list[dict[str, object]]:
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=later_s)
    return [
        {
            **row(Item(name, f"/in/{name}", f"{name}.jpg", "", "work"), "job", {"status": "ok"}),
            "confidence": confidence,
            "finished_at": at,
        }
        for name in names
    ]


@pytest.fixture
def output(tmp_path: Path) -> Place:
    return Place(str(tmp_path))


def read(results: Results) -> dict[str, float]:
    table = results.rows().to_table(columns=["id", "confidence"])
    assert table.num_rows == len(set(table["id"].to_pylist()))
    return dict(zip(table["id"].to_pylist(), table["confidence"].to_pylist(), strict=True))


def test_a_table_without_parts_has_no_rows(output: Place) -> None:
    results = Results(output)
    assert results.rows().count_rows() == 0
    assert results.compact() == 0
    assert results.read("part-1.parquet").num_rows == 0


def test_the_latest_row_of_a_photo_stays_and_others_go(output: Place) -> None:
    results = Results(output)
    results.write("part-1.parquet", as_table(rows_of("a", "b", confidence=0.1)))
    results.write("part-2.parquet", as_table(rows_of("b", confidence=0.9, later_s=5)))
    results.write("part-3.parquet", as_table(rows_of("b", confidence=0.2, later_s=1)))
    assert results.compact() == 2
    assert read(results) == {"a": 0.1, "b": 0.9}
    assert len(results.parts()) == 1


def test_many_small_parts_become_one_and_few_stay(output: Place) -> None:
    results = Results(output)
    for number in range(16):
        results.write(f"part-{number}.parquet", as_table(rows_of(f"photo {number}")))
    results.compact()
    assert len(results.parts()) == 16
    results.write("part-more.parquet", as_table(rows_of("more")))
    assert results.compact() == 17
    assert len(results.parts()) == 1
    assert len(read(results)) == 17


def test_merging_that_is_broken_off_loses_nothing(
    output: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results(output)
    results.write("part-1.parquet", as_table(rows_of("a", "b", confidence=0.1)))
    results.write("part-2.parquet", as_table(rows_of("b", confidence=0.9, later_s=5)))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        # As if the process were killed once the merged part is written.
        patch.setattr(Place, "delete", die)
        with pytest.raises(KeyboardInterrupt):
            results.compact()
    assert results.rows().count_rows() == 5
    assert results.compact() == 2
    assert read(results) == {"a": 0.1, "b": 0.9}


def test_what_a_killed_writer_leaves_is_no_part(output: Place, tmp_path: Path) -> None:
    results = Results(output)
    results.write("part-1.parquet", as_table(rows_of("a")))
    (tmp_path / FOLDER / ".packshot-1.part").write_bytes(b"half")
    (tmp_path / FOLDER / ".part-x.parquet").write_bytes(b"half")
    assert results.parts() == ["part-1.parquet"]


def test_a_batch_s_part_has_one_name_in_a_run_and_others_in_others() -> None:
    assert part_name("run", ["a", "b"]) == part_name("run", ["a", "b"])
    names = {part_name("run", ["a"]), part_name("other", ["a"]), part_name("run", ["b"])}
    assert len(names) == 3


def test_results_travel_to_other_processes(output: Place) -> None:
    results = Results(output)
    results.write("part-1.parquet", as_table(rows_of("a")))
    copied = pickle.loads(pickle.dumps(results))  # noqa: S301  our own
    assert read(copied) == {"a": 0.5}
