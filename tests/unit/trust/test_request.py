"""A request's proof holds for one method, one safe, one body, one time, one nonce and one key."""

from typing import Any

import msgspec
import pytest

from support.sample_documents import METHOD, NONCE, NOW, PROOF, REQUEST_BODY, SAFE_IDS, draw, key
from trust.errors import SignatureInvalid
from trust.ids import SafeId, Signature, WalletKey
from trust.request import RequestProof, SignedRequest, prove_request, verify_request


def test_a_proof_holds_for_its_request() -> None:
    """Also after it has travelled."""
    verify_request(RequestProof.from_bytes(PROOF.to_bytes()), METHOD, SAFE_IDS[0], REQUEST_BODY)


@pytest.mark.parametrize(
    ("method", "safe_id", "body"),
    [
        ("/kura.safe.v1.SafeService/Delete", SAFE_IDS[0], REQUEST_BODY),
        (METHOD.lower(), SAFE_IDS[0], REQUEST_BODY),
        ("", SAFE_IDS[0], REQUEST_BODY),
        (METHOD, SAFE_IDS[1], REQUEST_BODY),
        (METHOD, SafeId(bytes(16)), REQUEST_BODY),
        (METHOD, SAFE_IDS[0], REQUEST_BODY + b"\x00"),
        (METHOD, SAFE_IDS[0], b""),
    ],
    ids=["method", "case-of-method", "no-method", "safe", "zero-safe", "body", "no-body"],
)
def test_a_proof_holds_for_no_other_request(method: str, safe_id: SafeId, body: bytes) -> None:
    """What the safe knows of the call is bound."""
    with pytest.raises(SignatureInvalid):
        verify_request(PROOF, method, safe_id, body)


@pytest.mark.parametrize(
    "fields",
    [
        {"issued_at_ms": NOW * 1_000 + 1},
        {"issued_at_ms": 0},
        {"nonce": draw("other nonce", 16)},
        {"nonce": bytes(16)},
        {"wallet_key": WalletKey(key("stranger").public)},
        {"signature": Signature(bytes(64))},
        {"signature": Signature(PROOF.signature[:63])},
    ],
    ids=["time", "no-time", "nonce", "zero-nonce", "wallet", "signature", "signature-cut"],
)
def test_a_proof_with_anything_changed_is_refused(fields: dict[str, Any]) -> None:
    """What travels in it is bound too, so time and nonce cannot be made fresh by another."""
    with pytest.raises(SignatureInvalid):
        verify_request(msgspec.structs.replace(PROOF, **fields), METHOD, SAFE_IDS[0], REQUEST_BODY)


def test_every_field_is_bound() -> None:
    """A field added later must be added above too."""
    assert SignedRequest.__struct_fields__ == ("method", "safe_id", "body_hash", "issued_at_ms", "nonce")
    assert RequestProof.__struct_fields__ == ("wallet_key", "issued_at_ms", "nonce", "signature")


def test_the_same_request_at_the_same_time_has_another_signature_under_another_nonce() -> None:
    """So two honest calls are never taken for a replay."""
    again = prove_request(key("wallet"), METHOD, SAFE_IDS[0], REQUEST_BODY, NOW * 1_000, draw("n", 16))
    assert again.signature != PROOF.signature
    assert prove_request(key("wallet"), METHOD, SAFE_IDS[0], REQUEST_BODY, NOW * 1_000, NONCE) == PROOF
