"""The sweep's arithmetic: scores, the front, the descent, and what it writes."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from tqdm import tqdm

from benchmarks.configuration import Configuration, config_path
from benchmarks.errors import BenchmarkError
from benchmarks.sweep.apply import apply, check_can_apply
from benchmarks.sweep.bench import Bench
from benchmarks.sweep.points import DRIVERS, Driver, Point, Score, as_rows, score
from benchmarks.sweep.search import descend
from benchmarks.sweep.sweep import Budget, Sweep
from export.precision.names import INSTANCES, Precision, precision_of
from export.triton_config import read_config

BASE = Configuration("matte-int8")
AXES = {"instances": [1, 2], "max_batch_size": [4, 8, 16], "queue_delay_us": [0, 1000]}


def point(images_per_s: float, p95_ms: float, driver: Driver = "triton") -> Point:
    return Point(BASE, driver, 1, images_per_s, p95_ms / 2, p95_ms, p95_ms * 2, turn=1)


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    command = ["git", "-C", str(folder), *who, *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def committed(tmp_path: Path, root: Path) -> Path:
    """A model's config.pbtxt, committed in a repository of its own."""
    folder = tmp_path / "repository"
    (folder / "matte-int8").mkdir(parents=True)
    path = folder / "matte-int8" / "config.pbtxt"
    shutil.copy(root / "model_repository" / "matte-int8" / "config.pbtxt", path)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return path


def test_the_best_point_within_the_objective_counts() -> None:
    points = [point(10, 100), point(20, 400), point(30, 900), point(99, 100, "gateway")]
    assert score(points, "triton", 500) == Score(within=True, value=20)


def test_without_a_point_within_the_objective_the_lowest_latency_counts() -> None:
    slow, slower = score([point(10, 600)], "triton", 500), score([point(50, 900)], "triton", 500)
    assert slow is not None
    assert slower is not None
    assert slower < slow < Score(within=True, value=0.1)


def test_no_point_has_no_score() -> None:
    assert score([point(10, 100, "gateway")], "triton", 500) is None


def test_rows_say_what_is_within_on_the_front_and_chosen() -> None:
    rows = as_rows([point(30, 300), point(40, 400)], BASE, p95_ms=350)
    assert [(row["within_objective"], row["on_pareto_front"]) for row in rows] == [
        (True, True),
        (False, True),
    ]
    assert all(row["chosen"] for row in rows)
    assert rows[0]["precision"] == "int8"
    assert rows[0]["max_batch_size"] == 16


def test_descent_finds_the_optimum_of_settings_that_do_not_depend_on_each_other() -> None:
    seen = []

    def judge(one: Configuration) -> Score:
        seen.append(one)
        return Score(
            within=True,
            value=10 * one.instances + one.max_batch_size / 4 - one.queue_delay_us / 1000,
        )

    start = replace(BASE, max_batch_size=4)
    best = descend(start, AXES, judge, lambda: False, 0.03)
    assert best == replace(BASE, instances=2, max_batch_size=16)
    assert seen[0] == start
    assert len(seen) == len(set(seen)) < 2 * 3 * 2


def test_a_gain_within_the_noise_changes_nothing() -> None:
    def judge(one: Configuration) -> Score:
        return Score(within=True, value=100 + (one != BASE))

    assert descend(BASE, AXES, judge, lambda: False, 0.03) == BASE


def test_keeping_the_objective_beats_any_throughput() -> None:
    def judge(one: Configuration) -> Score:
        return Score(within=one.max_batch_size == 4, value=1 if one.max_batch_size == 4 else 99)

    assert descend(BASE, AXES, judge, lambda: False, 0.03).max_batch_size == 4


def test_a_configuration_that_cannot_be_run_is_passed_over() -> None:
    def judge(one: Configuration) -> Score | None:
        return None if one.instances == 2 else Score(within=True, value=1)

    assert descend(BASE, AXES, judge, lambda: False, 0.03) == BASE


def test_the_descent_ends_with_its_time() -> None:
    seen = []

    def judge(one: Configuration) -> Score:
        seen.append(one)
        return Score(within=True, value=len(seen))

    descend(BASE, AXES, judge, lambda: len(seen) >= 3, 0.03)
    assert len(seen) == 3


def test_a_configuration_is_read_and_put_back(root: Path) -> None:
    message = read_config(config_path(root / "model_repository", "matte-int8"))
    present = Configuration.of(message)
    assert present == replace(BASE, instances=INSTANCES[Precision.INT8])
    assert present.put_into(message) == message
    changed = Configuration("matte-int8", "", 3, 1, 4, 1000)
    assert Configuration.of(changed.put_into(message)) == changed
    assert precision_of("matte-int8") == "int8"
    assert precision_of("isnet") == "fp32"


def test_warm_ups_follow_the_batch_size(root: Path) -> None:
    message = read_config(config_path(root / "model_repository", "matte-int8"))

    def sizes(batch: int) -> list[tuple[str, int]]:
        put = replace(BASE, max_batch_size=batch).put_into(message)
        return [(warmup.name, warmup.batch_size) for warmup in put.model_warmup]

    assert sizes(32) == [("batch of 1", 1), ("batch of 32", 32)]
    assert sizes(4) == [("batch of 1", 1), ("batch of 4", 4)]
    assert sizes(1) == [("batch of 1", 1)]


def test_a_copy_differs_in_what_is_swept_alone(root: Path, tmp_path: Path) -> None:
    repository = root / "model_repository"
    replace(BASE, instances=2).write(repository, tmp_path / "models")
    copied = read_config(tmp_path / "models" / "matte-int8" / "config.pbtxt")
    expected = read_config(config_path(repository, "matte-int8"))
    expected.instance_group[0].count = 2
    assert copied == expected
    assert (tmp_path / "models" / "matte-int8" / "1" / "model.onnx").stat().st_size > 1e6


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="no model absent"):
        config_path(tmp_path, "absent")


def test_a_model_with_several_groups_is_refused(root: Path) -> None:
    message = read_config(config_path(root / "model_repository", "matte-int8"))
    message.instance_group.add().count = 1
    with pytest.raises(BenchmarkError, match="several instance groups"):
        BASE.put_into(message)


def test_applying_changes_the_lines_of_the_settings_alone(committed: Path) -> None:
    before = committed.read_text()
    changed_to = replace(BASE, instances=3, threads=1, queue_delay_us=500)
    apply(committed, changed_to)
    before_lines, after_lines = before.splitlines(), committed.read_text().splitlines()
    changed = set(after_lines) - set(before_lines)
    assert changed == {
        "  count: 3",
        "  max_queue_delay_microseconds: 500",
    }
    assert '    string_value: "1"' in after_lines
    assert Configuration.of(read_config(committed)) == changed_to


def test_uncommitted_changes_are_never_written_over(committed: Path) -> None:
    message = read_config(committed)
    message.max_batch_size = 8
    committed.write_text(text_format.MessageToString(message))
    with pytest.raises(BenchmarkError, match="not committed"):
        apply(committed, BASE)
    assert read_config(committed).max_batch_size == 8


def test_a_file_with_comments_is_not_written_over(committed: Path) -> None:
    committed.write_text("# by hand\n" + committed.read_text())
    git(committed.parent, "commit", "-qam", "by hand")
    with pytest.raises(BenchmarkError, match="edited by hand"):
        check_can_apply(committed)


def test_outside_of_git_nothing_is_written(committed: Path, tmp_path: Path) -> None:
    shutil.copytree(committed.parent, tmp_path / "outside")
    with pytest.raises(BenchmarkError, match="no git repository"):
        check_can_apply(tmp_path / "outside" / "config.pbtxt")


class _Scripted(Bench):
    """Answers with set rates, one after another, instead of measuring."""

    def __init__(self, rates: Mapping[Configuration, Sequence[float]]) -> None:
        self.failures = []
        self._rates = {configuration: list(left) for configuration, left in rates.items()}

    def measure(
        self, configuration: Configuration, drivers: Sequence[Driver] = DRIVERS
    ) -> list[Point]:
        rate = self._rates[configuration].pop(0)
        return [replace(point(rate, 100), configuration=configuration) for _ in drivers]


def swept(rates: Mapping[Configuration, Sequence[float]]) -> tuple[Configuration, list[str]]:
    sweep = Sweep(_Scripted(rates), "triton", 500, Budget(3600, tqdm(total=3600, disable=True)))
    return sweep.search(BASE, {"instances": [1, 2]}, 0.03), sweep.notes


def test_a_winner_that_is_better_again_wins() -> None:
    two = replace(BASE, instances=2)
    winner, notes = swept({BASE: [10, 10, 10], two: [15, 12, 12]})
    assert winner == two
    assert any("1.20 times" in note for note in notes)
    assert not any("spread" in note for note in notes)


def test_a_winner_that_was_only_lucky_loses() -> None:
    two = replace(BASE, instances=2)
    winner, notes = swept({BASE: [10, 10, 10], two: [15, 11, 8]})
    assert winner == BASE
    assert any("no better" in note for note in notes)
    assert any("spread by" in note for note in notes)
