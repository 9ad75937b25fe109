"""A training folder of a few tiny pictures, made on the spot."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COUNT = 24  # of each sort, so that some are held out
SIDE = 112  # a garment smaller than 80 pixels is not kept


def _object(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A bright ellipse on a dark ground, and where it is."""
    y, x = np.mgrid[:SIDE, :SIDE]
    centre, radii = rng.uniform(50, 62, 2), rng.uniform(42, 48, 2)
    mask = ((y - centre[0]) / radii[0]) ** 2 + ((x - centre[1]) / radii[1]) ** 2 < 1
    rgb = rng.integers(0, 70, (SIDE, SIDE, 3)) + mask[..., None] * rng.integers(120, 180, 3)
    return rgb.astype(np.uint8), mask


@pytest.fixture(scope="session")
def training_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the documented form with a few pictures of each sort."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for name in ("fashion", "groceries", "iconic", "clothes", "landscapes", "emoji", "renders"):
        (folder / name).mkdir()
        for index in range(COUNT):
            rgb, mask = _object(rng)
            path = folder / name / f"p{name}{index}.png"
            if name == "fashion":
                Image.fromarray(mask.astype(np.uint8) * 5).save(path.with_suffix(".labels.png"))
            elif name == "iconic":
                rgb = np.where(mask[..., None], rgb // 2, 255).astype(np.uint8)
            elif name in {"emoji", "renders"}:
                rgb = np.dstack([rgb, mask.astype(np.uint8) * 255])
            Image.fromarray(rgb).save(path)
    return folder


@pytest.fixture
def own_threads() -> Iterator[None]:
    """Let a training run set torch's threads, and set them back after it."""
    import torch  # noqa: PLC0415  the tests without it do without this as well

    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
