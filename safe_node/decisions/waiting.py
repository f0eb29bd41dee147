"""A recovery by factors alone waits, where the owner said so, and the owner may end it meanwhile.

    the proof holds     ->  waits; its guess is given back, and is good for that recipient key alone
    the period is over  ->  the same call gives the part, for as long as the recovery stands
    vetoed, or another record in force  ->  it is over for good, and so is its guess

A call that a wallet of the owner's signed, or the owner, waits for nothing. At most 16 wait at one time, and
the oldest stay: who found out the factors cannot push the owner's own recovery out, nor the owner's veto
aside. A clock that is set back makes every wait longer and none shorter.
"""

from __future__ import annotations

from dataclasses import replace

from safe_node.guesses import KnownGuess, UnlockClaim
from safe_node.owners import KeptOwner, KeptRecord, Veto, Waiting
from trust.access_refusals import NothingWaits, VetoedLately
from trust.owner_refusals import OwnerUnknown, UnlockRefused

MOST_WAITING = 16
VETO_EVERY_MS = 30 * 86_400_000
COLLECT_MS = 30 * 86_400_000
"""How long after its period a recovery still counts among those that wait."""


def plan_waiting(
    owner: KeptOwner, known: KnownGuess, claim: UnlockClaim, now_ms: int
) -> tuple[int, tuple[Waiting, ...]]:
    """When the part is given, 0 for now, and the recoveries that wait from now on.

    Args:
        owner: As they are kept.
        known: Its guess.
        claim: One that holds, and that nobody signed for the owner.
        now_ms: The clock.

    Raises:
        UnlockRefused: As many wait as may.
    """
    running = next((one for one in owner.waiting if one.guess_id == claim.guess_id), None)
    if running is not None:
        return running.release_ms if now_ms < running.release_ms else 0, owner.waiting
    # A record of before, without a period, may still be kept: it is no way round the one in force.
    seconds = max(waiting_seconds(owner.record(claim.record_id)), waiting_seconds(owner.current))
    if not seconds:
        return 0, owner.waiting
    still = tuple(one for one in owner.waiting if now_ms < one.release_ms + COLLECT_MS)
    if len(still) >= MOST_WAITING:
        raise UnlockRefused
    release_ms = now_ms + seconds * 1_000
    begun = Waiting(claim.recipient_key, claim.guess_id, claim.record_id, known.way, now_ms, release_ms)
    return release_ms, (*still, begun)


def waiting_seconds(record: KeptRecord | None) -> int:
    """How long a safe waits with a part of that version."""
    policy = None if record is None else record.read_policy()
    return 0 if policy is None else policy.waiting_seconds


def end_others(owner: KeptOwner) -> KeptOwner:
    """The owner with the recoveries of the record in force alone."""
    left = tuple(one for one in owner.waiting if one.record_id == owner.current.record_id)
    return replace(owner, waiting=left)


def plan_veto(owner: KeptOwner | None, recipient_key: bytes, now_ms: int) -> KeptOwner:
    """The owner without what waits for that key; unchanged where the last veto was for it.

    Args:
        owner: Of the key that signed; None where there is none.
        recipient_key: 32 bytes.
        now_ms: The clock.

    Raises:
        OwnerUnknown: There is no such owner.
        NothingWaits: Nothing waits for that key.
        VetoedLately: The last veto was less than 30 days ago.
    """
    if owner is None:
        raise OwnerUnknown
    left = tuple(one for one in owner.waiting if one.recipient_key != recipient_key)
    if len(left) == len(owner.waiting):
        if owner.veto.recipient_key == recipient_key:
            return owner
        raise NothingWaits
    next_at_ms = next_veto_at_ms(owner, now_ms)
    if next_at_ms:
        raise VetoedLately(next_at_ms)
    return replace(owner, waiting=left, veto=Veto(now_ms, recipient_key))


def next_veto_at_ms(owner: KeptOwner, now_ms: int) -> int:
    """Until when no veto is taken, milliseconds since 1970-01-01 UTC; 0: one is taken now."""
    next_at_ms = owner.veto.at_ms + VETO_EVERY_MS
    return next_at_ms if owner.veto.recipient_key and now_ms < next_at_ms else 0
