"""Large requests take turns, in order; what has no room even to wait is refused."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

from rpc_edge.edge import Call
from rpc_edge.room import SMALL_BYTES, Room
from trust.refusals import Busy

KIB = 1024
CALL = Call("/a/b", None)  # type: ignore[arg-type]


class Desk:
    """Requests by name, and which of them are at work."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.at_work: list[str] = []
        self._done: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def comes(self, name: str, size: int) -> None:
        self._done[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._work(name, size))
        await asyncio.sleep(0)

    async def _work(self, name: str, size: int) -> None:
        async with self.room.layer(CALL, bytes(size)):
            self.at_work.append(name)
            try:
                await self._done[name].wait()
            finally:
                self.at_work.remove(name)

    async def ends(self, name: str) -> None:
        self._done[name].set()
        await self._tasks[name]
        await asyncio.sleep(0)

    async def gives_up(self, name: str) -> None:
        self._tasks[name].cancel()
        with suppress(asyncio.CancelledError):
            await self._tasks[name]


@pytest.fixture
def desk() -> Desk:
    return Desk(Room(200 * KIB, 300 * KIB))


async def test_requests_take_turns_in_the_order_they_came(desk: Desk) -> None:
    """The third would fit beside the first, and waits behind the second all the same."""
    for name, size in (("first", 120), ("second", 150), ("third", 70)):
        await desk.comes(name, size * KIB)
    assert desk.at_work == ["first"]
    await desk.ends("first")
    assert desk.at_work == ["second"]
    await desk.ends("second")
    assert desk.at_work == ["third"]
    await desk.ends("third")


async def test_what_has_no_room_to_wait_is_refused(desk: Desk) -> None:
    """And what waits is not disturbed."""
    for name in ("works", "waits", "fills"):
        await desk.comes(name, 150 * KIB)
    with pytest.raises(Busy):
        async with desk.room.layer(CALL, bytes(150 * KIB)):
            raise AssertionError("there was no room")
    for name in ("works", "waits", "fills"):
        assert desk.at_work == [name]
        await desk.ends(name)


async def test_a_request_larger_than_the_room_is_worked_on_alone(desk: Desk) -> None:
    await desk.comes("small", 100 * KIB)
    await desk.comes("huge", 10_000 * KIB)
    assert desk.at_work == ["small"]
    await desk.ends("small")
    assert desk.at_work == ["huge"]
    await desk.ends("huge")


async def test_small_requests_and_streams_pass_by(desk: Desk) -> None:
    """A full room does not hold them up."""
    await desk.comes("works", 200 * KIB)
    await desk.comes("waits", 200 * KIB)

    async def stream() -> Any:
        yield bytes(200 * KIB)

    messages: Any = stream()
    async with AsyncExitStack() as stack:
        passed: Any = await stack.enter_async_context(desk.room.layer(CALL, messages))
        assert passed is messages
        assert await stack.enter_async_context(desk.room.layer(CALL, bytes(SMALL_BYTES)))
    await messages.aclose()
    await desk.ends("works")
    await desk.ends("waits")


@pytest.mark.parametrize("leaver", ["waits", "works"])
async def test_whoever_gives_up_frees_the_place(desk: Desk, leaver: str) -> None:
    """Waiting or at work; the next one's turn comes."""
    for name in ("works", "waits", "last"):
        await desk.comes(name, 150 * KIB)
    await desk.gives_up(leaver)
    for name in {"works", "waits"} - {leaver}:
        await asyncio.sleep(0)
        await desk.ends(name)
    await asyncio.sleep(0)
    await desk.ends("last")
    async with desk.room.layer(CALL, bytes(200 * KIB)):
        assert desk.at_work == []


async def test_a_turn_that_comes_as_its_caller_leaves_is_passed_on(desk: Desk) -> None:
    """Both happen in one step of the loop."""
    done = asyncio.Event()

    async def works() -> None:
        async with desk.room.layer(CALL, bytes(150 * KIB)):
            await done.wait()
        desk._tasks["leaves"].cancel()

    working = asyncio.create_task(works())
    await asyncio.sleep(0)
    for name in ("leaves", "next"):
        await desk.comes(name, 150 * KIB)
    done.set()
    await working
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert desk.at_work == ["next"]
    await desk.ends("next")
