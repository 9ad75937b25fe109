"""Places are shared fairly: whoever holds most gives way to whoever holds least."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from gateway.admission.fair_places import FairPlaces, NoPlaceError, Place


async def take(places: FairPlaces, caller: str) -> tuple[Place, asyncio.Task[None]]:
    """Have a place in a task of its own, which leaves it when the place is ended."""
    entered: asyncio.Future[Place] = asyncio.Future()
    ended = asyncio.Event()

    async def stay() -> None:
        try:
            async with places.place(caller) as place:
                place.stop = ended.set
                entered.set_result(place)
                await ended.wait()
        except NoPlaceError as error:
            entered.set_exception(error)

    task = asyncio.create_task(stay())
    return await entered, task


async def test_alone_a_caller_may_have_all_and_no_more() -> None:
    places = FairPlaces(3)
    held = [await take(places, "a") for _ in range(3)]
    with pytest.raises(NoPlaceError) as refused:
        await take(places, "a")
    assert (refused.value.taken, refused.value.own) == (3, 3)
    assert not any(place.given_up for place, _ in held)
    held[0][0].end()
    await held[0][1]
    assert (places.taken, places.held("a")) == (2, 2)
    await take(places, "a")


async def test_whoever_holds_most_gives_its_oldest_to_whoever_has_none() -> None:
    places = FairPlaces(4)
    greedy = [await take(places, "greedy") for _ in range(3)]
    await take(places, "modest")
    await take(places, "new")
    assert [place.given_up for place, _ in greedy] == [True, False, False]
    # Two to one is as fair as it gets.
    with pytest.raises(NoPlaceError):
        await take(places, "new")
    assert places.held("greedy") == 2


async def test_an_idle_place_is_ended_before_one_in_which_something_goes_on() -> None:
    places = FairPlaces(2)
    busy, idle = [(await take(places, "greedy"))[0] for _ in range(2)]
    busy.busy = lambda: True
    await take(places, "new")
    assert (busy.given_up, idle.given_up) == (False, True)


async def test_a_flood_of_the_greedy_does_not_take_what_was_ended_for_others() -> None:
    places = FairPlaces(4)
    for _ in range(4):
        await take(places, "greedy")
    wanted = [take(places, "greedy") for _ in range(20)]
    wanted[10:10] = [take(places, "new")]
    outcomes = await asyncio.gather(*wanted, return_exceptions=True)
    assert not isinstance(outcomes[10], BaseException)
    assert sum(isinstance(each, NoPlaceError) for each in outcomes) == 20


async def test_places_of_little_patience_are_ended_for_anybody_who_waits() -> None:
    places = FairPlaces(1, patience_s=0.05, wait_s=10)
    first, task = await take(places, "a")
    await take(places, "a")
    assert first.given_up
    await task


async def test_one_who_goes_away_while_waiting_leaves_no_place_taken() -> None:
    places = FairPlaces(1, wait_s=10)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(places.place("a"))
        waiting = asyncio.create_task(places.place("b").__aenter__())
        while not places._waiting:  # noqa: SLF001  it has to be there first
            await asyncio.sleep(0)
    # The place is handed on, and its taker is cancelled before it has heard of that.
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert places.taken == 0
    async with places.place("c"):
        assert places.taken == 1
