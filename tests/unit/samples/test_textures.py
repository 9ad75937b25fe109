"""Textures of the sample photos come from their seed alone and tile."""

from __future__ import annotations

import numpy as np
import pytest

from samples.labels import print_label
from samples.textures import linen, noise, plaster, ramp, wood


def test_textures_repeat_for_a_seed_and_differ_between_seeds() -> None:
    first, again, other = (wood(seed, ["#402000", "#c0a080"], size=128) for seed in (1, 1, 2))
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_noise_is_normalised_and_meets_itself_at_the_border() -> None:
    field = noise((96, 128), np.random.default_rng(3), falloff=1.5, grain=(6, 6))
    assert abs(field.mean()) < 1e-9
    assert abs(field.std() - 1) < 1e-9
    inner = np.abs(np.diff(field, axis=0)).max()
    assert np.abs(field[0] - field[-1]).max() <= 1.5 * inner


def test_ramp_meets_its_stops() -> None:
    colours = ramp(np.array([[0.0, 0.5, 1.0]]), ["#000000", "#0a141e", "#ffffff"])
    assert colours[0].tolist() == [[0, 0, 0], [10, 20, 30], [255, 255, 255]]


def test_heights_stay_within_zero_and_one() -> None:
    for _, heights in (
        wood(5, ["#402000", "#c0a080"], size=128),
        plaster(5, "#808080", size=128),
        linen(5, ["#808080", "#ffffff"], threads=16, size=128),
    ):
        assert heights.dtype == np.float32
        assert heights.min() >= 0
        assert heights.max() <= 1
        assert heights.std() > 0.01


def test_a_label_carries_ink_where_its_text_stands() -> None:
    label = print_label((400, 200), "#ffffff", [(0.5, 0.25, 0.2, "#000000", "OAT")])
    assert label.shape == (200, 400, 3)
    assert label[:100].min() < 60
    assert label[100:].min() == 255


def test_a_label_refuses_characters_that_its_font_lacks() -> None:
    with pytest.raises(ValueError, match="cannot print"):
        print_label((40, 20), "#ffffff", [(0.5, 0.5, 0.5, "#000000", "N\u00ba 4")])
