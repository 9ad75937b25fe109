"""A catalogue's job on Ray, before the real Triton and gateway: killed, and over object storage."""

import hashlib
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.catalogue_drill.drill import hold
from tests.catalogue_drill.photos import make_photos
from tests.catalogue_drill.run import Kill, run_to_the_end
from tests.catalogue_drill.stack import Stack, running
from tests.support.object_store import every, object_store

pytestmark = pytest.mark.timeout(600)
PHOTOS = 40


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="module")
def photos(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    make_photos(folder, PHOTOS, sorted((root / "samples").glob("*.jpg")), 256)
    return folder


def test_a_job_that_is_killed_ends_as_one_that_is_not(
    stack: Stack, photos: Path, tmp_path: Path
) -> None:
    kills = [
        # The driver first: a worker that is just starting outlives it by half a minute.
        Kill(0.3, "driver"),
        Kill(0.4, "worker"),
        # Both are away at once, and their starts overlap.
        Kill(0.6, "Triton", stack.kill_triton),
        Kill(0.6, "gateway", stack.kill_gateway),
    ]
    plain = hold(stack, photos, PHOTOS, tmp_path / "plain", [], 4)
    killed = hold(stack, photos, PHOTOS, tmp_path / "killed", kills, 4)
    print(f"undisturbed: {plain}\nkilled: {killed}")
    assert plain.state.differences(killed.state) == []
    assert (plain.spent, plain.held) == (killed.spent, killed.held) == (PHOTOS - 1, 0)
    assert Counter(killed.run.kills) == {"worker": 1, "driver": 1, "Triton": 1, "gateway": 1}


def test_a_job_over_object_storage_that_throttles_is_whole_and_charged_once(
    stack: Stack, photos: Path, tmp_path: Path
) -> None:
    with (
        object_store("shop") as store,
        tempfile.TemporaryDirectory(prefix="ray-") as temporary,
    ):
        # What a cluster that ran on this machine has left: the job is no part of it.
        (Path(temporary) / "ray").mkdir()
        (Path(temporary) / "ray" / "ray_current_cluster").write_text("127.0.0.1:9")
        client = store.client()
        for path in photos.rglob("*.jpg"):
            name = path.relative_to(photos).as_posix()
            client.put_object(Bucket="shop", Key=f"in/{name}", Body=path.read_bytes())
        store.refuse = every(7)
        key = stack.books.issue(2 * PHOTOS)
        run = run_to_the_end(
            [
                *("--input", "s3://shop/in", "--output", "s3://shop/out"),
                *("--target", stack.target, "--batch", "8", "--size", "256"),
                *("--workers", "1"),
            ],
            tmp_path / "job.log",
            {**store.environ, "PACKSHOT_API_KEY": key, "RAY_TMPDIR": temporary},
            lambda: len(store.names("shop", "out/0")) / PHOTOS,
            [Kill(0.2, "driver")],
        )
        store.refuse = lambda *_: False
        objects = store.objects("shop", "out/")
        tables = [
            pq.read_table(io.BytesIO(data)).to_pylist()
            for name, data in objects.items()
            if name.startswith("out/_results/")
        ]
        assert store.refused["GET"] > 0
        assert store.refused["PUT"] > 0
        assert client.list_multipart_uploads(Bucket="shop").get("Uploads", []) == []
    rows = {row["id"]: row for table in tables for row in table}
    assert len(rows) == sum(map(len, tables)) == PHOTOS, run.log
    assert Counter(row["status"] for row in rows.values()) == {"ok": PHOTOS - 1, "failed": 1}
    for row in rows.values():
        if row["status"] == "ok":
            data = objects.pop(f"out/{row['output']}")
            assert hashlib.sha256(data).hexdigest() == row["output_digest"]
    assert {name.split("/")[1] for name in objects} == {"_results"}
    assert stack.books.faults(key, 2 * PHOTOS, PHOTOS - 1) == []
