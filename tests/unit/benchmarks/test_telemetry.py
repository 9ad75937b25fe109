"""The cost of telemetry is measured on the real metrics, log and traces."""

import argparse

import pytest

from benchmarks.telemetry import add_arguments, run


def test_both_kinds_have_a_cost_and_spans_arrive(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser, {})
    run(parser.parse_args(["--rounds", "1"]), {})
    head, seen, traced, told = capsys.readouterr().out.strip().splitlines()
    assert "at 39 calls/s" in head
    assert seen.startswith("metrics and log")
    assert traced.startswith("with traces of 10%")
    assert all(float(line.split("±")[0].split()[-1]) > 0 for line in (seen, traced))
    assert "received 0 requests" not in told
