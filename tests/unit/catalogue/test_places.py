"""Files and objects: whole or not at all, and asked for again while it helps."""

import errno
import pickle
from pathlib import Path

import pytest

from catalogue.backoff import Backoff
from catalogue.errors import InputError
from catalogue.places import Place, absolute, repeated

QUICK = Backoff(first_s=0.001, most_s=0.002, attempts=4)


class Flaky:
    """Fails some times before it works."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return "done"


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EBUSY, "SlowDown"), TimeoutError(), ConnectionResetError(), Exception("?")],
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    work = Flaky(3, error)
    assert repeated(work, QUICK) == "done"
    assert work.calls == 4


def test_it_is_not_tried_for_ever_and_ends_as_an_os_error() -> None:
    work = Flaky(99, RuntimeError("out of order"))
    with pytest.raises(OSError, match="out of order"):
        repeated(work, QUICK)
    assert work.calls == 4


@pytest.mark.parametrize(
    "error", [FileNotFoundError("x"), PermissionError("x"), IsADirectoryError("x")]
)
def test_what_cannot_pass_is_not_tried_again(error: OSError) -> None:
    work = Flaky(1, error)
    with pytest.raises(type(error)):
        repeated(work, QUICK)
    assert work.calls == 1


@pytest.mark.parametrize("kind", ["local", "memory"])
def test_a_file_is_written_read_listed_and_deleted(tmp_path: Path, kind: str) -> None:
    place = Place(str(tmp_path / "out") if kind == "local" else f"memory://{tmp_path.name}")
    place.write("folder/a b.jpg", b"one")
    place.write("folder/a b.jpg", b"two")
    place.write("folder/c.txt", b"")
    assert place.read("folder/a b.jpg") == b"two"
    assert place.read("folder/a b.jpg", 2) == b"tw"
    assert place.read("folder/c.txt") == b""
    assert place.files("folder", ".jpg") == ["a b.jpg"]
    assert place.files("nowhere", ".jpg") == []
    assert place.exists("folder/c.txt")
    place.delete("folder/c.txt")
    place.delete("folder/c.txt")
    assert not place.exists("folder/c.txt")
    assert pickle.loads(pickle.dumps(place)).read("folder/a b.jpg") == b"two"  # noqa: S301


def test_a_local_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"here")
    with pytest.raises(OSError, match="file"):
        Place(str(tmp_path), QUICK).write("file/below.jpg", b"x")
    assert (tmp_path / "file").read_bytes() == b"here"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_elsewhere_a_file_gets_its_name_once_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(str(tmp_path), QUICK)
    monkeypatch.setattr(place, "_local", False)
    place.write("folder/a.jpg", b"whole")
    assert (tmp_path / "folder" / "a.jpg").read_bytes() == b"whole"

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(place.filesystem), "mv", fail)
    with pytest.raises(OSError, match="No space"):
        place.write("folder/b.jpg", b"half")
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["a.jpg"]


def test_an_address_that_nothing_opens_is_an_error() -> None:
    with pytest.raises(InputError, match="gopher"):
        Place("gopher://host/folder")


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("photos/in") == str(tmp_path / "photos/in")
    assert absolute("s3://bucket/in") == "s3://bucket/in"
