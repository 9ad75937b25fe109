"""All benchmarks in a row: the time of each, and what becomes of the rest when one fails."""

import argparse
import importlib
import sys
import time
from pathlib import Path

import pytest

from benchmarks import run_all
from benchmarks.errors import BenchmarkError
from benchmarks.run_all import STEPS, Step, command_of, run, time_for

COMMANDS = importlib.import_module("benchmarks.__main__").COMMANDS
SLEEPER = "import sys, time, signal; time.sleep(60)"


def arguments(out: Path, *only: str, minutes: float = 1) -> argparse.Namespace:
    return argparse.Namespace(out=out, quick=True, minutes=minutes, only=only)


def test_the_first_has_its_share_and_half_as_much_again() -> None:
    steps = [Step("a", 1), Step("b", 3)]
    assert time_for(steps, 1000) == pytest.approx(375)
    assert time_for(steps[1:], 1000) == 1000


def test_what_comes_when_the_time_is_over_still_has_a_minute() -> None:
    assert time_for(STEPS[-1:], -100) == 60


def test_what_reads_records_is_given_their_folder(tmp_path: Path) -> None:
    command = command_of(Step("report", 1, reads_folder=True), tmp_path, quick=True)
    assert command[3:] == ["report", str(tmp_path)]


@pytest.mark.parametrize("step", STEPS, ids=str)
@pytest.mark.parametrize("quick", [True, False])
def test_every_benchmark_knows_what_it_is_told(step: Step, quick: bool, tmp_path: Path) -> None:  # noqa: FBT001
    module = importlib.import_module(COMMANDS[step.name][0])
    parser = argparse.ArgumentParser()
    module.add_arguments(parser, {})
    told = parser.parse_args(command_of(step, tmp_path, quick=quick)[4:])
    assert (told.folder if step.reads_folder else told.out) == tmp_path


def test_one_that_fails_stops_no_other_and_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def command(step: Step, out: Path, *, quick: bool) -> list[str]:
        assert quick
        status = 3 if step.name == "load" else 0
        code = f"open({str(out / step.name)!r}, 'w').close(); raise SystemExit({status})"
        return [sys.executable, "-c", code]

    monkeypatch.setattr(run_all, "command_of", command)
    with pytest.raises(BenchmarkError, match="load: ended with status 3") as failed:
        run(arguments(tmp_path, "load", "sweep"), {})
    assert "sweep" not in str(failed.value)
    assert (tmp_path / "sweep").exists()


def test_one_that_takes_too_long_is_stopped_as_by_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run_all, "_LEAST_S", 1.0)
    monkeypatch.setattr(run_all, "command_of", lambda *_, **__: [sys.executable, "-c", SLEEPER])
    begun_s = time.monotonic()
    with pytest.raises(BenchmarkError, match="load: was stopped after 1 s"):
        run(arguments(tmp_path, "load", minutes=0.001), {})
    assert time.monotonic() - begun_s < 20
