"""Sum, Summand, Fragment: this safe helps another to a piece that it lost (threshold/repair.py).

A helper keeps nothing between two messages: what it gives to another helper is a stream of its own secret
and the session's name, and can be made again. So a message that is lost or repeated harms nobody, and a
helper that stops half-way has nothing to forget.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from dataclasses import dataclass, field

from kura.safe.v1 import peer_pb2 as pb
from rpc_edge.errors import CallFailed
from safe_node.decisions.repair_sessions import Asked, judge_help, judge_session
from safe_node.handlers.peer_converters import read_session
from safe_node.handlers.safe import Safe
from safe_node.network.peer_link import Signed
from safe_node.network.peers import Peers
from safe_node.repairs import SharePart
from threshold import repair
from threshold.errors import ThresholdError
from threshold.feldman import ScalarShare
from threshold.randomness import SeededRandomness
from threshold.repair import PadSource, RepairGroup
from threshold.ristretto import Scalar
from threshold.shamir import ByteShare
from trust.errors import DocumentMalformed
from trust.ids import SafeId
from trust.manifest import Manifest
from trust.peer_refusals import HelperSilent, PieceUnknown
from trust.refusals import Refusal
from trust.repair_session import RepairHelper, RepairSession
from trust.wallet_refusals import StoredPieceDamaged

_PADS = b"kura/v1/repair-pads\x00"

AT_ONCE = 16
"""Sums, and parts of others' repairs, worked on at once; each keeps a few megabytes busy, and more wait."""


@dataclass(frozen=True, slots=True)
class Helping:
    """What a safe helps with.

    Args:
        safe: The safe.
        peers: Its links, to ask other helpers.
        pad_secret: Secret: 32 random bytes of this process, from which the streams of all sessions come.
        sums: Turns of those that wait for other helpers.
        parts: Turns of those that wait for nobody: so no two safes hold each other up.
        collections: Turns of what gateways collect, by gateway: one that takes nothing holds up itself alone.
    """

    safe: Safe
    peers: Peers
    pad_secret: bytes = field(repr=False)
    sums: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE), repr=False)
    parts: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE), repr=False)
    collections: defaultdict[SafeId, asyncio.Semaphore] = field(
        default_factory=lambda: defaultdict(lambda: asyncio.Semaphore(AT_ONCE)), repr=False
    )


async def sum_of(helping: Helping, caller: SafeId, request: pb.SumRequest) -> pb.SumResponse:
    """Ask the other helpers for their summands, and give the sum.

    Raises:
        Malformed, RepairSessionInvalid, RosterUnknown, NotPlacedHere, PieceUnknown, ItemDeleted,
            StoredPieceDamaged: As decisions/repair_sessions.py has it.
        HelperSilent: Names one that gave nothing.
    """
    async with helping.sums:
        return await _sum_of(helping, caller, read_session(request.session))


async def _sum_of(helping: Helping, caller: SafeId, signed: Signed) -> pb.SumResponse:
    session, own = await _own(helping, caller, signed, "sum")
    me = _me(helping, session)
    others = [helper for helper in session.helpers if helper != me]
    summands = await asyncio.gather(*(_summand_of(helping, helper, signed) for helper in others))
    mine = await asyncio.to_thread(_summand, helping, session, own, me.x)
    try:
        return pb.SumResponse(sum=await asyncio.to_thread(_added, session, [mine, *summands]))
    except ThresholdError:
        raise HelperSilent("") from None


async def summand(helping: Helping, caller: SafeId, request: pb.SummandRequest) -> pb.SummandResponse:
    """Give another helper what is for it.

    Raises:
        Malformed, RepairSessionInvalid, RosterUnknown, NotPlacedHere, PieceUnknown, ItemDeleted,
            StoredPieceDamaged: As decisions/repair_sessions.py has it.
    """
    async with helping.parts:
        session, own = await _own(helping, caller, read_session(request.session), "summand")
        to = session.helper(caller)
        if to is None:
            raise PieceUnknown
        return pb.SummandResponse(summand=await asyncio.to_thread(_summand, helping, session, own, to.x))


async def fragment(helping: Helping, caller: SafeId, request: pb.FragmentRequest) -> pb.FragmentResponse:
    """Give a part of a compact piece as it is.

    Raises:
        Malformed, RepairSessionInvalid, RosterUnknown, NotPlacedHere, PieceUnknown, ItemDeleted,
            StoredPieceDamaged: As decisions/repair_sessions.py has it.
    """
    async with helping.parts:
        _, own = await _own(helping, caller, read_session(request.session), "fragment")
        return pb.FragmentResponse(fragment=own.content)


async def _own(
    helping: Helping, caller: SafeId, signed: Signed, asked: Asked
) -> tuple[RepairSession, SharePart]:
    """The session, and this safe's own part of it, once both were judged."""
    safe = helping.safe
    session = judge_session(*signed, caller, asked, safe.membership, safe.now)
    store, me = safe.store.peers, _me(helping, session)
    if session.part == "key":
        own = await store.key_part(session.manifest_hash, me.x)
    else:
        own = await store.value_part(
            session.manifest_hash, me.x, session.leaf_indices, session.start, session.length
        )
    judge_help(session, _manifest(own), asked)
    return session, own


def _me(helping: Helping, session: RepairSession) -> RepairHelper:
    me = session.helper(helping.safe.membership.safe_id)
    if me is None:  # judge_session saw to it
        raise PieceUnknown
    return me


def _manifest(own: SharePart) -> Manifest:
    try:
        return Manifest.from_bytes(own.manifest)
    except DocumentMalformed:
        raise StoredPieceDamaged from None


async def _summand_of(helping: Helping, helper: RepairHelper, signed: Signed) -> bytes:
    link = helping.peers.to(helper.safe_id)
    try:
        return await link.summand(signed)
    except (CallFailed, Refusal):
        raise HelperSilent(link.entry.name) from None


def _summand(helping: Helping, session: RepairSession, own: SharePart, to: int) -> bytes:
    group = RepairGroup(tuple(helper.x for helper in session.helpers), session.x)
    me, pads = _me(helping, session), _pads(helping, session)
    if session.part == "value":
        return repair.byte_summand(ByteShare(me.x, own.content), group, to, pads)
    share = ScalarShare(me.x, Scalar.from_bytes(own.content))
    return repair.scalar_summand(share, group, to, pads).to_bytes()


def _pads(helping: Helping, session: RepairSession) -> PadSource:
    """Streams that no other session, and no other helper, has in common with this one."""
    name = hashlib.sha256(session.to_bytes()).digest()
    return lambda to: SeededRandomness(helping.pad_secret, _PADS + name + bytes((to,)))


def _added(session: RepairSession, parts: list[bytes]) -> bytes:
    if session.part == "value":
        return repair.byte_sum(parts)
    return repair.scalar_sum([Scalar.from_bytes(part) for part in parts]).to_bytes()
