"""One signature of a device serves one guess, and the challenges that it was made for."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from msgspec.structs import replace as changed

from support.sample_access import (
    CHALLENGES,
    DEVICE_PROOF,
    LOGIN,
    LOGIN_HASH,
    SIGNED_CHALLENGES,
    TOUCH,
    TOUCH_KEY,
    WRAPPING,
)
from support.sample_documents import GENESIS, SAFE_KEYS, draw, sealing_pair
from support.sample_owner import OWNER_ID, RECIPIENT, RECORD_ID
from threshold.errors import SealBroken
from trust.device_proof import (
    WRAP_BYTES,
    SignedChallenge,
    challenge_hash,
    read_challenge,
    relying_party,
    secret_salt,
    sign_challenge,
    unwrap_device_secret,
    wrap_device_secret,
)
from trust.documents import DocumentProblem
from trust.errors import DeviceProofInvalid, DocumentMalformed, SignatureInvalid
from trust.webauthn import EDDSA, ES256, Touch, check_login

LABEL = OWNER_ID + RECORD_ID
SECRET = draw("device secret", 32)
PARTY = relying_party(GENESIS.fingerprint)
ALGORITHMS = frozenset({ES256, EDDSA})


def test_a_challenge_is_its_safes_alone() -> None:
    signed = sign_challenge(CHALLENGES[0], SAFE_KEYS[0])
    assert read_challenge(signed, SAFE_KEYS[0].public) == CHALLENGES[0]
    with pytest.raises(SignatureInvalid):
        read_challenge(signed, SAFE_KEYS[1].public)
    nonsense = SignedChallenge(b"\xc1", SAFE_KEYS[0].sign("safe challenge", b"\xc1"))
    with pytest.raises(DocumentMalformed):
        read_challenge(nonsense, SAFE_KEYS[0].public)


def test_what_is_signed_names_the_guess_and_every_challenge() -> None:
    """As docs/FORMATS.md has it."""
    hashes = b"".join(sha256(one.challenge).digest() for one in SIGNED_CHALLENGES)
    way = sha256(b"kura/v1/way" + OWNER_ID + b"device pin").digest()
    guess = way + RECORD_ID + LOGIN.guess_id + LOGIN.element + RECIPIENT.public
    assert sha256(b"kura/v1/device-login" + guess + hashes).digest() == LOGIN_HASH
    changes: tuple[dict[str, Any], ...] = (
        {"owner_id": draw("other", 32)},
        {"way": ("device",)},
        {"record_id": draw("other", 16)},
        {"guess_id": draw("other", 16)},
        {"element": draw("other", 32)},
        {"recipient_key": draw("other", 32)},
    )
    others = {challenge_hash(SIGNED_CHALLENGES, replace(LOGIN, **change)) for change in changes}
    others.add(challenge_hash(SIGNED_CHALLENGES[1:], LOGIN))
    assert LOGIN_HASH not in others
    assert len(others) == len(changes) + 1


@pytest.mark.parametrize(
    "challenges",
    [SIGNED_CHALLENGES[::-1], SIGNED_CHALLENGES[:1] * 2],
    ids=["in another order", "one of them twice"],
)
def test_challenges_are_listed_in_one_way(challenges: tuple[SignedChallenge, ...]) -> None:
    with pytest.raises(DocumentProblem, match="ascending"):
        changed(DEVICE_PROOF, challenges=challenges)


def test_the_sample_proof_holds() -> None:
    """By the library that authorities use too."""
    touch = check_login(TOUCH.credential, DEVICE_PROOF, LOGIN_HASH, PARTY, ALGORITHMS)
    assert touch == Touch(counter=7, verified=False)
    data, client = DEVICE_PROOF.authenticator_data, sha256(DEVICE_PROOF.client_data).digest()
    TOUCH_KEY.public_key().verify(DEVICE_PROOF.signature, data + client)


def test_a_proof_holds_for_nothing_else() -> None:
    """Another hash, party, algorithm or credential; and whatever a stranger sends for a document."""
    for credential, proof, signed, party, algorithms in (
        (TOUCH.credential, DEVICE_PROOF, draw("other", 32), PARTY, ALGORITHMS),
        (TOUCH.credential, DEVICE_PROOF, LOGIN_HASH, "kura-other", ALGORITHMS),
        (TOUCH.credential, DEVICE_PROOF, LOGIN_HASH, PARTY, frozenset({ES256})),
        (bytes(18), DEVICE_PROOF, LOGIN_HASH, PARTY, ALGORITHMS),
        (TOUCH.credential, changed(DEVICE_PROOF, client_data=b"{"), LOGIN_HASH, PARTY, ALGORITHMS),
        (
            TOUCH.credential,
            changed(DEVICE_PROOF, authenticator_data=b""),
            LOGIN_HASH,
            PARTY,
            ALGORITHMS,
        ),
        (TOUCH.credential, changed(DEVICE_PROOF, signature=b""), LOGIN_HASH, PARTY, ALGORITHMS),
    ):
        with pytest.raises(DeviceProofInvalid):
            check_login(credential, proof, signed, party, algorithms)


def test_each_device_reads_the_secret_from_its_own_wrap() -> None:
    wraps = b"".join(
        wrap_device_secret(pair.public, SECRET, name, LABEL)
        for pair, name in ((sealing_pair("another"), b"another"), (WRAPPING, TOUCH.credential_id))
    )
    assert len(wraps) == 2 * WRAP_BYTES == 224
    assert unwrap_device_secret(WRAPPING, wraps, TOUCH.credential_id, LABEL) == SECRET


def test_a_wrap_opens_for_no_other_device_owner_or_record() -> None:
    wrap = wrap_device_secret(WRAPPING.public, SECRET, TOUCH.credential_id, LABEL)
    for pair, wraps, name, label in (
        (sealing_pair("another"), wrap, TOUCH.credential_id, LABEL),
        (WRAPPING, wrap, b"another", LABEL),
        (WRAPPING, wrap, TOUCH.credential_id, LABEL[:-1] + b"\0"),
        (WRAPPING, wrap[:-1] + bytes([wrap[-1] ^ 1]), TOUCH.credential_id, LABEL),
        (WRAPPING, b"", TOUCH.credential_id, LABEL),
    ):
        with pytest.raises(SealBroken):
            unwrap_device_secret(pair, wraps, name, label)


def test_the_salt_is_the_owners() -> None:
    assert secret_salt(OWNER_ID) == sha256(b"kura/v1/device-secret" + OWNER_ID).digest()
