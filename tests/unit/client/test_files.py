"""Files of this machine: packshots appear whole or not at all, photos are regular files."""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from packshot import Box, InvalidRequestError, Packshot, Sides
from packshot._files import probe_folder, write_file
from packshot._photo import photo_bytes


def shot(picture: bytes = b"picture") -> Packshot:
    return Packshot(
        picture=picture,
        format="jpeg",
        media_type="image/jpeg",
        width_px=1,
        height_px=1,
        product=Box(0, 0, 1, 1),
        magnification=1,
        model="matte",
        model_version="1",
        confidence=1,
        cut_off=Sides(left=False, top=False, right=False, bottom=False),
        stages_s={},
    )


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_a_file_that_cannot_be_written_whole_is_not_there_and_what_was_there_stays(
    tmp_path: Path,
) -> None:
    (tmp_path / "old.jpg").write_bytes(b"old")
    for name in ("new.jpg", "old.jpg"):
        with file_size_limit(4096), pytest.raises(OSError, match=r"File too large.*" + name):
            shot(bytes(10_000)).save(tmp_path / name)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old.jpg": b"old"}


def test_a_new_file_has_a_plain_one_s_permissions_and_a_replaced_one_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "old.jpg").write_bytes(b"old")
    (tmp_path / "old.jpg").chmod(0o604)
    with umask(0o027):
        shot().save(tmp_path / "new.jpg")
        shot().save(tmp_path / "old.jpg")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"new.jpg": 0o640, "old.jpg": 0o604}


def test_a_link_stays_and_the_file_behind_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link.jpg").symlink_to("there/file.jpg")
    shot().save(tmp_path / "link.jpg")
    assert (tmp_path / "link.jpg").is_symlink()
    assert (tmp_path / "there/file.jpg").read_bytes() == b"picture"


def test_a_file_is_replaced_on_demand_only(tmp_path: Path) -> None:
    (tmp_path / "old.jpg").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        shot().save(tmp_path / "old.jpg", overwrite=False)
    assert (tmp_path / "old.jpg").read_bytes() == b"old"
    shot().save(tmp_path / "new.jpg", overwrite=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.jpg", "old.jpg"]


def test_what_is_no_regular_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    write_file(os.devnull, b"picture", replace=True)
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    shot().save(fifo)
    assert os.read(reader, 100) == b"picture"
    os.close(reader)
    with pytest.raises(IsADirectoryError):
        shot().save(tmp_path)


@pytest.mark.parametrize("name", ["shot.tiff", "shot.gif", "shot.HEIC", "shot.png", "shot.bmp"])
def test_a_picture_is_not_saved_under_another_format_s_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the picture is jpeg"):
        shot().save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_folder_tells_whether_it_can_be_written_to(tmp_path: Path) -> None:
    assert probe_folder(tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(OSError, match=r".+"):
        probe_folder(tmp_path / "missing")


def test_a_photo_is_taken_in_every_form(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(b"photo")
    with path.open("rb") as file:
        taken = [
            photo_bytes(b"photo"),
            photo_bytes(bytearray(b"photo")),
            photo_bytes(memoryview(b"photo")),
            photo_bytes(path),
            photo_bytes(str(path)),
            photo_bytes(file),
            photo_bytes(BytesIO(b"photo")),
        ]
    assert taken == [b"photo"] * 7


def test_what_is_no_photo_is_refused_by_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(b"photo")
    with path.open() as text, pytest.raises(TypeError, match="open it in binary mode"):
        photo_bytes(text)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not int"):
        photo_bytes(7)  # type: ignore[arg-type]
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="a FIFO, not a file"):  # and nobody waits for a writer
        photo_bytes(tmp_path / "fifo")
    with pytest.raises(OSError, match="a device, not a file"):
        photo_bytes(os.devnull)
    with pytest.raises(IsADirectoryError):
        photo_bytes(tmp_path)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InvalidRequestError, match=f"takes {2**40} bytes; .* {2**31 - 2**20} at"):
        photo_bytes(tmp_path / "huge")
    for photo in (b"photo", BytesIO(b"photo")):
        with pytest.raises(InvalidRequestError) as caught:
            photo_bytes(photo, 4)
        assert caught.value.figures == {"value": "5", "limit": "4"}
