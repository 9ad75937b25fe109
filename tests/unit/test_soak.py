"""The soak's judgement: ends, growth."""

import pytest

from tests.soak.census import Life
from tests.soak.load import Ledger, Shot


@pytest.mark.parametrize(
    ("kind", "status", "is_wrong"),
    [
        ("good", "OK", False),
        ("good", "INTERNAL", True),
        ("good", "CANCELLED", True),
        ("bad", "INVALID_ARGUMENT", False),
        ("bad", "OK", True),
        ("cancelled", "CANCELLED", False),
    ],
)
def test_an_end_that_a_request_may_not_have_is_written_down(
    kind: str, status: str, *, is_wrong: bool
) -> None:
    ledger = Ledger()
    ledger.end(Shot(kind, b"", {}), status)
    assert bool(ledger.wrong) is is_wrong
    assert ledger.ended[kind, status] == 1


def test_growth_leaves_out_the_start_and_single_peaks() -> None:
    samples = [(float(second), 50 + second) for second in range(60)]
    samples += [(60.0 + second, 200 if second == 50 else 100) for second in range(60)]
    assert Life("gateway", 1, samples).growth(settle_s=60) == 0
    growing = [(float(second), 100 + second) for second in range(60)]
    growth = Life("gateway", 1, growing).growth(settle_s=0)
    assert growth is not None
    assert growth > 0.3


def test_a_brief_life_is_not_judged() -> None:
    assert Life("stub", 1, [(0.0, 1), (1.0, 9)]).growth(settle_s=0) is None
