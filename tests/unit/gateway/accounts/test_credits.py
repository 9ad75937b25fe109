"""The books balance: held, settled, released, expired, in any order and however often repeated."""

import tempfile
import threading

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from gateway.accounts.credits import CreditStore, Hold, Once, Returned, Standing
from gateway.accounts.database import open_engine, parse_url
from gateway.accounts.leases import SIGHTINGS, HoldLeases
from gateway.accounts.migrate import migrate
from gateway.errors import (
    IdempotencyKeyReusedError,
    KeyInvalidError,
    KeyRevokedError,
    OutOfCreditsError,
)
from tests.support.accounts import Books


@pytest.fixture
def store(books: Books) -> CreditStore:
    return CreditStore(books.engine, "test")


def test_a_success_costs_one_and_settling_again_costs_nothing(
    books: Books, store: CreditStore
) -> None:
    key = books.issue(2)
    store.hold(key.split("_")[1], "h")
    assert books.figures(key) == (1, 1, 0)
    assert store.settle("h")
    assert store.settle("h")
    assert books.figures(key) == (1, 0, 1)
    assert books.unsettled() == 0


def test_a_released_credit_is_back_whether_it_was_settled_or_not(
    books: Books, store: CreditStore
) -> None:
    key = books.issue(2)
    for hold in ("a", "b"):
        store.hold(key.split("_")[1], hold)
    store.settle("b")
    released = [store.release(hold) for hold in ("a", "b", "a", "b")]
    assert released == [Returned.HELD, Returned.SPENT, Returned.NOTHING, Returned.NOTHING]
    assert books.figures(key) == (2, 0, 0)
    assert books.holds() == {"refunded": 1}
    assert not store.settle("a")
    assert not store.settle("b")


def test_what_cannot_be_held_says_why(books: Books, store: CreditStore) -> None:
    key_id = books.issue(1).split("_")[1]
    store.hold(key_id, "a")
    with pytest.raises(OutOfCreditsError) as caught:
        store.hold(key_id, "b")
    assert caught.value.figures["credits_left"] == "0"
    assert caught.value.figures["credits_held"] == "1"
    books.keys.revoke(key_id)
    with pytest.raises(KeyRevokedError):
        store.hold(key_id, "b")
    with pytest.raises(KeyInvalidError):
        store.hold("unknown", "b")


REQUEST, OTHER = bytes(32), bytes([1]) * 32


def test_a_request_that_comes_again_is_charged_once(books: Books, store: CreditStore) -> None:
    key = books.issue(1)
    key_id, once = key.split("_")[1], Once("k", REQUEST)
    assert store.hold(key_id, "a", once) == Hold(Standing.HELD, "a")
    assert store.hold(key_id, "b", once) == Hold(Standing.BUSY, "a")
    store.settle("a")
    # The account has no credit left, and none is needed.
    assert store.hold(key_id, "b", once) == Hold(Standing.PAID, "a")
    assert store.repeat("a")
    assert books.figures(key) == (0, 0, 1)


def test_an_idempotency_key_names_one_request_of_one_account(
    books: Books, store: CreditStore
) -> None:
    ours, theirs = (books.issue(2).split("_")[1] for _ in range(2))
    store.hold(ours, "a", Once("k", REQUEST))
    with pytest.raises(IdempotencyKeyReusedError) as caught:
        store.hold(ours, "b", Once("k", OTHER))
    assert caught.value.figures == {"idempotency_key": "k"}
    assert store.hold(theirs, "b", Once("k", OTHER)).standing is Standing.HELD
    assert store.hold(ours, "c", Once("l", OTHER)).standing is Standing.HELD


def test_a_render_that_failed_leaves_its_idempotency_key_free(
    books: Books, store: CreditStore
) -> None:
    key = books.issue(1)
    key_id = key.split("_")[1]
    store.hold(key_id, "a", Once("k", REQUEST))
    store.release("a")
    store.hold(key_id, "b", Once("k", OTHER))
    store.settle("b")
    store.release("b")
    assert store.hold(key_id, "c", Once("k", REQUEST)).standing is Standing.HELD
    assert books.figures(key) == (0, 1, 0)


def test_what_a_repeated_render_lives_on_is_not_refunded_and_what_is_refunded_not_repeated(
    books: Books, store: CreditStore
) -> None:
    key = books.issue(2)
    for hold in ("a", "b"):
        store.hold(key.split("_")[1], hold, Once(hold, REQUEST))
        store.settle(hold)
    assert store.repeat("a")
    assert store.release("a") is Returned.NOTHING
    assert store.release("b") is Returned.SPENT
    assert not store.repeat("b")
    assert books.figures(key) == (1, 0, 1)


def test_a_revoked_key_repeats_nothing(books: Books, store: CreditStore) -> None:
    key_id = books.issue(1).split("_")[1]
    store.hold(key_id, "a", Once("k", REQUEST))
    store.settle("a")
    books.keys.revoke(key_id)
    with pytest.raises(KeyRevokedError):
        store.hold(key_id, "b", Once("k", REQUEST))


def test_racing_requests_with_one_idempotency_key_take_one_credit(books: Books) -> None:
    key = books.issue(5)
    standings: list[Standing] = []

    def hold(worker: int) -> None:
        engine = open_engine(parse_url(books.url))
        store = CreditStore(engine, str(worker))
        standings.append(store.hold(key.split("_")[1], f"h{worker}", Once("k", REQUEST)).standing)
        engine.dispose()

    threads = [threading.Thread(target=hold, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.name for each in standings) == ["BUSY"] * 5 + ["HELD"]
    assert books.figures(key) == (4, 1, 0)


def test_racing_threads_never_overspend(books: Books) -> None:
    key = books.issue(40)
    refused = []

    def spend(worker: int) -> None:
        engine = open_engine(parse_url(books.url))
        store = CreditStore(engine, str(worker))
        for turn in range(15):
            try:
                store.hold(key.split("_")[1], f"{worker}-{turn}")
                store.settle(f"{worker}-{turn}")
            except OutOfCreditsError:
                refused.append(turn)
        engine.dispose()

    threads = [threading.Thread(target=spend, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert books.figures(key) == (0, 0, 40)
    assert len(refused) == 4 * 15 - 40


class BooksBalance(RuleBasedStateMachine):
    """Any order of steps, against a model of three numbers."""

    open_holds = Bundle("open_holds")
    ended = Bundle("ended")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.books = Books(f"sqlite:///{self._folder.name}/accounts.db")
        migrate(self.books.engine)
        self.key = self.books.issue(3)
        self.key_id = self.key.split("_")[1]
        self.store = CreditStore(self.books.engine, "live")
        self.leases = HoldLeases(self.books.engine)
        self.alive: set[str] = set()
        self.left, self.held, self.spent, self.expiring = 3, 0, 0, 0
        self.count = 0

    @rule(target=open_holds)
    def hold(self) -> object:
        self.count += 1
        hold = f"h{self.count}"
        if not self.left:
            with pytest.raises(OutOfCreditsError):
                self.store.hold(self.key_id, hold)
            return multiple()
        self.store.hold(self.key_id, hold)
        self.left, self.held = self.left - 1, self.held + 1
        self.alive.add(hold)
        return hold

    @precondition(lambda self: self.left)
    @rule()
    def hold_and_die(self) -> None:
        self.count += 1
        self.store.hold(self.key_id, f"h{self.count}")
        self.left, self.held, self.expiring = self.left - 1, self.held + 1, self.expiring + 1

    @rule()
    def sweep(self) -> None:
        swept = []
        for _ in range(SIGHTINGS):
            self.leases.renew(self.alive, [])
            swept.append(self.leases.sweep())
        assert sum(each.returned for each in swept) == self.expiring
        assert sum(each.refunded for each in swept) == 0
        self.left, self.held = self.left + self.expiring, self.held - self.expiring
        self.expiring = 0

    @rule(hold=consumes(open_holds), target=ended)
    def settle(self, hold: str) -> str:
        assert self.store.settle(hold)
        self.held, self.spent = self.held - 1, self.spent + 1
        return hold

    @rule(hold=consumes(open_holds))
    def release(self, hold: str) -> None:
        self.store.release(hold)
        self.held, self.left = self.held - 1, self.left + 1

    @rule(hold=ended)
    def settle_again(self, hold: str) -> None:
        assert self.store.settle(hold)

    @rule(hold=consumes(ended))
    def undo(self, hold: str) -> None:
        self.store.release(hold)
        self.spent, self.left = self.spent - 1, self.left + 1

    @rule(count=st.integers(1, 2))
    def grant(self, count: int) -> None:
        assert self.books.keys.grant(self.key_id, count)
        self.left += count

    @invariant()
    def books_agree(self) -> None:
        assert self.books.figures(self.key) == (self.left, self.held, self.spent)
        assert self.books.unsettled() == self.held

    def teardown(self) -> None:
        self.books.engine.dispose()
        self._folder.cleanup()


BooksBalance.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBooksBalance = BooksBalance.TestCase
