"""What the wallet keeps of an owner's end, who still owes a receipt for it, and what does not hold."""

import pytest
from msgspec import structs

from support.memory_safes import roster_of, safe_key
from support.sample_documents import NOW
from support.sample_owner import FORGETTING, FORGETTING_BYTES, FORGETTING_SIGNATURE
from trust.errors import DocumentMalformed, RosterRefused, SignatureInvalid
from trust.ids import SafeId, Signature
from trust.tombstone import sign_deletion
from wallet_client.receipts.forgetting import Forgetting, verify_forgetting

ROSTER = roster_of(3, 2)
SAFES = [safe.safe_id for safe in ROSTER.safes]
KEYS = {safe.safe_id: (safe.signing_key,) for safe in ROSTER.safes}
DECIDED = Forgetting.decided("anna", FORGETTING_BYTES, FORGETTING_SIGNATURE, SAFES)


def word_of(
    number: int, about: bytes = FORGETTING_BYTES, signer: int | None = None
) -> tuple[bytes, Signature]:
    """What safe 1, 2, ... says when it erased everything."""
    return sign_deletion(SAFES[number - 1], about, NOW + number, safe_key(signer or number))


def test_what_is_owed_shrinks_with_every_receipt() -> None:
    """Safe by safe; it survives its encoding, byte for byte."""
    assert (DECIDED.owed_to, DECIDED.erased_at) == (tuple(SAFES), {})
    one = DECIDED.with_receipt(SAFES[1], word_of(2))
    assert (one.owed_to, one.erased_at) == ((SAFES[0], SAFES[2]), {SAFES[1]: NOW + 2})
    assert one.forgotten_at == FORGETTING.forgotten_at
    assert Forgetting.from_bytes(one.to_bytes()) == one
    with pytest.raises(DocumentMalformed):
        Forgetting.from_bytes(one.to_bytes()[:-1])


def test_what_holds_has_no_problems() -> None:
    """Under the key of now, or one that the safe had."""
    whole = DECIDED.with_receipt(SAFES[0], word_of(1)).with_receipt(SAFES[1], word_of(2))
    assert list(verify_forgetting(whole, KEYS)) == []
    older = {**KEYS, SAFES[0]: (safe_key(3).public, safe_key(1).public)}
    assert list(verify_forgetting(whole, older)) == []


def test_an_owners_word_that_is_not_theirs_is_named() -> None:
    """As nobody's receipt."""
    forged = structs.replace(DECIDED, signature=Signature(bytes(64)))
    (problem,) = verify_forgetting(forged, KEYS)
    assert (problem.name, problem.safe_id, type(problem.error)) == ("anna", None, SignatureInvalid)


@pytest.mark.parametrize(
    ("receipt", "error"),
    [
        (word_of(1, signer=2), SignatureInvalid),
        (word_of(2, signer=1), DocumentMalformed),
        (word_of(1, about=b"another"), DocumentMalformed),
    ],
    ids=["another key", "another safe", "another tombstone"],
)
def test_a_receipt_that_does_not_hold_is_named(receipt: tuple[bytes, Signature], error: type) -> None:
    """By the safe whose it should be."""
    (problem,) = verify_forgetting(DECIDED.with_receipt(SAFES[0], receipt), KEYS)
    assert (problem.safe_id, type(problem.error)) == (SAFES[0], error)


def test_a_safe_that_the_roster_never_had_proves_nothing() -> None:
    """Whatever it signed with."""
    stranger = SafeId(bytes(16))
    forgetting = Forgetting.decided("anna", FORGETTING_BYTES, FORGETTING_SIGNATURE, [stranger])
    signed = sign_deletion(stranger, FORGETTING_BYTES, NOW, safe_key(1))
    (problem,) = verify_forgetting(forgetting.with_receipt(stranger, signed), KEYS)
    assert isinstance(problem.error, RosterRefused)
