"""How a wallet proves that a request is its own.

The proof covers method, safe, body, time and nonce, so a request cannot be changed, replayed, or
shown to another safe. It travels as call metadata `kura-request-bin`.
"""

import hashlib
from typing import Annotated

from msgspec import Meta

from trust.documents import Document, SigningKey, verify
from trust.ids import Bytes16, Hash, HashField, SafeId, SafeIdField, SignatureField, WalletKey, WalletKeyField

METADATA_KEY = "kura-request-bin"
FRESH_MS = 300_000
"""How far a request's time may be from the safe's clock, either way: five minutes."""


class SignedRequest(Document, frozen=True):
    """What the signature covers; both sides build it, it never travels."""

    title = "request"

    method: str
    safe_id: SafeIdField
    body_hash: HashField
    issued_at_ms: int
    nonce: Bytes16


class RequestProof(Document, frozen=True):
    """What travels.

    Args:
        wallet_key: Who asks.
        issued_at_ms: When, milliseconds since 1970-01-01 UTC, by the wallet's clock.
        nonce: 16 fresh random bytes.
        signature: The wallet's, over the SignedRequest.
    """

    title = "request proof"

    wallet_key: WalletKeyField
    issued_at_ms: Annotated[int, Meta(ge=0, le=2**53)]
    nonce: Bytes16
    signature: SignatureField


def prove_request(
    key: SigningKey, method: str, safe_id: SafeId, body: bytes, issued_at_ms: int, nonce: bytes
) -> RequestProof:
    """Sign a request whose exact message bytes are `body`; `method` is the full gRPC path."""
    signature = key.sign(SignedRequest.title, _signed(method, safe_id, body, issued_at_ms, nonce))
    return RequestProof(WalletKey(key.public), issued_at_ms, nonce, signature)


def verify_request(proof: RequestProof, method: str, safe_id: SafeId, body: bytes) -> None:
    """Check the signature; freshness and replay are the safe's to judge.

    Raises:
        SignatureInvalid: It was made for another method, safe, body or time, or by another key.
    """
    signed = _signed(method, safe_id, body, proof.issued_at_ms, proof.nonce)
    verify(SignedRequest.title, proof.wallet_key, signed, proof.signature)


def _signed(method: str, safe_id: SafeId, body: bytes, issued_at_ms: int, nonce: bytes) -> bytes:
    body_hash = Hash(hashlib.sha256(body).digest())
    return SignedRequest(method, safe_id, body_hash, issued_at_ms, nonce).to_bytes()
