"""Was the PIN of a guess right, and what is released then.

A guess that was spent stays good for its proof, also when it was the last and the owner is locked since. It
is given back once, and its part goes to one recipient key. Why a claim is refused shows neither in the answer
nor in the work: an unknown owner's proof is held against the decoy's tag.
"""

from __future__ import annotations

from safe_node.decisions.guessing import give_back
from safe_node.decisions.waiting import plan_waiting
from safe_node.guesses import GuessState, KnownGuess, UnlockClaim, UnlockPlan
from safe_node.owners import KeptOwner, KeptPart, Ledger
from threshold import hpke
from trust.access_policy import PIN_ALONE, Way
from trust.ids import OwnerKey, RecordId, SafeId
from trust.owner_record import RELEASE_INFO, ReleasedPart, release_label
from trust.owner_refusals import UnlockRefused
from trust.unlock_proof import is_unlock_proof


def plan_unlock(
    state: GuessState,
    claim: UnlockClaim,
    safe_id: SafeId,
    decoy_tag: bytes,
    now_ms: int,
    account: OwnerKey | None = None,
) -> UnlockPlan:
    """Release a part, now or after a wait, and give the guess back unless it was given back before.

    Args:
        state: The owner, and the guess of that id.
        claim: What is to be believed.
        safe_id: This safe.
        decoy_tag: Secret: of the owner id, 32 bytes (decoy.py).
        now_ms: The clock.
        account: The owner for whom the call was signed, if it was; they wait for nothing.

    Raises:
        UnlockRefused: Unknown owner, record or guess; a guess at another record; a proof that does not hold;
            a guess that is good for another recipient key; or as many recoveries wait as may.
    """
    owner, known = state.owner, state.known
    part = _part_of(owner, known, claim.record_id)
    tag = decoy_tag if part is None else part.unlock_tag
    holds = is_unlock_proof(claim.proof, tag, safe_id, claim.guess_id, claim.recipient_key, claim.record_id)
    if not holds or owner is None or part is None or known is None:
        raise UnlockRefused
    if known.record_id != part.record_id or known.returned_to not in (None, claim.recipient_key):
        raise UnlockRefused
    if known.bound_to not in (b"", claim.recipient_key):
        raise UnlockRefused
    ledger = _given_back(owner, part.way) if known.returned_to is None else None
    if account == owner.owner_key:
        return UnlockPlan(part, ledger)
    release_ms, waiting = plan_waiting(owner, known, claim, now_ms)
    return UnlockPlan(part, ledger, release_ms, None if waiting == owner.waiting else waiting)


def _part_of(owner: KeptOwner | None, known: KnownGuess | None, record_id: RecordId) -> KeptPart | None:
    """What the guess was made at; where there is no guess, what one at the PIN alone would be."""
    record = None if owner is None else owner.record(record_id)
    return None if record is None else record.part(PIN_ALONE if known is None else known.way)


def _given_back(owner: KeptOwner, way: Way) -> Ledger:
    ledger = owner.ledger_of(way)
    return give_back(ledger) if "pin" in way else ledger


def seal_part(part: KeptPart, claim: UnlockClaim, safe_id: SafeId) -> bytes:
    """A part (Secret) for the recipient alone; differs each time (threshold/hpke.py).

    Raises:
        InvalidPublicKey: The recipient key is not canonical, or of low order.
    """
    released = ReleasedPart(part.unlock_share, part.sealed).to_bytes()
    label = release_label(safe_id, claim.guess_id, claim.record_id)
    return hpke.seal(claim.recipient_key, released, RELEASE_INFO, label)
