"""Photos and packshots in S3: throttled, in parts, whole or not at all."""

from collections.abc import Iterator

import fsspec
import pytest

from catalogue.backoff import Backoff
from catalogue.inputs import read_photos
from catalogue.places import Place
from catalogue.results import Results
from catalogue.rows import Item, as_table, row
from tests.support.object_store import ObjectStore, every, object_store

QUICK = Backoff(first_s=0.01, most_s=0.02, attempts=3)
LARGE = b"x" * 40 * 2**20


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    with object_store("shop") as store:
        for name, value in store.environ.items():
            monkeypatch.setenv(name, value)
        # Connections are kept for as long as the process lives, and each test has its own server.
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        yield store


def uploads(store: ObjectStore) -> list[object]:
    found = store.client().list_multipart_uploads(Bucket="shop").get("Uploads", [])
    return list(found)


def test_a_store_that_throttles_is_asked_again(store: ObjectStore) -> None:
    store.refuse = every(3)
    place = Place("s3://shop/out", QUICK)
    for number in range(9):
        place.write(f"folder/{number}.jpg", str(number).encode())
    assert [place.read(f"folder/{number}.jpg") for number in range(9)] == [
        str(number).encode() for number in range(9)
    ]
    place.write("empty", b"")
    assert place.read("empty") == b""
    assert store.refused["PUT"] >= 3
    assert store.refused["GET"] >= 3


def test_a_large_packshot_goes_in_parts_and_refused_parts_go_again(store: ObjectStore) -> None:
    store.refuse = every(4)
    Place("s3://shop/out", QUICK).write("large.png", LARGE)
    assert store.objects("shop") == {"out/large.png": LARGE}
    assert store.refused["PUT"] >= 1
    assert uploads(store) == []


def test_an_upload_whose_parts_fail_leaves_nothing(store: ObjectStore) -> None:
    store.refuse = lambda method, _path, query: method == "PUT" and query.get("partNumber") == ["2"]
    with pytest.raises(OSError, match="reduce your request rate"):
        Place("s3://shop/out", QUICK).write("large.png", LARGE)
    store.refuse = lambda *_: False
    assert store.objects("shop") == {}
    assert uploads(store) == []


def test_a_missing_object_and_a_missing_bucket_are_told_at_once(store: ObjectStore) -> None:
    with pytest.raises(FileNotFoundError):
        Place("s3://shop/gone.jpg", QUICK).read("")
    with pytest.raises(OSError, match="bucket"):
        Place("s3://elsewhere/out", QUICK).write("a.jpg", b"")
    assert store.objects("shop") == {}


def test_folders_globs_manifests_and_results_are_found_there(store: ObjectStore) -> None:
    client = store.client()
    for key in ("in/a.jpg", "in/b/c.png", "in/notes.txt"):
        client.put_object(Bucket="shop", Key=key, Body=b"")
    client.put_object(Bucket="shop", Key="m/list.csv", Body=b"id,path\n1,a.jpg\n")
    folder = read_photos("s3://shop/in").table
    assert folder["id"].to_pylist() == ["a.jpg", "b/c.png"]
    assert folder["input"].to_pylist() == ["s3://shop/in/a.jpg", "s3://shop/in/b/c.png"]
    assert read_photos("s3://shop/in/*/*.png").table["id"].to_pylist() == ["b/c.png"]
    listed = read_photos("s3://shop/m/list.csv").table
    assert listed["input"].to_pylist() == ["s3://shop/m/a.jpg"]
    results = Results(Place("s3://shop/out", QUICK))
    for number in range(20):
        item = Item(str(number), "s3://shop/in/a.jpg", "a.jpg", "", "work")
        results.write(f"part-{number}.parquet", as_table([row(item, "job", {"status": "ok"})]))
    assert results.compact() == 20
    assert len(results.parts()) == 1
