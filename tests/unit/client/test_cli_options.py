"""What `packshot` sends for its options, and what it says of verdicts and presets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from packshot import BackgroundPicture, RenderOptions, Scene
from packshot._cli_render import render
from packshot._request import to_request
from packshot.cli import main
from packshot.v1 import packshot_pb2 as pb
from tests.support.scripted_service import ANSWER, Scripted, serving

CASES: list[tuple[list[str], RenderOptions]] = [
    ([], {}),
    (["--background", "scene:wood:3"], {"background": Scene("wood", 3)}),
    (["--preset", "bazaar"], {"preset": "bazaar"}),
    (["--square"], {"square": True}),
    (["--size", "x40"], {"size": (None, 40)}),
    (["--aspect", "4:5"], {"aspect": 0.8}),
    (["--crop"], {"crop": True}),
    (["--margin", "5% 30px"], {"margin": "5% 30px"}),
    (["--scale", "0.5"], {"scale": 0.5}),
    (["--position", "25% 75%"], {"position": (25, 75)}),
    (["--max-upscale", "3"], {"max_upscale": 3}),
    (["--max-pixels", "250000"], {"max_pixels": 250_000}),
    (["--shadow", "drop"], {"shadow": "drop"}),
    (["--shadow-opacity", "0"], {"shadow_opacity": 0}),
    (["--light-angle", "-45"], {"light_angle": -45}),
    (["--reflection", "0.5"], {"reflection": 0.5}),
    (["--color-match", "0.5"], {"color_match": 0.5}),
    (["--cut", "keep"], {"cut": "keep"}),
    (["--region", "1,2,30,40"], {"region": (1, 2, 30, 40)}),
    (["--keep-mask", __file__], {"keep_mask": __file__}),
    (["--erase-mask", __file__], {"erase_mask": __file__}),
    (["--no-clean"], {"clean": False}),
    (["--content", "mask"], {"content": "mask"}),
    (["--format", "webp"], {"format": "webp"}),
    (["--quality", "70"], {"quality": 70}),
    (["--dpi", "300"], {"dpi": 300}),
    (["--keep-metadata"], {"keep_metadata": True}),
    (["--model", "other"], {"model": "other"}),
    (["--priority", "bulk"], {"priority": "bulk"}),
]


@pytest.fixture(scope="module")
def service() -> Scripted:
    return Scripted()


@pytest.fixture(scope="module")
def target(service: Scripted) -> Iterator[str]:
    with serving(service) as target:
        yield target


@pytest.fixture(autouse=True)
def forget(service: Scripted) -> None:
    service.script = [lambda _context: ANSWER]
    service.requests.clear()


def sent(service: Scripted) -> list[pb.RenderRequest]:
    """Return what was sent, without the key that makes each render one to be charged once."""
    for request in service.requests:
        assert request.idempotency_key
        request.ClearField("idempotency_key")
    return service.requests


def run(target: str, *args: str | Path) -> Result:
    return CliRunner().invoke(main, ["--target", target, *map(str, args)], input=b"photo")


@pytest.mark.parametrize(("args", "options"), CASES, ids=[" ".join(case[0]) for case in CASES])
def test_every_option_is_sent(
    target: str, service: Scripted, args: list[str], options: RenderOptions
) -> None:
    result = run(target, "render", "-", "-o", "-", *args)
    assert result.exit_code == 0, result.output
    assert sent(service) == [to_request(b"photo", options)]


def test_the_command_s_options_are_the_clients() -> None:
    of_its_own = {"photos", "output", "jobs", "background_fit", "require_compliance"}
    of_its_own |= {"recursive", "overwrite", "skip_existing"}
    # The key of one render is no option for many: the client makes one up for each.
    options = RenderOptions.__annotations__.keys() - {"idempotency_key"}
    assert {parameter.name for parameter in render.params} - of_its_own == options
    assert {name for _, chosen in CASES for name in chosen} == options


def test_a_background_file_meets_the_frame_as_told(
    target: str, service: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "wall.jpg").write_bytes(b"wall")
    background = ("--background", tmp_path / "wall.jpg")
    result = run(target, "render", "-", "-o", "-", *background, "--background-fit", "stretch")
    assert result.exit_code == 0, result.output
    picture = BackgroundPicture(b"wall", fit="stretch")
    assert sent(service) == [to_request(b"photo", {"background": picture})]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--background-fit", "fit", "--background", "white"), "needs a --background that is a"),
        (("--require-compliance",), "needs a --preset"),
        (("--margin", "1 2 3"), "margin is '1 2 3'"),
        (("--background", "gradient:red,blue"), "colors is 'red'"),
        (("--background", "scene:beach"), "'beach' is no scene"),
        (("--region", "1,2,3"), "region is '1,2,3'; allowed: left, top, width and height"),
        (("--region", "1,2,3,0"), "region is '1,2,3,0', which is empty"),
        (("--keep-mask", "nosuch.png"), "'nosuch.png' cannot be read: No such file"),
        (("--erase-mask", "/dev/null"), "'/dev/null' is empty"),
        (("--size", "3x4", "--square"), "square contradicts a size of 3x4"),
    ],
)
def test_wrong_usage_is_explained_before_any_photo_is_sent(
    target: str, service: Scripted, args: tuple[str, ...], message: str
) -> None:
    result = run(target, "render", "-", "-o", "-", *args)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not service.requests


def judged(*, complies: bool) -> pb.RenderResponse:
    answer = pb.RenderResponse()
    answer.CopyFrom(ANSWER)
    checks = [
        pb.Check(rule="format", importance=pb.IMPORTANCE_REQUIRED, passed=True, explanation="Png."),
        pb.Check(rule="fill", importance=pb.IMPORTANCE_ADVISED, explanation="It fills 60 %."),
    ]
    if not complies:
        checks.append(
            pb.Check(rule="width", importance=pb.IMPORTANCE_REQUIRED, explanation="It is narrow.")
        )
    answer.verdict.CopyFrom(pb.Verdict(preset="bazaar", complies=complies, checks=checks))
    return answer


@pytest.mark.parametrize(
    ("flags", "exit_code", "summary"),
    [((), 0, "2 rendered, 0 failed"), (("--require-compliance",), 1, "1 rendered, 1 failed")],
)
def test_a_packshot_that_breaks_its_preset_is_written_and_named(
    target: str,
    service: Scripted,
    tmp_path: Path,
    flags: tuple[str, ...],
    exit_code: int,
    summary: str,
) -> None:
    for name in ("bag.jpg", "hat.jpg"):
        (tmp_path / name).write_bytes(b"photo")
    service.script = [lambda _: judged(complies=True), lambda _: judged(complies=False)]
    photos = (tmp_path / "bag.jpg", tmp_path / "hat.jpg")
    result = run(
        target,
        "render",
        *photos,
        "-o",
        tmp_path / "out",
        "--preset",
        "bazaar",
        "--jobs",
        "1",
        *flags,
    )
    assert result.exit_code == exit_code, result.output
    assert [line for line in result.stderr.splitlines() if "bazaar" in line] == [
        f"breaks a rule of bazaar: {photos[1]}: It fills 60 %.",
        f"breaks a rule of bazaar: {photos[1]}: It is narrow.",
    ]
    assert summary in result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bag.png", "hat.png"]


def test_lists_the_presets_with_their_rules(target: str) -> None:
    result = run(target, "presets")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "bazaar: A stall's picture.",
        "  - White ground.",
        "  - At least 100 px wide.",
        "  https://bazaar.example/rules (compared on 2026-01-31)",
    ]


def test_says_who_does_not_answer_for_the_presets() -> None:
    result = run("127.0.0.1:1", "--timeout", "3", "presets")
    assert result.exit_code == 1
    assert "error" in result.stderr
