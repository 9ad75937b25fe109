"""The held-out part of a training folder becomes photos to judge by."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from export.errors import PicturesError  # noqa: E402
from export.training.config import Stage, TrainingConfig  # noqa: E402
from export.training.held_out import read_held_out, resized  # noqa: E402
from export.training.validation import SCENES  # noqa: E402

CONFIG = replace(
    TrainingConfig(),
    stages=(Stage(until=1.0, side=48, batch=4),),
    photo_side=48,
    cutout_side=40,
    drawn_shapes=20,
    drawn_grounds=4,
    rendered_objects=4,
)


def test_held_out_pictures_are_photos_and_scenes_that_stay_the_same(training_folder: Path) -> None:
    photos = read_held_out(training_folder, CONFIG)
    assert len(photos) > SCENES  # whole photos besides the composed scenes
    assert len({one.name for one in photos}) == len(photos)
    for one in photos:
        assert one.rgb.shape == (48, 48, 3)
        assert one.rgb.dtype == np.uint8
        assert one.reference.shape == (48, 48)
        assert 0 <= one.reference.min() <= one.reference.max() <= 1
    inside = photos[0].reference > 0.9  # the folder's things are bright on dark
    assert photos[0].rgb[inside].mean() > photos[0].rgb[~inside].mean() + 50
    again = read_held_out(training_folder, CONFIG)
    assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(photos, again, strict=True))


def test_they_come_at_any_size(training_folder: Path) -> None:
    photos = read_held_out(training_folder, CONFIG)
    assert resized(photos, 48)[0] is photos[0]
    larger = resized(photos, 96)[0]
    assert larger.rgb.shape == (96, 96, 3)
    assert larger.reference.mean() == pytest.approx(photos[0].reference.mean(), abs=0.01)


def test_a_folder_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PicturesError):
        read_held_out(tmp_path, CONFIG)
