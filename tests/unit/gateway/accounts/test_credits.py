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

from gateway.accounts.credits import CreditStore
from gateway.accounts.database import open_engine, parse_url
from gateway.accounts.migrate import migrate
from gateway.errors import KeyInvalidError, KeyRevokedError, OutOfCreditsError
from tests.support.accounts import Books


@pytest.fixture
def store(books: Books) -> CreditStore:
    return CreditStore(books.engine, "test", lease_s=60)


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
    for hold in ("a", "b", "a", "b"):
        store.release(hold)
    assert books.figures(key) == (2, 0, 0)
    assert not store.settle("a")


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


def test_holds_expire_unless_they_are_renewed(books: Books, store: CreditStore) -> None:
    key = books.issue(5)
    killed = CreditStore(books.engine, "killed", lease_s=-1)
    for hold in ("lost", "kept", "settled"):
        killed.hold(key.split("_")[1], hold)
    killed.settle("settled")
    store.renew(["kept", "settled"])
    assert store.sweep() == 1
    assert books.figures(key) == (3, 1, 1)
    assert not store.settle("lost")
    assert store.settle("kept")
    assert books.figures(key) == (3, 0, 2)
    assert store.sweep() == 0


def test_racing_threads_never_overspend(books: Books) -> None:
    key = books.issue(40)
    refused = []

    def spend(worker: int) -> None:
        engine = open_engine(parse_url(books.url))
        store = CreditStore(engine, str(worker), lease_s=60)
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
        self.store = CreditStore(self.books.engine, "live", lease_s=60)
        self.killed = CreditStore(self.books.engine, "killed", lease_s=-1)
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
        return hold

    @precondition(lambda self: self.left)
    @rule()
    def hold_and_die(self) -> None:
        self.count += 1
        self.killed.hold(self.key_id, f"h{self.count}")
        self.left, self.held, self.expiring = self.left - 1, self.held + 1, self.expiring + 1

    @rule()
    def sweep(self) -> None:
        assert self.store.sweep() == self.expiring
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
