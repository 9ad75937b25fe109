"""Places are shared fairly: whoever holds most gives way to whoever holds least."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from gateway.admission.fair_slots import FairSlots, NoSlotError, Slot


async def take(slots: FairSlots, caller: str) -> tuple[Slot, asyncio.Task[None]]:
    """Have a slot in a task of its own, which leaves it when the slot is ended."""
    entered: asyncio.Future[Slot] = asyncio.Future()
    ended = asyncio.Event()

    async def stay() -> None:
        try:
            async with slots.slot(caller) as slot:
                slot.stop = ended.set
                entered.set_result(slot)
                await ended.wait()
        except NoSlotError as error:
            entered.set_exception(error)

    task = asyncio.create_task(stay())
    return await entered, task


async def test_alone_a_caller_may_have_all_and_no_more() -> None:
    slots = FairSlots(3)
    held = [await take(slots, "a") for _ in range(3)]
    with pytest.raises(NoSlotError) as refused:
        await take(slots, "a")
    assert (refused.value.taken, refused.value.own) == (3, 3)
    assert not any(slot.given_up for slot, _ in held)
    held[0][0].end()
    await held[0][1]
    assert (slots.taken, slots.held("a")) == (2, 2)
    await take(slots, "a")


async def test_whoever_holds_most_gives_its_oldest_to_whoever_has_none() -> None:
    slots = FairSlots(4)
    greedy = [await take(slots, "greedy") for _ in range(3)]
    await take(slots, "modest")
    await take(slots, "new")
    assert [slot.given_up for slot, _ in greedy] == [True, False, False]
    # Two to one is as fair as it gets.
    with pytest.raises(NoSlotError):
        await take(slots, "new")
    assert slots.held("greedy") == 2


async def test_an_idle_place_is_ended_before_one_in_which_something_goes_on() -> None:
    slots = FairSlots(2)
    busy, idle = [(await take(slots, "greedy"))[0] for _ in range(2)]
    busy.busy = lambda: True
    await take(slots, "new")
    assert (busy.given_up, idle.given_up) == (False, True)


async def test_a_flood_of_the_greedy_does_not_take_what_was_ended_for_others() -> None:
    slots = FairSlots(4)
    for _ in range(4):
        await take(slots, "greedy")
    wanted = [take(slots, "greedy") for _ in range(20)]
    wanted[10:10] = [take(slots, "new")]
    outcomes = await asyncio.gather(*wanted, return_exceptions=True)
    assert not isinstance(outcomes[10], BaseException)
    assert sum(isinstance(each, NoSlotError) for each in outcomes) == 20


async def test_slots_of_short_protection_are_ended_for_anybody_who_waits() -> None:
    slots = FairSlots(1, protected_s=0.05, wait_s=10)
    first, task = await take(slots, "a")
    await take(slots, "a")
    assert first.given_up
    await task


async def test_one_who_goes_away_while_waiting_leaves_no_place_taken() -> None:
    slots = FairSlots(1, wait_s=10)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(slots.slot("a"))
        waiting = asyncio.create_task(slots.slot("b").__aenter__())
        while not slots._waiting:  # noqa: SLF001  it has to be there first
            await asyncio.sleep(0)
    # The slot is handed on, and its taker is cancelled before it has heard of that.
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert slots.taken == 0
    async with slots.slot("c"):
        assert slots.taken == 1
