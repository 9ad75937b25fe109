"""Photos and packshots in Google Cloud Storage: gcsfs before an emulator."""

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

from catalogue.backoff import Backoff
from catalogue.inputs import read_photos
from catalogue.places import Place
from catalogue.results import Results
from catalogue.rows import Item
from tests.support.google_store import google_store
from tests.unit.catalogue.conftest import StartWorker

# gcsfs hands its parts to aiohttp so.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
QUICK = Backoff(first_s=0.01, most_s=0.02, attempts=3)
LARGE = b"x" * 40 * 2**20


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An empty bucket."""
    with google_store(tmp_path, "shop") as environ:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        fsspec.get_filesystem_class("gs").clear_instance_cache()
        yield Place("gs://shop", QUICK)


@pytest.fixture
def output(shop: Place) -> Place:
    return Place(f"{shop.uri}/out", QUICK)


def test_objects_are_written_whole_read_listed_and_deleted(shop: Place, output: Place) -> None:
    output.write("folder/a b.jpg", b"one")
    output.write("folder/a b.jpg", b"two")
    output.write("empty", b"")
    output.write("large.png", LARGE)
    assert output.read("folder/a b.jpg") == b"two"
    assert output.read("folder/a b.jpg", 2) == b"tw"
    assert output.read("empty") == b""
    assert output.read("large.png") == LARGE
    assert output.files("folder", ".jpg") == ["a b.jpg"]
    output.delete("folder/a b.jpg")
    output.delete("folder/a b.jpg")
    assert not output.exists("folder/a b.jpg")
    with pytest.raises(FileNotFoundError):
        shop.read("gone.jpg")
    with pytest.raises(OSError, match="elsewhere"):
        Place("gs://elsewhere/out", QUICK).write("a.jpg", b"")


def test_a_batch_goes_from_bucket_to_bucket_with_its_rows(
    target: str, start_worker: StartWorker, shop: Place, output: Place
) -> None:
    for number in range(8):
        shop.write(f"in/{number}.jpg", str(number).encode())
    shop.write("in/notes.txt", b"")
    shop.write("in/list.csv", b"id,path\n1,1.jpg\n")
    assert read_photos("gs://shop/in/*.csv").table["input"].to_pylist() == ["gs://shop/in/1.jpg"]
    photos = read_photos("gs://shop/in").table
    batch = [
        Item(photo["id"], photo["input"], f"{photo['id']}.png", "", f"work {photo['id']}")
        for photo in photos.to_pylist()
    ]
    names = Item.__dataclass_fields__
    (told,) = start_worker(target)(
        pa.Table.from_pylist([{name: getattr(item, name) for name in names} for item in batch])
    ).to_pylist()
    assert (told["ok"], told["failed"]) == (8, 0)
    assert output.read("3.jpg.png") == b"picture"
    results = Results(output)
    assert results.compact() == 8
    assert sorted(results.rows().to_table()["input"].to_pylist()) == [
        f"gs://shop/in/{number}.jpg" for number in range(8)
    ]
