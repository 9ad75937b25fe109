"""What is to do, and what is done already."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from catalogue.errors import InputError
from catalogue.places import Place
from catalogue.plan import Plan, Selection, items_of, make_plan
from catalogue.results import Results
from catalogue.rows import as_table, failed, row
from packshot import RenderOptions


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(Place(str(tmp_path / "out")))


def photos(*rows: dict[str, Any]) -> pa.Table:
    """Photos as an input has them; `id` alone is enough."""
    names = sorted({name for each in rows for name in each} | {"id", "input", "problem"})
    whole = [{"input": f"/in/{each.get('id')}", **each} for each in rows]
    return pa.Table.from_pylist(whole, schema=pa.schema([(name, pa.string()) for name in names]))


def plan(
    table: pa.Table, results: Results, options: RenderOptions | None = None, **selection: Any
) -> Plan:
    job = selection.pop("job", "job")
    return make_plan(table, results, Selection(options or RenderOptions(), job, **selection))


def finish(results: Results, plan: Plan, part: str = "part-1.parquet", **columns: Any) -> None:
    """Give everything that a plan holds a row, as a worker would."""
    known = {"status": "ok", "may_pass": False, **columns}
    rows = [row(item, "job", known) for item in items_of(plan.todo)]
    results.write(part, as_table(rows))


def ids(plan: Plan) -> list[str]:
    return [str(name) for name in plan.todo["id"].to_pylist()]


def test_names_follow_from_ids_and_format(results: Results) -> None:
    table = photos({"id": "a.jpg"}, {"id": "b.png"}, {"id": "c"}, {"id": "d", "format": "webp"})
    assert plan(table, results).todo["output"].to_pylist() == [
        "a.jpg",
        "b.png.jpg",
        "c.jpg",
        "d.webp",
    ]
    cut = plan(table, results, RenderOptions(background="transparent"))
    assert cut.todo["output"].to_pylist() == ["a.jpg.png", "b.png", "c.png", "d.webp"]


def test_what_has_its_result_is_left_out_and_what_may_pass_is_not(results: Results) -> None:
    table = photos({"id": "a"}, {"id": "b"}, {"id": "c"})
    finish(results, plan(table.slice(0, 1), results), "part-1.parquet")
    finish(
        *(results, plan(table.slice(1, 1), results), "part-2.parquet"),
        **failed("UNAVAILABLE", "away", may_pass=True),
    )
    again = plan(table, results)
    assert (again.selected, again.done, ids(again), again.renewed) == (3, 1, ["b", "c"], 1)


def test_other_options_another_job_or_another_photo_are_other_work(results: Results) -> None:
    table = photos({"id": "a"})
    first = plan(table, results)
    finish(results, first)
    assert ids(plan(table, results)) == []
    assert ids(plan(table, results, RenderOptions(square=True))) == ["a"]
    assert ids(plan(table, results, job="another")) == ["a"]
    assert ids(plan(photos({"id": "a", "input": "/in/other"}), results)) == ["a"]
    assert ids(plan(photos({"id": "a", "size": "640"}), results)) == ["a"]
    # Who waits is no difference in the packshot.
    assert ids(plan(table, results, RenderOptions(priority="bulk"))) == []


def test_where_picks_by_the_manifest_and_by_the_latest_row(results: Results) -> None:
    table = photos(
        {"id": "a", "kind": "shoe"}, {"id": "b", "kind": "hat"}, {"id": "c", "kind": "hat"}
    )
    finish(results, plan(table.slice(0, 2), results), confidence=0.4, model_version="1")
    assert ids(plan(table, results, where="kind = 'hat'")) == ["c"]
    assert ids(plan(table, results, where="result.confidence < 0.5", job="again")) == ["a", "b"]
    newer = plan(table, results, where="kind = 'shoe' AND result.model_version < '2'", job="again")
    assert ids(newer) == ["a"]
    assert ids(plan(table, results, where="result.id IS NULL")) == ["c"]


@pytest.mark.parametrize(
    "where",
    ["no such thing", "colour = 'red'", "id IN (SELECT content FROM read_text('/etc/passwd'))"],
)
def test_a_where_that_cannot_be_followed_is_an_error(results: Results, where: str) -> None:
    with pytest.raises(InputError, match="cannot be followed"):
        plan(photos({"id": "a"}), results, where=where)


def test_a_where_that_picks_nothing_is_an_error(results: Results) -> None:
    with pytest.raises(InputError, match="picks no photo"):
        plan(photos({"id": "a"}), results, where="id = 'b'")


def test_a_sample_is_the_same_every_time(results: Results) -> None:
    table = photos(*({"id": f"photo {number}"} for number in range(100)))
    first = plan(table, results, sample=5)
    assert len(ids(first)) == 5
    finish(results, first)
    again = plan(table, results, sample=5)
    assert (again.done, ids(again)) == (5, [])
    assert len(ids(plan(table, results))) == 95


def test_ids_and_outputs_that_are_not_unique_are_an_error_before_anything(results: Results) -> None:
    with pytest.raises(InputError, match=r"1 ids are not unique: a \(2 times\)"):
        plan(photos({"id": "a"}, {"id": "a"}, {"id": "b"}), results)
    with pytest.raises(InputError, match=r"1 outputs are not unique: a\.jpg"):
        plan(photos({"id": "a"}, {"id": "a.jpg"}), results)


def test_a_bad_row_is_told_once(results: Results) -> None:
    bad = {
        "": "has no id",
        "/etc/passwd": "cannot name a file",
        "a/../b": "cannot name a file",
        "_results/x": "cannot name a file",
        "x\\y": "cannot name a file",
        "l" * 701: "the id has 701 bytes; allowed: 700",
        "n" * 201: "cannot name a file",
    }
    rows = [{"id": name} for name in bad]
    rows += [{"id": "gone", "input": ""}, {"id": "odd", "size": "wide"}, {"id": "good"}]
    found = plan(photos(*rows), results)
    assert ids(found) == ["good"]
    told = dict(zip(found.bad["id"].to_pylist(), found.bad["problem"].to_pylist(), strict=True))
    for name, problem in {**bad, "gone": "has no input", "odd": "size is 'wide'"}.items():
        assert problem in told[name or "row-1"], name
    results.write(
        "part-1.parquet",
        as_table(
            row(item, "job", failed("BAD_ROW", "", may_pass=False)) for item in items_of(found.bad)
        ),
    )
    assert plan(photos(*rows), results).bad.num_rows == 0
