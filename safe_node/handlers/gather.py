"""Gather: this safe is the gateway; it collects from its peers what a grant asks for, and passes it on.

Frames go on as they come, a few at a time: a wallet that is slow holds up the peers and fills nothing here.
Wallet keys are cheap to make, so who takes nothing keeps a turn only while nobody waits for it (places.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from kura.safe.v1 import safe_pb2 as pb
from rpc_edge.carrying import Witness
from rpc_edge.error_table import SAFE_ERRORS
from rpc_edge.errors import CallFailed
from rpc_edge.places import Places
from safe_node.accounts import Standing
from safe_node.decisions.grants import judge_gathering
from safe_node.decisions.hedging import Hedging, begin
from safe_node.handlers.collect import sealed_pieces
from safe_node.handlers.safe import Safe
from safe_node.network.peers import Peers
from trust.grant import Grant
from trust.ids import SafeId
from trust.refusals import Refusal, SafeUnreachable

AT_ONCE = 16
"""Grants worked on at once; each keeps a few megabytes busy, and more wait."""

MOST_SECONDS = 3600.0
SETTLED_SECONDS = 4.0
WAIT_SECONDS = 8.0
"""How long one grant is worked on at most; after how long it may have to make way; how long one waits for its
turn, which is less than a wallet waits for a first frame."""

HEDGE_SECONDS = 0.5
"""A safe from which nothing came for so long is slow."""

FRAMES_AHEAD = 4

Event: TypeAlias = tuple[SafeId, bytes | Exception | None]
"""Of one safe: a frame, why nothing more comes, or that this was all."""


@dataclass(frozen=True, slots=True)
class Gatherings:
    """What a safe gathers with.

    Args:
        safe: The safe.
        peers: Its links; None where it has no port for peers.
        witness: Sees each frame that comes of a peer, if somebody is to.
        hedge_seconds: When a safe is slow.
        turns: Of grants; where all are taken, and one more waits, the slowest wallet makes way.
    """

    safe: Safe
    peers: Peers | None = None
    witness: Witness | None = None
    hedge_seconds: float = HEDGE_SECONDS
    turns: Places = field(
        default_factory=lambda: Places(AT_ONCE, MOST_SECONDS, SETTLED_SECONDS, WAIT_SECONDS), repr=False
    )


async def gather(
    gatherings: Gatherings, caller: Standing, request: pb.GatherRequest
) -> AsyncIterator[pb.GatherResponse]:
    """Judge the grant, then collect what it asks for.

    Raises:
        GrantInvalid, RosterUnknown, GrantExpired: As decisions/grants.py has it.
        Busy: There is no turn to be had; or this one made way for another. A wallet that gRPC waits for, with
            what it has not read yet, is not told: gRPC ends a cancelled write without a status.
    """
    safe = gatherings.safe
    lists = [tuple(one.certificates) for one in request.lists]
    grant = judge_gathering(
        request.grant, request.signature, lists, caller.key, safe.membership, safe.now_ms()
    )
    asked = [part.safe_id for part in grant.parts]
    sources = _Sources(gatherings, grant, request, dict(zip(asked, lists, strict=True)))
    spares = {safe_id for safe_id, one in zip(asked, request.lists, strict=True) if one.is_spare}
    hedging = begin((one for one in asked if one not in spares), (one for one in asked if one in spares))
    async with (
        gatherings.turns.taken() as place,
        aclosing(_hedged(sources, hedging, gatherings.hedge_seconds)) as answers,
    ):
        async for answer in answers:
            place.moved(answer.frame)
            yield answer


@dataclass(slots=True)
class _Sources:
    """Where the frames of each safe come from, and the tasks that wait for them.

    Args:
        lists: By safe, what the grant asks of it.
        events: What came, in order.
    """

    gatherings: Gatherings
    grant: Grant
    request: pb.GatherRequest
    lists: dict[SafeId, tuple[bytes, ...]]
    events: asyncio.Queue[Event] = field(default_factory=lambda: asyncio.Queue(FRAMES_AHEAD))
    tasks: dict[SafeId, asyncio.Task[None]] = field(default_factory=dict)

    def ask(self, safe_id: SafeId) -> None:
        """Begin with a safe."""
        self.tasks[safe_id] = asyncio.create_task(self._pump(safe_id))

    async def close(self) -> None:
        """End every call; wait until all are."""
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def _pump(self, safe_id: SafeId) -> None:
        outcome: Exception | None = None
        try:
            async with aclosing(self._frames(safe_id)) as frames:
                async for frame in frames:
                    await self._witnessed(safe_id, frame)
                    await self.events.put((safe_id, frame))
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits for this safe must learn it
            outcome = error
        await self.events.put((safe_id, outcome))

    async def _witnessed(self, safe_id: SafeId, frame: bytes) -> None:
        safe, witness = self.gatherings.safe.membership, self.gatherings.witness
        if witness is not None and safe_id != safe.safe_id:
            await witness(safe.newest.safe(safe_id), "<", frame)

    def _frames(self, safe_id: SafeId) -> AsyncGenerator[bytes, None]:
        safe, peers = self.gatherings.safe, self.gatherings.peers
        if safe_id == safe.membership.safe_id:
            return sealed_pieces(safe, self.grant, self.lists[safe_id])
        if peers is None:
            raise SafeUnreachable("the gateway has no port for other safes")
        return peers.to(safe_id).collect(self.request.grant, self.request.signature, self.lists[safe_id])


async def _hedged(
    sources: _Sources, hedging: Hedging, hedge_seconds: float
) -> AsyncGenerator[pb.GatherResponse, None]:
    """Ask, pass on, and ask spares; see decisions/hedging.py."""
    loop = asyncio.get_running_loop()
    waited = 0.0  # only for peers: what the wallet takes its time for makes no safe slow
    heard: dict[SafeId, float] = {}
    try:
        while True:
            for safe_id in sorted(hedging.running - sources.tasks.keys()):
                sources.ask(safe_id)
                heard[safe_id] = waited
            if hedging.is_over:
                break
            begun = loop.time()
            event = await _next(sources.events, hedge_seconds)
            waited += loop.time() - begun
            if event is not None:
                heard[event[0]] = waited
                hedging = _after(hedging, event)
                if event[1] is not None:
                    yield _told(*event)
            for safe_id in [one for one in hedging.running if one in heard]:
                if waited - heard[safe_id] >= hedge_seconds:
                    hedging = hedging.is_slow(safe_id)
        for safe_id in sorted(hedging.running):
            yield _told(safe_id, SafeUnreachable("other safes gave everything meanwhile"))
    finally:
        await sources.close()


async def _next(events: asyncio.Queue[Event], seconds: float) -> Event | None:
    try:
        async with asyncio.timeout(seconds):
            return await events.get()
    except TimeoutError:
        return None


def _after(hedging: Hedging, event: Event) -> Hedging:
    safe_id, what = event
    if what is None:
        return hedging.gave_all(safe_id)
    return hedging.failed(safe_id) if isinstance(what, Exception) else hedging


def _told(safe_id: SafeId, what: bytes | Exception | None) -> pb.GatherResponse:
    """A frame, or why there is none; a defect is raised."""
    if isinstance(what, bytes):
        return pb.GatherResponse(safe_id=safe_id, frame=what)
    if isinstance(what, CallFailed):
        what = SafeUnreachable(str(what))
    if not (isinstance(what, Refusal) and SAFE_ERRORS.covers(what)):
        raise what or ValueError("there is nothing to tell")
    return pb.GatherResponse(safe_id=safe_id, failure=SAFE_ERRORS.to_refusal(what))
