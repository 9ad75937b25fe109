"""Floors' textures are kept, bounded, and change no pixel."""

import numpy as np
import pytest

from imaging.compose.composition import Scene, SceneKind
from imaging.compose.scenes import floor, paint_scene
from imaging.compose.scenes.textures import Textures
from imaging.types import Box, Pixels


def test_what_is_kept_is_made_once_and_the_longest_unused_goes_first() -> None:
    textures, made = Textures(most_bytes=250), []

    def get(key: str, size: int = 100) -> Pixels:
        def make() -> tuple[Pixels, ...]:
            made.append(key)
            return (np.zeros(size, np.uint8),)

        return textures.get(key, make)[0]

    for key in ("a", "b", "a", "c", "a", "b"):
        get(key)
    assert made == ["a", "b", "c", "b"]
    assert textures.kept_bytes == 200
    assert not get("a").flags.writeable
    get("large", 300)
    assert textures.kept_bytes == 0


def test_another_product_s_picture_in_the_scene_is_the_one_of_a_fresh_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for kind in (SceneKind.WOOD, SceneKind.MARBLE):
        pictures = []
        for warms_up in (False, True):
            monkeypatch.setattr(floor, "textures", Textures())
            if warms_up:
                paint_scene(Scene(kind), 300, 200, Box(90, 40, 200, 170), -35.0)
            pictures.append(paint_scene(Scene(kind), 300, 200, Box(100, 50, 210, 171), -35.0))
        assert (pictures[0] == pictures[1]).all()


def test_seed_colour_and_light_have_textures_of_their_own() -> None:
    box = Box(90, 40, 200, 170)
    scenes = [Scene(SceneKind.WOOD), Scene(SceneKind.WOOD, seed=1)]
    pictures = [paint_scene(each, 300, 200, box, -35.0) for each in scenes]
    pictures.append(paint_scene(scenes[0], 300, 200, box, 35.0))
    assert not (pictures[0] == pictures[1]).all()
    assert not (pictures[0] == pictures[2]).all()
