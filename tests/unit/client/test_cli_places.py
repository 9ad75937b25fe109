"""Which photos `packshot render` finds, and where their packshots go."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from packshot.cli import main
from packshot.v1 import packshot_pb2 as pb
from tests.support.scripted_service import ANSWER, Scripted, serving

JPEG = b"\xff\xd8\xff photo"


@pytest.fixture
def service() -> Scripted:
    service = Scripted()
    answer = pb.RenderResponse()
    answer.CopyFrom(ANSWER)
    answer.format = pb.IMAGE_FORMAT_JPEG
    del answer.notes[:]
    service.script = [lambda _context: answer]
    return service


@pytest.fixture
def target(service: Scripted) -> Iterator[str]:
    with serving(service) as target:
        yield target


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*names: str, data: bytes = JPEG) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(data)


def run(target: str, *args: str) -> Result:
    return CliRunner().invoke(main, ["--target", target, "render", *args], input=JPEG)


def files(folder: str) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file()
    )


def test_a_folder_s_pictures_are_rendered_whatever_their_names(
    target: str, service: Scripted
) -> None:
    put("in/a.jfif", "in/b.jpe", "in/c.hif", "in/no-suffix", "in/odd.name", "in/.hidden.jpg")
    put("in/._a.jpg", "in/.DS_Store", "in/Thumbs.db", "in/.packshot-0123.part", "in/sub/e.jpg")
    put("in/notes.txt", "in/BM.txt", data=b"BM is no picture, whatever begins so")
    os.mkfifo("in/fifo.jpg")
    Path("in/device.png").symlink_to("/dev/null")
    Path("in/link").symlink_to("sub")
    result = run(target, "in", "-o", "out")
    assert result.exit_code == 0, result.output
    names = [".hidden.jpg", "a.jpg", "b.jpg", "c.jpg", "no-suffix.jpg", "odd.jpg"]
    assert files("out") == names
    assert len(service.requests) == 6
    assert sorted(line for line in result.stderr.splitlines() if "left out" in line) == [
        "left out: in/BM.txt: not a picture",
        "left out: in/device.png: a device",
        "left out: in/fifo.jpg: a FIFO",
        "left out: in/link: a link to a folder",
        "left out: in/notes.txt: not a picture",
        "left out: in/sub: a folder; --recursive takes its photos",
    ]


def test_folders_in_folders_keep_their_names_and_own_packshots_are_no_photos(
    target: str, service: Scripted
) -> None:
    put("in/a.jpg", "in/x/a.jpg", "in/x/y/b.jpg")
    Path("in/x/loop").symlink_to("..")
    for flags in ([], ["--overwrite"], ["--skip-existing"]):
        result = run(target, "in", "-o", "in/out", "--recursive", *flags)
        assert result.exit_code == 0, result.output
        assert files("in/out") == ["a.jpg", "x/a.jpg", "x/y/b.jpg"]
        assert "left out: in/x/loop: a link to a folder" in result.stderr
    assert len(service.requests) == 6  # none by the third run
    result = run(target, "in/**/*.jpg", "-o", "in/out", "--overwrite")
    assert result.exit_code == 0, result.output
    assert files("in/out") == ["a.jpg", "x/a.jpg", "x/y/b.jpg"]


def test_a_tree_may_be_as_deep_as_paths_may(target: str) -> None:
    deep = "in/" + "d/" * 600
    put(deep + "a.jpg")
    result = run(target, "in", "-o", "out", "--recursive")
    assert result.exit_code == 0, result.output
    assert files("out") == ["d/" * 600 + "a.jpg"]


@pytest.mark.parametrize(
    "args",
    [
        ["in", "-o", "in"],
        ["in", "-o", "link"],
        ["in/a.jpg", "-o", "in/a.jpg"],
        ["in/a.jpg", "-o", "hard.jpg"],
        ["in/a.jpg", "-o", "soft.jpg"],
        ["soft.jpg", "-o", "in/a.jpg"],
        ["in", "-o", "in", "--overwrite"],
        ["in", "-o", "in", "--skip-existing"],
    ],
)
def test_no_packshot_replaces_a_photo(target: str, service: Scripted, args: list[str]) -> None:
    put("in/a.jpg", "in/b.png")
    Path("link").symlink_to("in")
    Path("soft.jpg").symlink_to("in/a.jpg")
    Path("hard.jpg").hardlink_to("in/a.jpg")
    result = run(target, *args, "--overwrite" if "-o" in args[-2:] else "--square")
    assert result.exit_code == 2
    assert "no packshot replaces a photo" in " ".join(result.stderr.split())
    assert Path("in/a.jpg").read_bytes() == JPEG
    assert not service.requests


def test_files_that_are_there_are_named_replaced_or_left(target: str, service: Scripted) -> None:
    put(*(f"in/{number}.jpg" for number in range(8)))
    put(*(f"out/{number}.jpg" for number in range(7)), data=b"old")
    refused = run(target, "in", "-o", "out")
    assert refused.exit_code == 2
    assert "7 files are there already: out/0.jpg, " in refused.stderr
    assert "out/4.jpg and 2 more; --overwrite" in " ".join(refused.stderr.split())
    assert not service.requests
    goes_on = run(target, "in", "-o", "out", "--skip-existing")
    assert goes_on.exit_code == 0
    assert "1 rendered, 0 failed, 7 there already" in goes_on.stderr
    assert len(service.requests) == 1
    assert Path("out/0.jpg").read_bytes() == b"old"
    replaced = run(target, "in", "-o", "out", "--overwrite")
    assert replaced.exit_code == 0
    assert Path("out/0.jpg").read_bytes() == b"picture"


def test_the_name_that_counts_is_that_of_the_format_to_come(target: str, service: Scripted) -> None:
    put("in/a.jpg")
    put("out/a.jpg", data=b"old")
    assert run(target, "in", "-o", "out").exit_code == 2
    assert run(target, "in", "-o", "out", "--format", "jpeg").exit_code == 2
    assert run(target, "in", "-o", "out", "--preset", "bazaar").exit_code == 2
    assert not service.requests
    # A service that answers in another format than it was asked for replaces nothing either.
    result = run(target, "in", "-o", "out", "--format", "webp")
    assert "error: in/a.jpg: out/a.jpg: File exists" in result.stderr
    assert len(service.requests) == 1
    assert Path("out/a.jpg").read_bytes() == b"old"


def test_photos_that_share_a_name_are_kept_apart_and_named(target: str) -> None:
    put("a/IMG.jpg", "a/IMG.png", "a/other.jpg", "b/IMG.jpg", "c/b/x.jpg", "d/b/x.jpg")
    result = run(target, "a", "b", "c/b", "d/b/x.jpg", "a/other.jpg", "./a/other.jpg", "-o", "out")
    assert result.exit_code == 0, result.output
    assert files("out") == [
        "a/IMG.jpg.jpg",
        "a/IMG.png.jpg",
        "b/IMG.jpg",
        "c/b/x.jpg",
        "d/b/x.jpg",
        "other.jpg",
    ]
    assert "kept apart: a/IMG.png: the packshot is out/a/IMG.png.jpg\n" in result.stderr


def test_a_name_that_is_kept_apart_meets_no_other(target: str) -> None:
    put("in/x.jpg", "in/x.png", "in/x.jpg.gif")
    result = run(target, "in", "-o", "out")
    assert result.exit_code == 0, result.output
    assert files("out") == ["x.jpg.gif.jpg", "x.jpg.jpg", "x.png.jpg"]
    assert result.stderr.count("kept apart: ") == 3


def test_a_link_to_a_folder_that_is_missing_is_followed_and_one_to_none_is_refused(
    target: str, service: Scripted
) -> None:
    put("a.jpg", "plain")
    Path("new.jpg").symlink_to("missing/new.jpg")
    Path("never.jpg").symlink_to("plain/new.jpg")
    assert run(target, "a.jpg", "-o", "never.jpg").exit_code == 2
    assert not service.requests
    assert run(target, "a.jpg", "-o", "new.jpg").exit_code == 0
    assert files("missing") == ["new.jpg"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        *((f"x.{suffix}", "no name of a packshot") for suffix in ("tiff", "gif", "bmp", "heic")),
        ("plain", "a file, not a folder"),
        ("plain/x.jpg", "cannot be written: Not a directory"),
        ("plain/sub", "cannot be written: Not a directory"),
        ("/dev/null", "a device, not a file"),
        ("/dev/stderr", "not a file to replace"),
        ("fifo.jpg", "a FIFO, not a file"),
        ("/sys/kernel/x/", "cannot be made"),
        ("/sys/kernel/x.jpg", "nothing can be written"),
        ("n" * 256 + ".jpg", "File name too long"),
        ("n" * 300 + "/", "File name too long"),
        ("loop.jpg", "Symbolic link loop|Too many levels"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_anything_is_rendered(
    target: str, service: Scripted, output: str, message: str
) -> None:
    put("a.jpg", "plain")
    os.mkfifo("fifo.jpg")
    Path("loop.jpg").symlink_to("loop.jpg")
    result = run(target, "a.jpg", "-o", output)
    assert result.exit_code == 2, result.output
    assert any(part in " ".join(result.stderr.split()) for part in message.split("|"))
    assert not service.requests


def test_a_name_that_grows_too_long_is_refused_before_anything_is_rendered(
    target: str, service: Scripted
) -> None:
    put("in/" + "n" * 253)
    result = run(target, "in", "-o", "out")
    assert result.exit_code == 2
    assert "File name too long" in " ".join(result.stderr.split())
    assert not service.requests


def test_the_format_and_the_file_s_name_must_agree(target: str, service: Scripted) -> None:
    put("a.jpg")
    result = run(target, "a.jpg", "-o", "x.jpg", "--format", "png")
    assert result.exit_code == 2
    assert "contradicts --format png" in result.stderr
    assert not service.requests


def test_folders_are_made_and_a_dot_makes_no_file_of_them(target: str) -> None:
    put("a.jpg")
    for output in ("dotted.dir/", "new/er/x.jpg", "new/est"):
        assert run(target, "a.jpg", "-o", output).exit_code == 0
    assert files("dotted.dir") == ["a.jpg"]
    assert files("new") == ["er/x.jpg", "est/a.jpg"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["empty", "-o", "out"], "holds no photo; empty: an empty folder"),
        (["texts", "-o", "out"], "holds no photo; texts/a.txt: not a picture"),
        (["-", "empty", "-o", "out"], "standard input needs a file"),
        (["", "-o", "out"], "a photo's name is empty"),
        (["a.jpg", "-o", ""], "the output's name is empty"),
        (["a.jpg", "b.jpg", "-o", "-"], "2 photos cannot go into one file"),
        (["a**b.jpg", "-o", "out"], "a**b.jpg"),
    ],
)
def test_photos_that_cannot_be_are_refused(target: str, args: list[str], message: str) -> None:
    put("a.jpg", "b.jpg")
    put("texts/a.txt", data=b"text")
    Path("empty").mkdir()
    result = run(target, *args)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())


def test_odd_names_are_rendered_and_said_on_one_line(target: str) -> None:
    names = ["-x.jpg", "new\nline\x1b[2J.jpg", os.fsdecode(b"latin-\xe9.jpg"), "[1].jpg"]
    for name in names:
        put(f"in/{name}")
    os.mkfifo("in/bad\nerror: forged.jpg")
    result = run(target, "in", "in/[1].jpg", "-o", "out")
    assert result.exit_code == 0, result.output
    assert files("out") == sorted(names)
    assert "left out: in/bad\\nerror: forged.jpg: a FIFO" in result.stderr.splitlines()
    put("in/" + os.fsdecode(b"latin-\xe9.png"))
    again = run(target, "in", "-o", "out")
    assert again.exit_code == 2
    assert "new\\nline\\x1b[2J.jpg" in again.stderr


def test_a_fifo_that_is_named_fails_by_itself_and_is_not_opened(target: str) -> None:
    os.mkfifo("fifo.jpg")
    put("a.jpg")
    result = run(target, "fifo.jpg", "a.jpg", "gone.jpg", "-o", "out")
    assert result.exit_code == 1
    assert "error: fifo.jpg: is a FIFO, not a file" in result.stderr
    assert "error: gone.jpg: No such file" in result.stderr
    assert "1 rendered, 2 failed" in result.stderr


def test_standard_streams_have_other_names(target: str) -> None:
    result = run(target, "/dev/stdin", "-o", "/dev/stdout")
    assert result.exit_code == 0, result.output
    assert result.stdout_bytes == b"picture"
