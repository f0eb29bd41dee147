"""A part goes out for a proof that the PIN of a spent guess was right, to one recipient, and else nothing."""

from dataclasses import replace

import pytest

from safe_node.decisions.unlocking import plan_unlock, seal_part
from safe_node.guesses import GuessState, KnownGuess, UnlockClaim, UnlockPlan
from safe_node.owners import KeptOwner, Ledger
from support.owners import WRONG_PIN, deal_owner, guess_at, output_of
from support.safe_requests import roster_of
from support.sample_documents import draw
from threshold.errors import SealBroken
from threshold.hpke import KeyPair
from trust.ids import GuessId, RecordId, SafeId
from trust.owner_record import ReleasedPart
from trust.owner_refusals import UnlockRefused
from trust.unlock_proof import unlock_proof

T = 1_790_000_000_000
ROSTER = roster_of(2)
SAFE_ID, ELSEWHERE = (safe.safe_id for safe in ROSTER.safes)
DEALT = deal_owner(ROSTER)
STAGED = deal_owner(ROSTER, version="staged")
PART = DEALT.admitted(SAFE_ID, ROSTER)
RECORD = PART.record
KEPT = RECORD.parts[0]
STAGED_RECORD = STAGED.admitted(SAFE_ID, ROSTER).record
OWNER = KeptOwner(PART.owner_id, PART.owner_key, Ledger(3, T), RECORD, STAGED_RECORD)
GUESS = guess_at(DEALT.record)
OUTPUT = output_of(DEALT, ROSTER)
CLAIM = GUESS.claim(SAFE_ID, OUTPUT)
KNOWN = KnownGuess(RECORD.record_id, GUESS.blinded.element.to_bytes())
RETURNED = replace(KNOWN, returned_to=CLAIM.recipient_key)
DECOY_TAG = draw("decoy tag", 32)
OTHER_KEY = KeyPair(draw("other recipient", 32)).public


def proven(claim: UnlockClaim, tag: bytes) -> UnlockClaim:
    """The claim with the proof that this tag makes of it."""
    proof = unlock_proof(tag, SAFE_ID, claim.guess_id, claim.recipient_key, claim.record_id)
    return replace(claim, proof=proof)


def plan(owner: KeptOwner | None, known: KnownGuess | None, claim: UnlockClaim = CLAIM) -> UnlockPlan:
    return plan_unlock(GuessState(owner, known), claim, SAFE_ID, DECOY_TAG, T)


def test_the_right_pin_gets_the_part_and_gives_the_guess_back() -> None:
    assert plan(OWNER, KNOWN) == UnlockPlan(KEPT, Ledger(2, T))


def test_the_same_claim_again_gets_the_part_again_and_gives_back_nothing() -> None:
    """The answer may have been lost."""
    assert plan(OWNER, RETURNED) == UnlockPlan(KEPT, None)


def test_the_last_guess_may_be_the_right_one() -> None:
    """It was spent before the owner was locked."""
    assert plan(replace(OWNER, ledger=Ledger(10, T)), KNOWN) == UnlockPlan(KEPT, Ledger(9, T))


def test_a_staged_record_can_be_tried_before_it_is_in_force() -> None:
    guess = guess_at(STAGED.record)
    claim = guess.claim(SAFE_ID, output_of(STAGED, ROSTER))
    known = KnownGuess(STAGED_RECORD.record_id, guess.blinded.element.to_bytes())
    assert plan(OWNER, known, claim) == UnlockPlan(STAGED_RECORD.parts[0], Ledger(2, T))


NO_RECORD, NO_GUESS = RecordId(b"n" * 16), GuessId(b"n" * 16)
REFUSED = {
    "nobody": (None, None, CLAIM),
    "nobody, although the proof is right under the decoy's tag": (None, None, proven(CLAIM, DECOY_TAG)),
    "no guess of that id": (OWNER, None, CLAIM),
    "a wrong PIN": (OWNER, KNOWN, GUESS.claim(SAFE_ID, output_of(DEALT, ROSTER, WRONG_PIN))),
    "no proof": (OWNER, KNOWN, replace(CLAIM, proof=bytes(32))),
    "a proof made for another safe": (OWNER, KNOWN, GUESS.claim(ELSEWHERE, OUTPUT)),
    "a proof made for another guess": (
        OWNER,
        KNOWN,
        replace(proven(replace(CLAIM, guess_id=NO_GUESS), KEPT.unlock_tag), guess_id=CLAIM.guess_id),
    ),
    "a proof made for another recipient": (OWNER, KNOWN, replace(CLAIM, recipient_key=OTHER_KEY)),
    "a guess at another record": (
        OWNER,
        replace(KNOWN, record_id=STAGED_RECORD.record_id),
        CLAIM,
    ),
    "a guess at this record, claimed for another": (
        OWNER,
        KNOWN,
        proven(replace(CLAIM, record_id=STAGED_RECORD.record_id), STAGED_RECORD.parts[0].unlock_tag),
    ),
    "a record that was dropped": (
        OWNER,
        replace(KNOWN, record_id=NO_RECORD),
        proven(replace(CLAIM, record_id=NO_RECORD), KEPT.unlock_tag),
    ),
    "a second recipient, although the proof is right": (
        OWNER,
        RETURNED,
        proven(replace(CLAIM, recipient_key=OTHER_KEY), KEPT.unlock_tag),
    ),
}


@pytest.mark.parametrize(("owner", "known", "claim"), REFUSED.values(), ids=REFUSED)
def test_nothing_is_released_for(owner: object, known: object, claim: UnlockClaim) -> None:
    """One refusal for all, without a field."""
    with pytest.raises(UnlockRefused) as refused:
        plan(owner, known, claim)  # type: ignore[arg-type]
    assert vars(refused.value) == {}


def test_the_part_is_for_the_recipient_alone() -> None:
    """This safe's share of r and the sealed secrets, bound to safe, guess and record."""
    sealed = seal_part(KEPT, CLAIM, SAFE_ID)
    assert GUESS.part(SAFE_ID, sealed) == ReleasedPart(KEPT.unlock_share, KEPT.sealed)
    with pytest.raises(SealBroken):
        replace(GUESS, recipient=KeyPair(draw("other recipient", 32))).part(SAFE_ID, sealed)
    with pytest.raises(SealBroken):
        replace(GUESS, guess_id=NO_GUESS).part(SAFE_ID, sealed)
    with pytest.raises(SealBroken):
        GUESS.part(SafeId(b"e" * 16), sealed)


def test_no_two_seals_are_equal_and_all_are_as_long() -> None:
    first, second = (seal_part(KEPT, CLAIM, SAFE_ID) for _ in range(2))
    assert first != second
    assert len(first) == len(second) == len(seal_part(STAGED_RECORD.parts[0], CLAIM, SAFE_ID))
