"""Places where who comes waits for one: until somebody left, or has been there a while."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from rpc_edge.places import Places
from support.virtual_time import now, run_virtually
from trust.refusals import Busy

SETTLED, WAIT = 4.0, 8.0


def places(*, settled: float = SETTLED) -> Places:
    return Places(1, 3600.0, settled, WAIT)


async def stays(here: Places, seconds: float) -> None:
    async with here.taken():
        await asyncio.sleep(seconds)


async def when_taken(here: Places) -> float:
    async with here.taken():
        return now()


async def who_leaves_makes_room() -> None:
    """As soon as it has left."""
    here = places()
    first = asyncio.create_task(stays(here, 1.5))
    await asyncio.sleep(0)
    assert await when_taken(here) == 1.5
    await first


async def who_stays_makes_way_once_it_is_settled() -> None:
    """Not before; and is told."""
    here = places()
    first = asyncio.create_task(stays(here, 100))
    await asyncio.sleep(0)
    assert await when_taken(here) == SETTLED
    with pytest.raises(Busy):
        await first


async def nobody_waits_longer_than_may_be() -> None:
    """Where those that are there never settle."""
    here = places(settled=1_000)
    first = asyncio.create_task(stays(here, 100))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await when_taken(here)
    assert now() == WAIT
    await first


async def of_several_that_wait_each_has_its_turn() -> None:
    """One after the other, and none with another."""
    here, begun = places(), list[float]()

    async def one() -> None:
        async with here.taken():
            begun.append(now())
            await asyncio.sleep(1)

    await asyncio.gather(*(one() for _ in range(4)))
    assert begun == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "story",
    [
        who_leaves_makes_room,
        who_stays_makes_way_once_it_is_settled,
        nobody_waits_longer_than_may_be,
        of_several_that_wait_each_has_its_turn,
    ],
    ids=lambda story: story.__name__.replace("_", " "),
)
def test_a_place_that_is_waited_for(story: Callable[[], Coroutine[object, object, None]]) -> None:
    """See each story."""
    run_virtually(story())
