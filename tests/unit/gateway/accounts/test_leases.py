"""Holds live as long as their gateway renews them, whatever any clock says."""

from typing import Any

import pytest
from sqlalchemy import event, update

from gateway.accounts.credits import CreditStore, Once, Standing
from gateway.accounts.leases import KEPT_S, SIGHTINGS, HoldLeases, Swept
from gateway.accounts.schema import State, holds
from tests.support.accounts import Books

NOTHING = Swept(0, 0)


@pytest.fixture
def store(books: Books) -> CreditStore:
    return CreditStore(books.engine, "test")


@pytest.fixture
def leases(books: Books) -> HoldLeases:
    return HoldLeases(books.engine)


class Clock:
    """The database's clock, as far as statements read it."""

    def __init__(self, books: Books) -> None:
        self.offset_s = 0.0
        event.listen(books.engine, "before_cursor_execute", self._shift, retval=True)

    def _shift(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any
    ) -> tuple[str, Any]:
        shifted = f"julianday('now', '{self.offset_s:+} seconds')"
        return statement.replace("julianday('now')", shifted), parameters


@pytest.fixture
def clock(books: Books) -> Clock:
    return Clock(books)


def looks(leases: HoldLeases, count: int) -> list[Swept]:
    return [leases.sweep() for _ in range(count)]


def test_a_hold_that_nobody_renews_is_returned_after_so_many_looks(
    books: Books, store: CreditStore, leases: HoldLeases
) -> None:
    key = books.issue(3)
    for hold in ("lost", "kept"):
        store.hold(key.split("_")[1], hold)
    for _ in range(SIGHTINGS - 1):
        leases.renew(["kept"], [])
        assert leases.sweep() == NOTHING
    leases.renew(["kept"], [])
    assert leases.sweep() == Swept(returned=1, refunded=0)
    assert books.figures(key) == (2, 1, 0)
    assert not store.settle("lost")
    assert store.settle("kept")
    assert books.figures(key) == (2, 0, 1)


def test_a_credit_spent_without_its_gateway_s_knowledge_is_refunded_and_recorded(
    books: Books, store: CreditStore, leases: HoldLeases
) -> None:
    key = books.issue(2)
    for hold in ("unheard", "heard"):
        store.hold(key.split("_")[1], hold)
        store.settle(hold)
    with books.engine.begin() as connection:  # the second step of settling did not come
        connection.execute(update(holds).where(holds.c.id == "unheard").values(state=State.SPENT))
    assert looks(leases, SIGHTINGS) == [NOTHING] * (SIGHTINGS - 1) + [Swept(0, refunded=1)]
    assert books.figures(key) == (1, 0, 1)
    assert books.holds() == {"refunded": 1, "delivered": 1}
    assert not store.settle("unheard")
    assert looks(leases, SIGHTINGS) == [NOTHING] * SIGHTINGS


def test_a_delivery_whose_record_a_power_cut_took_back_is_recorded_again(
    books: Books, store: CreditStore, leases: HoldLeases
) -> None:
    key = books.issue(2)
    store.hold(key.split("_")[1], "h")
    store.settle("h")
    with books.engine.begin() as connection:
        connection.execute(update(holds).values(state=State.SPENT))
    leases.renew([], ["h"])
    assert looks(leases, SIGHTINGS) == [NOTHING] * SIGHTINGS
    assert books.figures(key) == (1, 0, 1)
    assert not books.holds()


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0, 10 * 365 * 86400.0])
def test_a_jump_of_the_clock_ends_no_live_hold_and_keeps_no_dead_one(
    books: Books, store: CreditStore, leases: HoldLeases, clock: Clock, jump_s: float
) -> None:
    key = books.issue(3)
    for hold in ("live", "dead"):
        store.hold(key.split("_")[1], hold)
    clock.offset_s = jump_s
    for turn in range(SIGHTINGS):
        leases.renew(["live"], [])
        assert leases.sweep() == Swept(int(turn == SIGHTINGS - 1), 0)
    assert store.settle("live")
    assert books.figures(key) == (2, 0, 1)


def test_a_gateway_that_could_not_look_for_long_ends_nothing_at_once(
    books: Books, store: CreditStore, leases: HoldLeases
) -> None:
    key = books.issue(1)
    store.hold(key.split("_")[1], "h")
    assert looks(leases, SIGHTINGS - 1) == [NOTHING] * (SIGHTINGS - 1)
    # The database stands still, for however long; then its owner is quicker than the next look.
    leases.renew(["h"], [])
    assert leases.sweep() == NOTHING
    assert store.settle("h")


def test_what_an_idempotency_key_may_ask_for_is_kept_for_a_day(
    books: Books, store: CreditStore, leases: HoldLeases, clock: Clock
) -> None:
    key_id = books.issue(3).split("_")[1]
    once = Once("k", bytes(32))
    store.hold(key_id, "named", once)
    store.hold(key_id, "nameless")
    for hold in ("named", "nameless"):
        store.settle(hold)
    leases.renew([], ["named", "nameless"])
    assert books.holds() == {"delivered": 1}
    clock.offset_s = KEPT_S - 60
    leases.sweep()
    assert store.hold(key_id, "again", once).standing is Standing.PAID
    clock.offset_s = KEPT_S + 60
    leases.sweep()
    assert not books.holds()
    assert store.hold(key_id, "again", once).standing is Standing.HELD


def test_gateways_that_end_the_same_holds_return_them_once(
    books: Books, store: CreditStore
) -> None:
    key = books.issue(5)
    for number in range(3):
        store.hold(key.split("_")[1], f"h{number}")
    both = HoldLeases(books.engine), HoldLeases(books.engine)
    returned = [each.sweep().returned for _ in range(SIGHTINGS + 1) for each in both]
    assert sum(returned) == 3
    assert books.figures(key) == (5, 0, 0)
