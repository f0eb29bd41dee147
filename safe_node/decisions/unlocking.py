"""Was the PIN of a guess right, and what is released then.

A guess that was spent stays good for its proof, also when it was the last and the owner is locked since. It
is given back once, and its part goes to one recipient key. Why a claim is refused shows neither in the answer
nor in the work: an unknown owner's proof is held against the decoy's tag.
"""

from __future__ import annotations

from safe_node.decisions.guessing import give_back
from safe_node.owners import GuessState, KeptRecord, UnlockClaim, UnlockPlan
from threshold import hpke
from trust.ids import SafeId
from trust.owner_record import RELEASE_INFO, ReleasedPart, is_unlock_proof, release_label
from trust.owner_refusals import UnlockRefused


def plan_unlock(state: GuessState, claim: UnlockClaim, safe_id: SafeId, decoy_tag: bytes) -> UnlockPlan:
    """Release a record's part, and give the guess back unless it was given back before.

    Args:
        state: The owner, and the guess of that id.
        claim: What is to be believed.
        safe_id: This safe.
        decoy_tag: Secret: of the owner id, 32 bytes (decoy.py).

    Raises:
        UnlockRefused: Unknown owner, record or guess; a guess at another record; a proof that does not hold;
            a guess that was given back for another recipient key.
    """
    owner, known = state.owner, state.known
    record = None if owner is None else owner.record(claim.record_id)
    tag = decoy_tag if record is None else record.unlock_tag
    holds = is_unlock_proof(claim.proof, tag, safe_id, claim.guess_id, claim.recipient_key, claim.record_id)
    if not holds or owner is None or record is None or known is None:
        raise UnlockRefused
    if known.record_id != record.record_id or known.returned_to not in (None, claim.recipient_key):
        raise UnlockRefused
    return UnlockPlan(record, give_back(owner.ledger) if known.returned_to is None else None)


def seal_part(record: KeptRecord, claim: UnlockClaim, safe_id: SafeId) -> bytes:
    """The record's part (Secret) for the recipient alone; differs each time (threshold/hpke.py).

    Raises:
        InvalidPublicKey: The recipient key is not canonical, or of low order.
    """
    part = ReleasedPart(record.unlock_share, record.sealed).to_bytes()
    label = release_label(safe_id, claim.guess_id, claim.record_id)
    return hpke.seal(claim.recipient_key, part, RELEASE_INFO, label)
