import pytest

from benchmarks.telemetry import Turn, compare


def test_a_cost_is_the_median_of_the_rounds_ratios() -> None:
    without = [Turn(100, 0.010), Turn(50, 0.020), Turn(200, 0.005)]
    with_it = [Turn(99, 0.0101), Turn(40, 0.030), Turn(198, 0.0051)]
    cost = compare("metrics", without, with_it)
    # A round that something else disturbed has no say.
    assert cost.throughput == pytest.approx(0.01)
    assert cost.cpu == pytest.approx(0.02)
    assert cost.throughput_spread == pytest.approx(0.0475)


def test_a_sole_round_has_no_spread() -> None:
    assert compare("metrics", [Turn(10, 1)], [Turn(9, 2)]).throughput_spread == 0


def test_turns_belong_together() -> None:
    with pytest.raises(ValueError, match="zip"):
        compare("metrics", [Turn(10, 1)], [])
