"""A catalogue's job on a Ray cluster, as `ray job submit` and KubeRay run it."""

import os
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("aiohttp_cors", reason="`make catalogue-submit` installs ray[default]")

from catalogue.places import Place
from catalogue.results import Results
from tests.catalogue_drill.photos import BROKEN, make_photos
from tests.catalogue_drill.run import count_files
from tests.catalogue_drill.stack import running
from tests.support.ray_head import ray_head
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(600)
PHOTOS = 24


def test_a_submitted_job_that_is_killed_goes_on_where_it_is_submitted_again(
    root: Path, tmp_path: Path
) -> None:
    """First by the command with the repository, then by a driver's function without, as KubeRay."""
    make_photos(tmp_path / "in", PHOTOS + 1, sorted((root / "samples").glob("*.jpg")), 256)
    (tmp_path / "in" / BROKEN).unlink()
    output = tmp_path / "out"
    with running(tmp_path / "stack") as stack, ray_head(tmp_path, os.environ) as head:
        key = stack.books.issue(2 * PHOTOS)
        head.submit(
            "first",
            [
                *("python", "-m", "catalogue", "run", "--input", str(tmp_path / "in")),
                *("--output", str(output), "--target", stack.target, "--size", "256"),
                *("--batch", "4", "--window", "2"),
            ],
            {"PYTHONPATH": ".:client", "PACKSHOT_API_KEY": key},
            *("--working-dir", "."),
        )
        wait_until(lambda: count_files(output) >= PHOTOS // 4, 120)
        head.kill_driver()
        wait_until(lambda: head.is_over("first"))
        assert head.status("first") == "FAILED"
        done = {row["id"] for row in rows(output)}
        assert 0 < len(done) < PHOTOS
        driver = (
            "from catalogue.job import Job, run_job; from catalogue.orders import Connection; "
            "import os; key = os.environ['PACKSHOT_API_KEY']; "
            f"run_job(Job({str(tmp_path / 'in')!r}, {str(output)!r}, "
            f"Connection(({stack.target!r},), {{'api_key': key}}), {{'size': 256}}))"
        )
        head.submit(
            "second",
            ["python", "-c", driver],
            {"PYTHONPATH": f"{root}:{root}/client", "PACKSHOT_API_KEY": key},
        )
        wait_until(lambda: head.is_over("second"), 120)
        assert head.status("second") == "SUCCEEDED", head.log("second")
        assert f"{PHOTOS} photos: {len(done)} have their result" in head.log("second")
        assert stack.books.faults(key, 2 * PHOTOS, PHOTOS) == []
    assert Counter(row["status"] for row in rows(output)) == {"ok": PHOTOS}
    assert count_files(output) == PHOTOS


def rows(output: Path) -> list[dict[str, object]]:
    table = Results(Place(str(output))).rows().to_table(columns=["id", "status"])
    return list(table.to_pylist())
