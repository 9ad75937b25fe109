"""Weights are kept with the card of all the runs that they come from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from export.best_weights import save_best_weights  # noqa: E402
from export.networks.matte import Matte, seeded  # noqa: E402
from export.training.config import SceneConfig, Stage, TrainingConfig  # noqa: E402
from export.training.loop import BEST, Training  # noqa: E402
from export.training.sources import Pictures, read_pictures  # noqa: E402
from export.weights_file import read_weights  # noqa: E402

CONFIG = TrainingConfig(
    steps=1,
    stages=(Stage(until=1.0, side=32, batch=2),),
    scene=SceneConfig(masked_share=1.0),
    photo_side=48,
    cutout_side=40,
    drawn_shapes=20,
    rendered_objects=4,
    drawn_grounds=4,
)


pytestmark = pytest.mark.usefixtures("own_threads")


@pytest.fixture(scope="module")
def pictures(training_folder: Path) -> tuple[Pictures, Pictures]:
    return read_pictures(training_folder, CONFIG)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(folder / "one.jpg")
    Image.fromarray(np.full((40, 40), 255, np.uint8)).save(folder / "one.matte.png")
    return folder


@pytest.mark.parametrize("start_counts", [0, 3])
def test_runs_are_averaged_and_their_start_with_them_if_asked(
    pictures: tuple[Pictures, Pictures], photos: Path, tmp_path: Path, start_counts: int
) -> None:
    start = tmp_path / "start.pt"
    torch.save(seeded(1).state_dict(), start)
    states = [seeded(1).state_dict()] * start_counts
    runs = []
    for seed in (2, 3):
        run = tmp_path / str(seed)
        Training(replace(CONFIG, seed=seed), run, *pictures).run()
        checkpoint = torch.load(run / "last.pt", weights_only=True)
        checkpoint["config"]["start"] = str(start) if seed == 2 else ""
        torch.save(checkpoint, run / "last.pt")
        torch.save(seeded(seed).state_dict(), run / BEST)
        states.append(seeded(seed).state_dict())
        runs.append(run)
    # The start is a run of its own, whose checkpoint lies beside its weights.
    torch.save(torch.load(runs[1] / "last.pt", weights_only=True), tmp_path / "last.pt")

    card = save_best_weights("toy", runs, photos, tmp_path, start_counts=start_counts)

    kept = Matte()
    read_weights(kept, tmp_path / "toy.safetensors")
    name = "head.0.weight"
    mean = torch.stack([state[name] for state in states]).mean(dim=0)
    torch.testing.assert_close(kept.state_dict()[name], mean, atol=1e-3, rtol=1e-3)
    assert card.seed == 3
    assert card.command.count("python -m export train") == 2
    assert card.side == 32
