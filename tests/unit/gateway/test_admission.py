"""What may be inside at once: by number, bytes and pixels, by priority, and fairly by caller."""

import asyncio

import pytest

from gateway.admission import Admission, AdmissionLimits, Limit, Reservation
from gateway.admission.priority import Priority
from gateway.config import GatewayConfig
from gateway.errors import DeadlineTooShortError
from imaging.errors import OverloadedError
from tests.support.clock import Clock

INTERACTIVE, BULK = Priority.INTERACTIVE, Priority.BULK
LIMITS = AdmissionLimits(
    requests=8,
    bytes=1000,
    pixels=800,
    receiving=2,
    streams=1,
    message_bytes=100,
    workers=2,
    max_wait_s=0.5,
    max_bulk_wait_s=5,
)


@pytest.fixture
def refusals() -> list[tuple[Limit, Priority]]:
    return []


@pytest.fixture
def admission(refusals: list[tuple[Limit, Priority]], clock: Clock) -> Admission:
    return Admission(
        LIMITS, lambda bound, priority: refusals.append((bound, priority)), clock=clock
    )


def enter(admission: Admission, caller: str = "a", priority: Priority = INTERACTIVE) -> Reservation:
    return admission.admit(caller, priority, 10, 60)


def test_the_bound_on_requests_is_named_with_limit_and_value(
    admission: Admission, refusals: list[tuple[Limit, Priority]]
) -> None:
    reservations = [enter(admission) for _ in range(8)]
    with pytest.raises(OverloadedError, match="8 requests") as caught:
        enter(admission)
    assert caught.value.figures == {"bound": "requests", "limit": "8", "value": "8"}
    assert caught.value.retry_after_s > 0
    assert refusals == [(Limit.REQUESTS, INTERACTIVE)]
    reservations[0].release()
    reservations[0].release()  # a second time gives nothing back
    enter(admission, "b")
    with pytest.raises(OverloadedError):
        enter(admission, "b")


def test_bytes_and_pixels_are_bounded_and_given_back(admission: Admission) -> None:
    with pytest.raises(OverloadedError, match="bytes"), enter(admission):
        admission.admit("b", INTERACTIVE, 999, 60)
    reservation = enter(admission)
    reservation.reserve_pixels(700)
    with enter(admission, "b") as other, pytest.raises(OverloadedError, match="pixels"):
        other.reserve_pixels(200)
    reservation.rendered(reply_bytes=50)
    with enter(admission, "b") as other:
        other.reserve_pixels(800)
    reservation.release()


def test_bulk_fills_half_at_most_and_keeps_a_place_while_it_asks(admission: Admission) -> None:
    bulk = [enter(admission, priority=BULK) for _ in range(4)]
    with pytest.raises(OverloadedError, match="bulk work holds 4"):
        enter(admission, priority=BULK)
    people = [enter(admission, f"p{number}") for number in range(4)]
    for reservation in bulk:
        reservation.release()
    people += [enter(admission, f"q{number}") for number in range(3)]
    with pytest.raises(OverloadedError, match="interactive work holds 7"):
        enter(admission, "late")
    enter(admission, priority=BULK)


def test_under_pressure_whoever_holds_most_is_refused_first(admission: Admission) -> None:
    greedy = [enter(admission, "greedy") for _ in range(8)]
    with pytest.raises(OverloadedError):
        enter(admission, "modest")
    greedy[0].release()
    with pytest.raises(OverloadedError, match="the caller holds 7"):
        enter(admission, "greedy")
    enter(admission, "modest")


def after(admission: Admission, duration_s: float, clock: Clock, cost: float = 1.0) -> None:
    """Let the admission see many renders of one length, two at a time."""
    for _ in range(40):
        reservations = [admission.admit(name, INTERACTIVE, 1, 60, cost) for name in ("x", "y")]
        clock.now_s += duration_s
        for reservation in reservations:
            reservation.rendered(0)
            reservation.release()


def test_work_that_would_wait_too_long_or_come_too_late_is_refused(
    admission: Admission, clock: Clock
) -> None:
    after(admission, 0.4, clock)
    reservations = [enter(admission), enter(admission)]
    with pytest.raises(DeadlineTooShortError, match="are left"):
        admission.admit("b", INTERACTIVE, 10, 0.1)
    reservations.append(enter(admission))
    with pytest.raises(
        OverloadedError, match=r"would wait for 0\.60 s; the limit is 0\.50 s"
    ) as caught:
        enter(admission)
    assert caught.value.figures["bound"] == "wait"
    assert caught.value.retry_after_s == pytest.approx(0.6)


def test_a_caller_waits_for_its_own_work_and_as_much_of_each_other_s(
    admission: Admission, clock: Clock
) -> None:
    """However much one caller has asked for, another finds its place before it."""
    after(admission, 0.4, clock)
    for _ in range(3):
        enter(admission, "greedy")
    with pytest.raises(OverloadedError, match="would wait"):
        enter(admission, "greedy")
    for name in ("b", "c"):
        assert enter(admission, name)


def test_many_callers_make_a_queue_all_the_same(admission: Admission, clock: Clock) -> None:
    after(admission, 0.4, clock)
    for name in "abc":
        enter(admission, name)
    with pytest.raises(OverloadedError, match=r"would wait for 0\.60 s"):
        enter(admission, "d")


def test_cost_is_by_what_is_asked(admission: Admission, clock: Clock) -> None:
    after(admission, 0.4, clock)
    admission.admit("a", INTERACTIVE, 1, 60, 1.0)
    reservation = admission.admit("a", INTERACTIVE, 1, 60, 1.0)
    reservation.reserve_pixels(1, cost=30.0)
    with pytest.raises(OverloadedError, match=r"would wait for 6\.20 s"):
        enter(admission, "a")
    enter(admission, "b")
    late = admission.admit("c", INTERACTIVE, 1, 60, 1.0)
    with pytest.raises(OverloadedError, match=r"would wait for 6\.20 s; the limit is 6\.00 s"):
        late.reserve_pixels(1, cost=30.0)


def test_no_render_is_refused_for_what_it_takes_itself(admission: Admission, clock: Clock) -> None:
    """A lone one of a slow model, and the second of two callers, whatever they take."""
    after(admission, 20.0, clock)
    reservation = admission.admit("a", INTERACTIVE, 1, 60, 100.0)
    reservation.reserve_pixels(1, cost=100.0)
    enter(admission, "a")
    admission.admit("b", INTERACTIVE, 1, 60, 1.0).release()


def test_what_is_begun_and_given_up_is_paid_by_its_caller(
    admission: Admission, clock: Clock
) -> None:
    after(admission, 0.4, clock)
    for _ in range(2):
        reservation = admission.admit("a", INTERACTIVE, 1, 60, 4.0)
        reservation.accrue_cost()
        reservation.release()
    with pytest.raises(OverloadedError, match=r"would wait for 1\.60 s") as caught:
        enter(admission, "a")
    enter(admission, "b").release()
    clock.now_s += caught.value.retry_after_s
    enter(admission, "a")


def test_bulk_waits_for_interactive_work_but_for_seven_times_its_own_at_most(
    admission: Admission, clock: Clock
) -> None:
    after(admission, 4.0, clock)
    admission.admit("b", INTERACTIVE, 1, 60, 100.0)
    enter(admission, priority=BULK)
    enter(admission, priority=BULK)
    with pytest.raises(OverloadedError, match=r"bulk work of this caller would wait for 46\.00 s"):
        enter(admission, priority=BULK)


def test_an_old_estimate_locks_nobody_out(admission: Admission, clock: Clock) -> None:
    after(admission, 30.0, clock)
    reservations = [enter(admission) for _ in range(2)]
    with pytest.raises(OverloadedError):
        enter(admission)
    clock.now_s += 600
    reservations.append(enter(admission))


async def test_room_is_waited_for(admission: Admission) -> None:
    reservations = [enter(admission) for _ in range(8)]
    waiting = asyncio.create_task(admission.room("b", INTERACTIVE, 10))
    await asyncio.sleep(0)  # it has looked once, and waits
    assert not waiting.done()
    reservations[0].release()
    await asyncio.wait_for(waiting, 5)
    enter(admission, "b")
    with pytest.raises(TimeoutError):
        await admission.room("c", INTERACTIVE, 0.01)


def test_the_ceiling_grows_with_every_bound() -> None:
    least = GatewayConfig().memory_ceiling_bytes
    for larger in (
        GatewayConfig(max_bytes_in_flight=2**30),
        GatewayConfig(max_pixels_in_flight=10**9),
        GatewayConfig(max_receiving=64),
        GatewayConfig(max_streams=64),
    ):
        assert larger.memory_ceiling_bytes > least


def test_what_is_handed_over_is_given_back_by_the_new_holder_alone(admission: Admission) -> None:
    with enter(admission) as reservation:
        reservation.rendered(reply_bytes=50)
        other = reservation.hand_over()
    assert admission.held(Limit.BYTES, INTERACTIVE) == 50
    other.release()
    other.release()
    assert admission.held(Limit.BYTES, INTERACTIVE) == 0
