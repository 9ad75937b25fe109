"""The token bucket: bursts, the average, and exact waits."""

import pytest

from gateway.accounts.rate import RateLimit, RateLimiter
from tests.support.clock import Clock


@pytest.fixture
def limiter(clock: Clock) -> RateLimiter:
    return RateLimiter(clock)


def test_a_burst_passes_and_the_next_call_waits_for_its_token(
    limiter: RateLimiter, clock: Clock
) -> None:
    limit = RateLimit(per_s=2, burst=3)
    assert [limiter.take("a", limit) for _ in range(3)] == [0, 0, 0]
    wait_s = limiter.take("a", limit)
    assert wait_s == pytest.approx(0.5)
    clock.now_s += wait_s - 0.01
    assert limiter.take("a", limit) == pytest.approx(0.01)
    clock.now_s += 0.01
    assert limiter.take("a", limit) == 0


def test_the_average_holds_over_time_and_a_pause_earns_no_more_than_a_burst(
    limiter: RateLimiter, clock: Clock
) -> None:
    limit = RateLimit(per_s=10, burst=5)
    clock.now_s = 1000.0
    taken = 0
    for _ in range(1000):
        taken += limiter.take("a", limit) == 0
        clock.now_s += 0.01
    assert taken == pytest.approx(5 + 10 * 10, abs=1)


def test_keys_do_not_share_and_no_limit_is_none(limiter: RateLimiter) -> None:
    limit = RateLimit(per_s=1, burst=1)
    assert limiter.take("a", limit) == 0
    assert limiter.take("b", limit) == 0
    assert limiter.take("a", limit) > 0
    assert [limiter.take("c", RateLimit(0, 1)) for _ in range(100)] == [0] * 100
