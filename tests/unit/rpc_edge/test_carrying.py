"""Carrying envelopes on: bounds of time and number, refusals on the way, and who waits at the door."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from unit.rpc_edge.conftest import Edge

from kura.safe.v1 import safe_pb2
from rpc_edge.carrying import Carriages, Forwarding
from rpc_edge.doorway import Doorway
from support.sample_documents import GENESIS
from support.tls_identities import identity
from trust.ids import SafeId
from trust.refusals import (
    Busy,
    CallTooLarge,
    Malformed,
    Refusal,
    RequestReplayed,
    SafeUnknown,
    SafeUnreachable,
)
from trust.roster import Roster, SafeEntry


def roster_of(edge: Edge) -> Roster:
    """The first of the sample safes listens at the edge's port; the second is nowhere."""
    first, second, *others = GENESIS.safes
    here = msgspec.structs.replace(first, endpoint=f"127.0.0.1:{edge.port}", tls_certificate=edge.who.der)
    away = msgspec.structs.replace(second, endpoint="127.0.0.1:1", tls_certificate=identity("another").der)
    return msgspec.structs.replace(GENESIS, safes=(here, away, *others))


SAFE, AWAY, UNFIT = (safe.safe_id for safe in GENESIS.safes[:3])


@dataclass
class Caller:
    """Somebody who sends frames; ends when told."""

    frames: asyncio.Queue[bytes | Refusal | None] = field(default_factory=asyncio.Queue)

    async def stream(self) -> AsyncIterator[bytes]:
        while (frame := await self.frames.get()) is not None:
            if isinstance(frame, Refusal):
                raise frame
            yield frame

    def sends(self, *frames: bytes | Refusal | None) -> "Caller":
        for frame in frames:
            self.frames.put_nowait(frame)
        return self


async def carried(forwarding: Forwarding, caller: Caller, safe_id: SafeId = SAFE) -> list[bytes]:
    return [frame async for frame in forwarding.to(safe_id)(b"first", caller.stream())]


def carrying(edge: Edge, **more: Any) -> Forwarding:
    forwarding = Forwarding(roster_of(edge), **more)
    edge.clean_up.push_async_callback(forwarding.close)
    return forwarding


async def test_frames_go_there_and_come_back_unopened_and_a_witness_sees_them(edge: Edge) -> None:
    """The scripted safe sends back whatever comes."""
    seen: list[tuple[str, str, bytes]] = []

    async def witness(safe: SafeEntry, direction: str, frame: bytes) -> None:
        seen.append((safe.name, direction, frame))

    frames = [b"second", bytes(100_000), b"last"]
    caller = Caller().sends(*frames, None)
    assert await carried(carrying(edge, witness=witness), caller) == [b"first", *frames]
    assert [frame for _, direction, frame in seen if direction == ">"] == [b"first", *frames]
    assert [frame for _, direction, frame in seen if direction == "<"] == [b"first", *frames]
    assert {name for name, _, _ in seen} == {GENESIS.safes[0].name}


async def test_a_carriage_ends_when_the_safe_ends_it_though_the_caller_goes_on(edge: Edge) -> None:
    async def carry(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        yield safe_pb2.CarryResponse(frame=(await anext(requests)).frame)

    edge.safe.carry = carry
    assert await carried(carrying(edge), Caller()) == [b"first"]


async def test_what_the_safe_refuses_in_the_clear_is_passed_on(edge: Edge) -> None:
    async def carry(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        raise RequestReplayed
        yield

    edge.safe.carry = carry
    with pytest.raises(RequestReplayed):
        await carried(carrying(edge), Caller().sends(None))


async def test_what_is_refused_on_the_way_ends_the_carriage(edge: Edge) -> None:
    """A frame that is too large for who carries: the caller hears that, and not that the safe is away."""
    with pytest.raises(CallTooLarge):
        await carried(carrying(edge), Caller().sends(CallTooLarge("message", 1)))


async def test_what_fails_on_the_way_ends_the_carriage(edge: Edge) -> None:
    """A record that cannot be written, for one: nothing is carried that was to be seen and was not."""

    async def witness(safe: SafeEntry, direction: str, frame: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await carried(carrying(edge, witness=witness), Caller())


async def test_a_frame_that_moves_puts_the_end_off(edge: Edge) -> None:
    """Also while the caller is busy with the answer before, and nobody waits for one."""
    arrived = asyncio.Event()

    async def carry(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        async for request in requests:
            yield safe_pb2.CarryResponse(frame=request.frame)
            if request.frame == b"third":
                arrived.set()

    edge.safe.carry = carry
    caller = Caller()
    frames = carrying(edge).to(SAFE)(b"first", caller.stream())
    assert await anext(frames) == b"first"
    caller.sends(b"second", b"third", None)
    await asyncio.wait_for(arrived.wait(), 10)
    assert [frame async for frame in frames] == [b"second", b"third"]


@pytest.mark.parametrize(
    ("safe_id", "problem"),
    [
        pytest.param(AWAY, "nothing listens there", id="that is away"),
        pytest.param(UNFIT, "its certificate in the roster cannot be used", id="whose certificate is none"),
    ],
)
async def test_nothing_is_carried_to_a_safe(edge: Edge, safe_id: SafeId, problem: str) -> None:
    with pytest.raises(SafeUnreachable) as caught:
        await carried(carrying(edge), Caller(), safe_id)
    assert caught.value.problem.startswith(problem)


def test_nothing_is_carried_to_a_stranger() -> None:
    with pytest.raises(SafeUnknown):
        Forwarding(GENESIS).to(SafeId(bytes(16)))


async def test_a_carriage_in_which_nothing_moves_is_ended(edge: Edge) -> None:
    """Neither end says anything."""
    hold = asyncio.Event()

    async def carry(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        await hold.wait()
        yield safe_pb2.CarryResponse()

    edge.safe.carry = carry
    with pytest.raises(SafeUnreachable, match=r"no answer within 0\.05 s"):
        await carried(carrying(edge, idle_seconds=0.05), Caller())
    hold.set()


async def test_more_carriages_than_there_may_be_are_refused(edge: Edge) -> None:
    """And when one has ended there is room again."""
    forwarding, caller = carrying(edge, most=1), Caller()
    first = forwarding.to(SAFE)(b"first", caller.stream())
    assert await anext(first) == b"first"
    with pytest.raises(Busy):
        await carried(forwarding, Caller())
    caller.sends(None)
    assert [frame async for frame in first] == []
    assert await carried(forwarding, Caller().sends(None)) == [b"first"]


async def test_who_dribbles_makes_way_for_one_more_and_who_moves_stays(edge: Edge) -> None:
    """All places are taken, and nobody has come just now."""
    forwarding = carrying(edge, most=2, settled_seconds=0)
    dribbles, moves = Caller(), Caller()
    slow = asyncio.create_task(carried(forwarding, dribbles.sends(b"a")))
    fast = forwarding.to(SAFE)(b"first", moves.sends(b"m" * 50_000).stream())
    assert [await anext(fast) for _ in range(2)] == [b"first", b"m" * 50_000]
    assert await carried(forwarding, Caller().sends(None)) == [b"first"]
    with pytest.raises(Busy):
        await slow
    moves.sends(b"more", None)
    assert [frame async for frame in fast] == [b"more"]


async def test_who_takes_no_answer_makes_way_as_well(edge: Edge) -> None:
    """It is cancelled where it waits, and its call to the safe is over."""
    forwarding, stuck, ended = carrying(edge, most=1, settled_seconds=0), asyncio.Event(), asyncio.Event()

    async def takes_nothing() -> None:
        async with aclosing(forwarding.to(SAFE)(b"first", Caller().stream())) as frames:
            async for _ in frames:
                stuck.set()
                try:
                    await asyncio.Event().wait()
                finally:
                    ended.set()

    task = asyncio.create_task(takes_nothing())
    await stuck.wait()
    assert await carried(forwarding, Caller().sends(None)) == [b"first"]
    await asyncio.wait_for(ended.wait(), 10)
    await asyncio.wait((task,))
    assert task.cancelled()


async def test_a_caller_who_leaves_ends_the_call_to_the_safe(edge: Edge) -> None:
    ended = asyncio.Event()

    async def carry(requests: Any) -> AsyncIterator[safe_pb2.CarryResponse]:
        try:
            async for request in requests:
                yield safe_pb2.CarryResponse(frame=request.frame)
        finally:
            ended.set()

    edge.safe.carry = carry
    frames = carrying(edge).to(SAFE)(b"first", Caller().stream())
    assert await anext(frames) == b"first"
    await frames.aclose()
    await asyncio.wait_for(ended.wait(), 10)


async def never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def says(*messages: bytes) -> AsyncIterator[bytes]:
    for message in messages:
        yield message


async def test_who_speaks_is_heard_at_the_door() -> None:
    assert await Doorway().first(says(b"one", b"two")) == b"one"


@pytest.mark.parametrize(
    "silent", [pytest.param(says, id="leaves"), pytest.param(never, id="says nothing in time")]
)
async def test_who_does_not_speak_is_refused_who(silent: Callable[[], AsyncIterator[bytes]]) -> None:
    with pytest.raises(Malformed):
        await Doorway(seconds=0.01).first(silent())


async def test_one_more_at_the_door_sends_the_longest_waiting_away() -> None:
    """In the order in which they came, and nobody else."""
    door = Doorway(most=2)
    waiting = [asyncio.create_task(door.first(never())) for _ in range(5)]
    for away in waiting[:3]:
        with pytest.raises(Busy):
            await away
    assert not any(one.done() for one in waiting[3:])
    assert await door.first(says(b"one")) == b"one"
    for one in waiting:
        one.cancel()


async def test_who_is_leaving_already_makes_room_as_well() -> None:
    """Its time is up, and it has not gone yet."""
    door = Doorway(most=1, seconds=0)
    leaving = asyncio.create_task(door.first(never()))
    await asyncio.sleep(0)
    assert await asyncio.create_task(door.first(says(b"one"))) == b"one"
    with pytest.raises((Busy, Malformed)):
        await leaving


async def test_a_carriage_without_a_frame_is_refused(edge: Edge) -> None:
    carriages = Carriages(carrying(edge))

    async def nothing() -> AsyncIterator[safe_pb2.CarryRequest]:
        for _ in ():
            yield safe_pb2.CarryRequest()

    with pytest.raises(Malformed):
        [answer async for answer in carriages.carry(nothing())]
