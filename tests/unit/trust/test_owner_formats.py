"""What is pinned of an owner's keys and proofs is what the page says, by other libraries."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from threshold import feldman, oprf
from threshold.ristretto import Point, Scalar

VECTORS = Path(__file__).parents[2] / "vectors" / "kura_documents.json"
PINNED: dict[str, Any] = json.loads(VECTORS.read_text())


def in_bytes(name: str) -> dict[str, bytes]:
    """A table of the file whose texts are all hexadecimal."""
    return {field: bytes.fromhex(text) for field, text in PINNED[name].items() if isinstance(text, str)}


def derived(key_material: bytes, info: bytes, length: int = 32, salt: bytes | None = None) -> bytes:
    """HKDF-SHA256 by another library."""
    return HKDF(SHA256(), length, salt, info).derive(key_material)


def test_the_pinned_secrets_of_an_owner_open_as_the_page_says() -> None:
    """Record key, sealed secrets and their hash."""
    pinned, record = in_bytes("unlock"), PINNED["documents"]["owner record"]["fields"]
    label = bytes.fromhex(record["owner_id"] + record["record_id"])
    key = derived(pinned["unlock_secret"] + pinned["oprf_output"], b"kura/v1/owner-record" + label)
    opened = AESGCM(key).decrypt(bytes(12), pinned["sealed_secrets"], label)
    assert opened.hex() == PINNED["documents"]["owner secrets"]["bytes"]
    assert sha256(pinned["sealed_secrets"]).hexdigest() == record["sealed_hash"]


def test_the_pinned_proof_of_a_pin_is_the_one_of_the_page() -> None:
    """Tag, proof and label."""
    pinned = in_bytes("unlock")
    safe_id, guess_id, recipient = pinned["safe_id"], pinned["guess_id"], pinned["recipient_public"]
    record_id = bytes.fromhex(PINNED["documents"]["owner record"]["fields"]["record_id"])
    assert derived(pinned["oprf_output"], b"kura/v1/unlock-tag" + safe_id + record_id) == pinned["unlock_tag"]
    proof = HMAC(pinned["unlock_tag"], SHA256())
    proof.update(b"kura/v1/unlock-proof" + safe_id + guess_id + recipient + record_id)
    proof.verify(pinned["unlock_proof"])
    assert safe_id + guess_id + record_id == pinned["release_label"]


def test_the_pinned_part_opens_as_the_page_says() -> None:
    """Plain HPKE, the info of the page, no aad."""
    pinned = in_bytes("unlock")
    recipient = HPKE.new(
        receiver_key=import_x25519_private_key(pinned["recipient_private"]),
        aead_id=HPKE.AEAD.AES256_GCM,
        enc=pinned["sealed_part"][:32],
        info=(21).to_bytes(8, "big") + b"kura/v1/released-part" + pinned["release_label"],
    )
    assert len(pinned["sealed_part"]) == 32 + 156 + 16
    opened = recipient.unseal(pinned["sealed_part"][32:])
    assert opened.hex() == PINNED["documents"]["released part"]["bytes"]
    part = PINNED["documents"]["released part"]["fields"]
    assert (part["unlock_share"], part["sealed"]) == (
        pinned["unlock_share"].hex(),
        pinned["sealed_secrets"].hex(),
    )


def test_the_pinned_evaluation_of_a_pin_is_that_of_the_whole_key() -> None:
    """And of any three of its shares; the one that is pinned lies on the record's commitments."""
    pinned, fields = in_bytes("unlock"), PINNED["documents"]["owner record"]["fields"]
    key = Scalar.from_bytes(pinned["oprf_key"])
    assert oprf.evaluate(key, pinned["stretched_pin"], oprf.Mode.VOPRF) == pinned["oprf_output"]
    for name, secret in (("oprf", pinned["oprf_key"]), ("unlock", pinned["unlock_secret"])):
        points = [Point.from_bytes(bytes.fromhex(text)) for text in fields[f"{name}_commitments"]]
        share = feldman.ScalarShare(1, Scalar.from_bytes(pinned[f"{name}_share"]))
        feldman.verify_share(share, points, fields["k"])
        feldman.verify_secret(Scalar.from_bytes(secret), points)


def test_the_pinned_binding_is_derived_as_the_page_says() -> None:
    """From the root to the keys of one item."""
    pinned, generation = in_bytes("binding"), (1).to_bytes(4, "big")
    item_id, secret, salt = pinned["item_id"], pinned["binding_secret"], pinned["salt"]
    assert derived(pinned["root"], b"kura/v1/binding-secret") == secret
    assert derived(secret, b"kura/v1/binding-id", 16) == pinned["binding_id"]
    assert derived(secret, b"kura/v1/item-binding" + item_id) == pinned["item_binding"]
    assert derived(secret, b"kura/v1/digest-secret") == pinned["digest_secret"]
    info = b"kura/v1/item-key" + item_id + b"\x05value" + generation
    assert derived(pinned["batch_secret"] + pinned["item_binding"], info, salt=salt) == pinned["item_key"]
    info = b"kura/v1/item-key" + item_id + b"\x06digest" + generation
    assert derived(pinned["digest_secret"], info, salt=salt) == pinned["digest_key"]
    assert PINNED["documents"]["ownership"]["fields"]["binding_id"] == pinned["binding_id"].hex()
