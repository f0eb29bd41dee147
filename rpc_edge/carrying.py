"""SafeService.Carry: envelopes for oneself are opened, those for other safes of the roster are carried on.

A carrier knows of an envelope whom it is for and how long its frames are. It carries to the addresses of its
roster and nowhere else, over TLS to the roster's certificate; it keeps nothing, and asks nothing twice.

Bounds: callers that have not said whom they speak to (rpc_edge.doorway); carriages under way, of which the
slowest makes way when they are too many (rpc_edge.places); bytes of large frames in hand (rpc_edge.room); how
long nothing may move; how long a carriage may take in all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

import grpc

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.connection_failures import explain_connection_failure
from rpc_edge.doorway import Doorway
from rpc_edge.early_end import ServersStatus
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.errors import CallFailed, NoAnswer
from rpc_edge.places import SETTLED_SECONDS, Place, Places
from rpc_edge.room import Room
from rpc_edge.tls import pinned_channel
from trust.envelope import most_frame_bytes
from trust.errors import RosterRefused
from trust.ids import SafeId
from trust.refusals import Refusal, SafeUnknown, SafeUnreachable
from trust.roster import Roster, SafeEntry

CARRY = "/kura.safe.v1.SafeService/Carry"
MOST_CARRIAGES = 64
IDLE_SECONDS = 90.0
"""How long nothing may move either way: longer than a safe waits for the next chunk of an upload."""

MOST_SECONDS = 3600.0
ROOM_BYTES = 24 * 1024 * 1024
WAITING_BYTES = 16 * 1024 * 1024
_FIELDS_BYTES = 64
"""What a message of Carry has besides the frame, and more."""

Answer: TypeAlias = Callable[[bytes, AsyncIterator[bytes]], AsyncGenerator[bytes, None]]
"""From the first frame and those that follow to the frames of the reply."""

Witness: TypeAlias = Callable[[SafeEntry, str, bytes], Awaitable[None]]
"""Sees each frame that is carried on: the safe, ">" for to it or "<" for from it, and the frame."""


class Forwarding:
    """Carries envelopes on to the safes of one roster; whoever makes it closes it.

    Args:
        roster: Whose safes.
        most: Carriages under way at once.
        idle_seconds: How long nothing may move.
        settled_seconds: How long none need make way.
        witness: Sees what is carried, if somebody is to.
    """

    def __init__(
        self,
        roster: Roster,
        *,
        most: int = MOST_CARRIAGES,
        idle_seconds: float = IDLE_SECONDS,
        settled_seconds: float = SETTLED_SECONDS,
        witness: Witness | None = None,
    ) -> None:
        self._roster = roster
        self._places = Places(most, MOST_SECONDS, settled_seconds)
        self._idle_seconds = idle_seconds
        self._witness = witness
        self._room = Room(ROOM_BYTES, WAITING_BYTES)
        self._channels: dict[SafeId, grpc.aio.Channel] = {}

    def to(self, safe_id: SafeId) -> Answer:
        """What carries envelopes to a safe.

        Raises:
            SafeUnknown: The roster has no such safe.
        """
        try:
            entry = self._roster.safe(safe_id)
        except RosterRefused:
            raise SafeUnknown from None

        async def carried(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
            async with (
                self._places.taken() as place,
                aclosing(self._carried(entry, place, first, rest)) as frames,
            ):
                async for frame in frames:
                    yield frame

        return carried

    async def close(self) -> None:
        """Close every channel that was opened."""
        channels, self._channels = self._channels, {}
        await asyncio.gather(*(channel.close() for channel in channels.values()))

    async def _carried(
        self, entry: SafeEntry, place: Place, first: bytes, rest: AsyncIterator[bytes]
    ) -> AsyncGenerator[bytes, None]:
        call = self._call(entry)
        way = _OnItsWay(call, place, self._idle_seconds)
        sending = asyncio.create_task(self._send(entry, way, first, rest))
        try:
            while (frame := await way.next()) is not None:
                await self._witnessed(entry, "<", frame)
                async with self._room.taken(len(frame)):
                    yield frame
        except grpc.aio.AioRpcError as error:
            raise _told(error, entry, self._idle_seconds) from None
        except asyncio.CancelledError:
            raise _failure_of(sending) or asyncio.CancelledError from None
        finally:
            sending.cancel()
            call.cancel()
            await asyncio.wait((sending,))
            _failure_of(sending)

    async def _send(self, entry: SafeEntry, way: _OnItsWay, first: bytes, rest: AsyncIterator[bytes]) -> None:
        """Everything that comes, until the safe has ended the call; a failure here ends the call."""
        try:
            await self._send_frame(entry, way, first, entry.safe_id)
            async for frame in rest:
                await self._send_frame(entry, way, frame)
            await way.call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the call is over; its status says why
        except Exception:
            way.call.cancel()
            raise

    async def _send_frame(self, entry: SafeEntry, way: _OnItsWay, frame: bytes, safe_id: bytes = b"") -> None:
        await self._witnessed(entry, ">", frame)
        async with self._room.taken(len(frame)):
            await way.call.write(pb.CarryRequest(safe_id=safe_id, frame=frame))
        way.moved(frame)

    async def _witnessed(self, entry: SafeEntry, direction: str, frame: bytes) -> None:
        if self._witness is not None:
            await self._witness(entry, direction, frame)

    def _call(self, entry: SafeEntry) -> Any:
        """A call to the safe itself.

        Raises:
            SafeUnreachable: The roster's certificate of this safe cannot be pinned.
        """
        if entry.safe_id not in self._channels:
            try:
                channel = pinned_channel(entry.endpoint, entry.tls_certificate, entry.name)
            except CallFailed as failure:
                raise SafeUnreachable(str(failure)) from None
            self._channels[entry.safe_id] = channel
        return call_to_carry(self._channels[entry.safe_id], MOST_SECONDS)


class _OnItsWay:
    """One carriage: its call onwards, its place, and when something last moved."""

    def __init__(self, call: Any, place: Place, seconds: float) -> None:
        self.call = call
        self._place = place
        self._seconds = seconds
        self._status = ServersStatus(call)
        self._answers = aiter(call)
        self._patience: asyncio.Timeout | None = None

    def moved(self, frame: bytes) -> None:
        """Something moved: wait as long again."""
        self._place.moved(frame)
        if self._patience is not None and not self._patience.expired():
            self._patience.reschedule(asyncio.get_running_loop().time() + self._seconds)

    async def next(self) -> bytes | None:
        """The safe's next frame; None at the end.

        Raises:
            SafeUnreachable: Nothing moved.
            AioRpcError: The call ended otherwise.
        """
        try:
            async with self._patient():
                answer = await anext(self._answers, None)
        except grpc.aio.AioRpcError as error:
            real = self._status.instead_of(error)
            if real.code() is grpc.StatusCode.OK:
                return None  # the safe ended well while more was being sent
            raise real from None
        except TimeoutError:
            raise SafeUnreachable(str(NoAnswer(self._seconds))) from None
        if answer is None:
            return None
        self._place.moved(answer.frame)
        return bytes(answer.frame)

    @asynccontextmanager
    async def _patient(self) -> AsyncIterator[None]:
        async with asyncio.timeout(self._seconds) as patience:
            self._patience = patience
            try:
                yield
            finally:
                self._patience = None


@dataclass(frozen=True, slots=True)
class Carriages:
    """What Carry does at one server.

    Args:
        forwarding: Carries on what is for others.
        own: By safe id, what answers here; empty at a terminal.
        doorway: Where callers wait who have not spoken.
    """

    forwarding: Forwarding
    own: Mapping[SafeId, Answer] = field(default_factory=dict)
    doorway: Doorway = field(default_factory=Doorway)

    async def carry(self, requests: AsyncIterator[pb.CarryRequest]) -> AsyncIterator[pb.CarryResponse]:
        """Take one envelope in, and give the frames of the reply.

        Raises:
            Malformed: No frame came.
            SafeUnknown, SafeUnreachable: It cannot be carried on.
            EnvelopeRefused, RequestStale, RequestReplayed: It is for this safe, which does not take it.
            Busy: Too many are under way.
        """
        first = await self.doorway.first(requests)
        safe_id = SafeId(first.safe_id)
        answer = self.own.get(safe_id) or self.forwarding.to(safe_id)
        rest = _frames(requests)
        async with aclosing(rest), aclosing(answer(first.frame, rest)) as frames:
            async for frame in frames:
                yield pb.CarryResponse(frame=frame)

    def only_service(self, server: grpc.aio.Server) -> None:
        """Put Carry on a server that has nothing else of SafeService."""

        async def carry(
            requests: AsyncIterator[pb.CarryRequest], context: object
        ) -> AsyncIterator[pb.CarryResponse]:
            async for answer in self.carry(requests):
                yield answer

        service, _, method = CARRY.removeprefix("/").partition("/")
        handler = grpc.stream_stream_rpc_method_handler(
            carry,
            request_deserializer=pb.CarryRequest.FromString,
            response_serializer=pb.CarryResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))


def most_carried_bytes(message_bytes: int) -> int:
    """How long a message of Carry may be that carries a message of so many bytes at most."""
    return most_frame_bytes(message_bytes) + _FIELDS_BYTES


def call_to_carry(channel: grpc.aio.Channel, timeout: float | None) -> Any:
    """A call of Carry over a channel; nothing is sent yet.

    Args:
        channel: To whom carries, or is meant.
        timeout: Seconds for all of it; None where who calls watches its progress.
    """
    make: Any = channel.stream_stream(CARRY, pb.CarryRequest.SerializeToString, pb.CarryResponse.FromString)
    return make(timeout=timeout)


async def _frames(requests: AsyncIterator[pb.CarryRequest]) -> AsyncGenerator[bytes, None]:
    async for request in requests:
        yield request.frame


def _failure_of(task: asyncio.Task[None]) -> BaseException | None:
    """Why a task ended, where it ended by itself and not well."""
    return task.exception() if task.done() and not task.cancelled() else None


def _told(error: grpc.aio.AioRpcError, entry: SafeEntry, seconds: float) -> Refusal:
    """The safe's own word in the clear, or that it gave none."""
    refusal = SAFE_ERRORS.from_status(error)
    if isinstance(refusal, Refusal):
        return refusal
    now = datetime.now(UTC)
    failure = explain_connection_failure(error, entry.tls_certificate, now=now, waited_seconds=seconds)
    return SafeUnreachable(str(failure))
