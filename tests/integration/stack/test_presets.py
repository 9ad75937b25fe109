"""Every preset on every photo: the verdict against an independent reading of the file."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from packshot import AsyncClient, Check, Packshot
from tests.support.reading import Reading, read

PRESETS = ("amazon-main", "ebay", "google-merchant", "shopify")
# Where the product's edge is faint or white, box and reading differ by so much of the frame.
_FILL_SLACK_PERCENT = 3.0


def within(check: Check, measured: float) -> bool:
    """Judge a measure by a check's bounds."""
    least = -float("inf") if check.at_least is None else check.at_least
    most = float("inf") if check.at_most is None else check.at_most
    return least <= measured <= most


MEASURES = {
    "width": lambda reading: reading.width_px,
    "height": lambda reading: reading.height_px,
    "shortest-side": lambda reading: min(reading.width_px, reading.height_px),
    "longest-side": lambda reading: max(reading.width_px, reading.height_px),
    "pixels": lambda reading: reading.width_px * reading.height_px,
    "bytes": lambda reading: reading.size_bytes,
}


def hold_verdict_to_file(shot: Packshot, reading: Reading, name: str) -> None:
    assert shot.verdict, name
    verdict = shot.verdict
    assert (reading.width_px, reading.height_px) == (shot.width_px, shot.height_px)
    for check in verdict.checks:
        told = f"{name}: {check.explanation}"
        if check.rule in MEASURES:
            measured = MEASURES[check.rule](reading)
            assert check.measured == measured, told
            assert check.passed is within(check, measured), told
        elif check.rule == "background":
            assert check.measured == reading.border_levels, told
            assert check.passed is (reading.border_levels == 0), told
        elif check.rule == "format":
            assert check.passed is (reading.format in {"JPEG", "PNG", "WEBP"}), told
        elif check.rule == "fill":
            left, top, right, bottom = shot.product
            box = max((right - left) / shot.width_px, (bottom - top) / shot.height_px)
            assert check.measured == pytest.approx(100 * box), told
            assert check.passed is within(check, check.measured), told
        elif check.rule == "upscaling":
            assert check.passed is (shot.magnification <= 1.0005), told
        else:
            assert check.rule == "whole-product", told
            assert check.passed is not any(shot.cut_off), told
    required = [check.passed for check in verdict.checks if check.required]
    assert verdict.complies is all(required)


async def hold_all(client: AsyncClient, photos: list[Path], tmp_path: Path) -> list[Packshot]:
    shots = []
    for photo in photos:
        for preset in PRESETS:
            shot = await client.render(photo, preset=preset)
            (tmp_path / f"{photo.stem}-{preset}.jpg").write_bytes(shot.picture)
            hold_verdict_to_file(shot, read(shot.picture), f"{photo.stem}, {preset}")
            shots.append(shot)
    return shots


async def test_the_verdict_on_every_sample_is_what_the_file_shows(
    client: AsyncClient, samples: list[Path], tmp_path: Path
) -> None:
    shots = await hold_all(client, samples, tmp_path)
    assert any(shot.verdict and shot.verdict.complies for shot in shots)


@pytest.mark.photos
async def test_the_verdict_on_every_real_photo_is_what_the_file_shows(
    client: AsyncClient, evaluation_photos: Path, tmp_path: Path
) -> None:
    photos = sorted(
        path
        for path in evaluation_photos.iterdir()
        if path.suffix in {".jpg", ".png"} and not path.name.endswith(".matte.png")
    )
    shots = await hold_all(client, photos, tmp_path)
    verdicts = {shot.verdict.complies for shot in shots if shot.verdict}
    # Some are too small for some marketplace, some are not: both answers are checked.
    assert verdicts == {True, False}


async def test_the_share_of_the_frame_is_what_stands_out_in_the_file(
    client: AsyncClient, samples: list[Path]
) -> None:
    (mug,) = [sample for sample in samples if sample.stem == "mug"]
    shot = await client.render(mug, preset="amazon-main")
    assert shot.verdict
    (fill,) = [check for check in shot.verdict.checks if check.rule == "fill"]
    reading = read(shot.picture)
    assert fill.measured == pytest.approx(reading.fill_percent, abs=_FILL_SLACK_PERCENT)


async def test_what_the_caller_sets_is_judged_as_it_is(
    client: AsyncClient, samples: list[Path]
) -> None:
    shot = await client.render(samples[0], preset="amazon-main", background="#FEFEFE")
    assert shot.verdict
    assert not shot.verdict.complies
    failed = [check.rule for check in shot.verdict.checks if check.required and not check.passed]
    assert "background" in failed


async def test_a_photo_too_small_for_a_rule_fails_it_by_name(
    client: AsyncClient, samples: list[Path]
) -> None:
    with Image.open(samples[0]) as image:
        image.thumbnail((400, 400))
        small = BytesIO()
        image.save(small, "PNG")
    shot = await client.render(small.getvalue(), preset="amazon-main")
    assert shot.verdict
    assert not shot.verdict.complies
    (check,) = [
        check for check in shot.verdict.checks if check.rule == "longest-side" and check.required
    ]
    assert not check.passed
    assert check.measured < 1000 == check.at_least
    assert "1000 to 10,000 px are required" in check.explanation
