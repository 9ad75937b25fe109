"""A training run learns, and goes on after a stop as if there had been none."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the export group (torch) is not installed")

from export.errors import CheckpointError  # noqa: E402
from export.training.config import SceneConfig, Stage, TrainingConfig  # noqa: E402
from export.training.loop import Training, rate_at  # noqa: E402
from export.training.losses import level_loss  # noqa: E402
from export.training.sources import Pictures, read_pictures  # noqa: E402

CONFIG = TrainingConfig(
    steps=12,
    stages=(Stage(until=0.5, side=32, batch=4), Stage(until=1.0, side=48, batch=4)),
    scene=SceneConfig(masked_share=1.0),
    photo_side=48,
    cutout_side=40,
    drawn_shapes=20,
    rendered_objects=4,
    drawn_grounds=4,
    warmup_steps=2,
    validate_every_steps=4,
)


pytestmark = pytest.mark.usefixtures("own_threads")


@pytest.fixture(scope="module")
def pictures(training_folder: Path) -> tuple[Pictures, Pictures]:
    return read_pictures(training_folder, CONFIG)


def losses(folder: Path) -> list[float]:
    with (folder / "log.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_a_run_lowers_its_loss_and_leaves_log_checkpoint_and_best(
    pictures: tuple[Pictures, Pictures], tmp_path: Path
) -> None:
    Training(CONFIG, tmp_path, *pictures).run()
    logged = losses(tmp_path)
    assert len(logged) == 3
    assert logged[-1] < 0.85 * logged[0]
    assert {path.name for path in tmp_path.iterdir()} == {"log.csv", "last.pt", "best.pt"}


def test_the_lite_network_trains_from_random_weights_alone(
    pictures: tuple[Pictures, Pictures], tmp_path: Path
) -> None:
    """No teacher, no published encoder: all of it learns, norms' statistics too."""
    config = replace(CONFIG, network="lite", steps=2, stages=(Stage(1.0, 64, 4),))
    training = Training(config, tmp_path, *pictures)
    before = {name: one.clone() for name, one in training.network.state_dict().items()}
    training.run()
    after = training.network.state_dict()
    for name in ("encoder._conv_stem.weight", "encoder._bn0.running_mean", "head.0.weight"):
        assert not torch.equal(before[name], after[name])


def test_a_process_that_stood_still_has_not_trained_meanwhile(
    pictures: tuple[Pictures, Pictures], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.training.loop.LONGEST_STEP_S", 0.0)
    training = Training(CONFIG, tmp_path, *pictures)
    training.run(until_step=2)
    assert training.step == 2
    assert training.trained_s == 0


def test_a_stopped_run_goes_on_to_the_same_weights(
    pictures: tuple[Pictures, Pictures], tmp_path: Path
) -> None:
    through = Training(CONFIG, tmp_path / "through", *pictures)
    through.run(until_step=4)
    Training(CONFIG, tmp_path / "stopped", *pictures).run(until_step=2)
    resumed = Training(CONFIG, tmp_path / "stopped", *pictures)
    assert resumed.step == 2
    resumed.run(until_step=4)
    for name, weight in through.network.state_dict().items():
        torch.testing.assert_close(
            resumed.network.state_dict()[name], weight, rtol=1e-4, atol=1e-5, msg=name
        )


def test_a_checkpoint_of_other_settings_is_refused(
    pictures: tuple[Pictures, Pictures], tmp_path: Path
) -> None:
    Training(CONFIG, tmp_path, *pictures).run(until_step=1)
    with pytest.raises(CheckpointError, match="seed"):
        Training(replace(CONFIG, seed=9), tmp_path, *pictures)
    longer = Training(replace(CONFIG, steps=20), tmp_path, *pictures)
    assert longer.step == 1


def test_a_broken_checkpoint_is_named(pictures: tuple[Pictures, Pictures], tmp_path: Path) -> None:
    (tmp_path / "last.pt").write_bytes(b"no checkpoint")
    with pytest.raises(CheckpointError, match=r"last\.pt"):
        Training(CONFIG, tmp_path, *pictures)


def test_stages_follow_the_progress_by_steps_or_by_the_clock() -> None:
    by_clock = replace(CONFIG, minutes=2.0)
    assert CONFIG.progress(6, 0.0) == 0.5
    assert by_clock.progress(6, 30.0) == 0.25
    assert [CONFIG.stage_at(share).side for share in (0.0, 0.49, 0.5, 1.0)] == [32, 32, 48, 48]


def test_the_rate_rises_then_falls_to_a_hundredth() -> None:
    rates = [rate_at(CONFIG, step, step / 12) for step in range(13)]
    assert rates[0] < rates[1] > rates[6] > rates[12]
    assert rates[12] == pytest.approx(CONFIG.peak_rate / 100)


def test_a_better_matte_costs_less() -> None:
    alpha = torch.zeros(1, 1, 8, 8)
    alpha[..., 2:6, 2:6] = 1
    right, blank, wrong = (alpha * 2 - 1) * 8, torch.full_like(alpha, -8.0), (1 - alpha * 2) * 8
    costs = [float(level_loss(logits, alpha)) for logits in (right, blank, wrong)]
    assert costs == sorted(costs)
    assert costs[0] < 0.01
