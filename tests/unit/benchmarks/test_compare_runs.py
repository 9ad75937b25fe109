"""Ratios of two runs are compared, absolute figures are not."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from benchmarks.compare_runs import RunsDifferError, add_arguments, apart_share, ratios_of, run
from benchmarks.record import write_record


def rows(factor: float = 1.0, peer: float = 0.5) -> list[dict[str, Any]]:
    return [
        {"mode": "closed", "concurrency": 1, "images_per_s": 10 * factor, "statuses": f"OK {peer}"},
        {"mode": "closed", "concurrency": 4, "images_per_s": 20 * factor, "p95_ms": 5 * factor},
        {"mode": "closed", "concurrency": 8, "images_per_s": 30 * factor},
        {"peer": "other", "p95_ratio_to_packshot": peer},
    ]


def compared(tmp_path: Path, first: list[dict[str, Any]], second: list[dict[str, Any]]) -> None:
    for name, content in (("a", first), ("b", second)):
        write_record(tmp_path / name / "load.json", "load", {}, content)
    parser = argparse.ArgumentParser()
    add_arguments(parser, {})
    run(parser.parse_args([str(tmp_path / "a"), str(tmp_path / "b")]), {})


def test_a_machine_that_is_twice_as_slow_disturbs_no_ratio(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compared(tmp_path, rows(), rows(0.5))
    assert "4 ratios in both runs, 4 agree" in capsys.readouterr().out


def test_a_ratio_that_is_apart_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RunsDifferError, match="1 ratios are over 10 % apart"):
        compared(tmp_path, rows(), rows(peer=0.6))
    said = capsys.readouterr().out
    assert "other: p95_ratio_to_packshot" in said
    assert "20%" in said


def test_rows_of_one_run_alone_are_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    # A further row would move the median; the ratios are of the rows that both have.
    extra = {"mode": "open", "load_share": 0.9, "images_per_s": 900}
    compared(tmp_path, rows(), [*rows(), extra])
    assert "4 ratios in both runs, 4 agree" in capsys.readouterr().out
    assert "in only one of the runs" in caplog.text


def test_runs_without_a_common_ratio_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunsDifferError, match="no ratio in common"):
        compared(tmp_path, rows()[:1], rows()[3:])


def test_a_folder_without_records_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunsDifferError):
        compared(tmp_path / "x", [], [])


def test_a_row_that_was_measured_again_counts_by_its_median() -> None:
    again = [
        {"path": "triton", "batch": batch, "images_per_s": rate}
        for batch, rate in ((1, 10), (1, 14), (2, 24))
    ]
    assert sorted(ratios_of(again).values()) == pytest.approx([12 / 14, 24 / 14])


def test_rates_of_different_kinds_are_no_ratio_of_each_other() -> None:
    found = ratios_of(
        [
            {"kind": "codec", "name": "jpeg", "images_per_s": 1000},
            {"kind": "network", "name": "matte", "images_per_s": 10},
        ]
    )
    assert list(found.values()) == [1, 1]


def test_the_distance_is_that_of_the_greater_from_the_lesser() -> None:
    assert apart_share(1.0, 1.1) == pytest.approx(0.1)
    assert apart_share(1.1, 1.0) == pytest.approx(0.1)
    assert apart_share(0.0, 0.0) == 0
    assert apart_share(0.0, 0.1) == float("inf")
    assert apart_share(-0.1, 0.1) == float("inf")
