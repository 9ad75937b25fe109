"""The token buckets of several processes together."""

import fcntl
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.accounts import shared_rate
from gateway.accounts.rate import RateLimit
from gateway.accounts.shared_rate import SharedRateLimiter

LIMIT = RateLimit(per_s=2, burst=3)


def limiter(path: Path, clock: Callable[[], float] = lambda: 5.0) -> SharedRateLimiter:
    return SharedRateLimiter(path, clock)


def test_what_one_takes_the_other_lacks(tmp_path: Path) -> None:
    one, other = limiter(tmp_path / "rates"), limiter(tmp_path / "rates")
    taken = [each.take("a", LIMIT) for each in (one, other, other, one, other)]
    assert taken == [0, 0, 0, 0.5, 0.5]
    assert other.take("b", LIMIT) == 0
    assert [one.take("c", RateLimit(0, 1)) for _ in range(9)] == [0] * 9
    for each in (one, other):
        each.close()


def test_the_key_that_has_not_called_for_longest_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.accounts.shared_rate._ROWS", 1)
    now_s = 1.0
    rates = limiter(tmp_path / "rates", lambda: now_s)
    limit = RateLimit(per_s=0.001, burst=1)
    for key in "abcdefgh":
        now_s += 1
        assert rates.take(key, limit) == 0
    assert rates.take("a", limit) > 0
    # For `i` goes `b`, which then comes back with a full bucket.
    assert rates.take("i", limit) == 0
    assert rates.take("a", limit) > 0
    assert rates.take("b", limit) == 0
    rates.close()


def _take(path: Path, taken: "multiprocessing.Queue[int]") -> None:
    # A busy machine may stop a process that has the lock.
    setattr(shared_rate, "_LOCK_S", 60.0)  # noqa: B010  a constant elsewhere
    rates = SharedRateLimiter(path)
    taken.put(sum(rates.take("a", RateLimit(1 / 86_400, 500)) == 0 for _ in range(400)))


def test_processes_at_once_take_no_token_twice(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    taken: multiprocessing.Queue[int] = spawn.Queue()
    takers = [spawn.Process(target=_take, args=(tmp_path / "rates", taken)) for _ in range(3)]
    for each in takers:
        each.start()
    counts = [taken.get(timeout=60) for _ in takers]
    for each in takers:
        each.join(60)
    assert sum(counts) == 500


def _hold(path: Path, held: "multiprocessing.Queue[int]") -> None:
    with path.open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        held.put(1)
        time.sleep(600)


def test_a_process_that_holds_a_lock_for_ever_holds_nobody_up(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    held: multiprocessing.Queue[int] = spawn.Queue()
    rates = limiter(tmp_path / "rates")
    holder = spawn.Process(target=_hold, args=(tmp_path / "rates", held))
    holder.start()
    held.get(timeout=60)
    assert [rates.take("a", LIMIT) for _ in range(4)] == [0, 0, 0, 0.5]
    holder.kill()
    holder.join(60)
    rates.close()
