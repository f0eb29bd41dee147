"""Deletion: a wallet's signed tombstone and a safe's signed deletion receipt.

A tombstone dominates: once a safe has seen it, no registration of that item's generation, however
late it arrives, is taken in again.
"""

import hashlib

from trust.documents import Document, SigningKey, verify
from trust.errors import DocumentMalformed
from trust.ids import (
    Generation,
    Hash,
    HashField,
    ItemIdField,
    SafeId,
    SafeIdField,
    Signature,
    UnixSeconds,
    WalletKeyField,
)


class Tombstone(Document, frozen=True):
    """One generation of one item is no more."""

    title = "tombstone"

    wallet_key: WalletKeyField
    item_id: ItemIdField
    generation: Generation
    deleted_at: UnixSeconds


class DeletionReceipt(Document, frozen=True):
    """A safe's word that it erased, and keeps the tombstone whose SHA-256 is named."""

    title = "deletion receipt"

    safe_id: SafeIdField
    tombstone_hash: HashField
    erased_at: UnixSeconds


def sign_tombstone(tombstone: Tombstone, key: SigningKey) -> tuple[bytes, Signature]:
    """The tombstone's exact bytes and their signature."""
    body = tombstone.to_bytes()
    return body, key.sign(Tombstone.title, body)


def read_tombstone(body: bytes, signature: bytes) -> Tombstone:
    """Parse a tombstone and check the signature of the wallet key it names.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: The wallet did not sign it.
    """
    tombstone = Tombstone.from_bytes(body)
    verify(Tombstone.title, tombstone.wallet_key, body, signature)
    return tombstone


def sign_deletion(
    safe_id: SafeId, tombstone: bytes, erased_at: int, key: SigningKey
) -> tuple[bytes, Signature]:
    """A deletion receipt's exact bytes and the safe's signature."""
    body = DeletionReceipt(safe_id, _hash(tombstone), erased_at).to_bytes()
    return body, key.sign(DeletionReceipt.title, body)


def read_deletion(
    body: bytes, signature: bytes, safe_id: SafeId, safe_key: bytes, tombstone: bytes
) -> DeletionReceipt:
    """Parse a deletion receipt and check that this safe gave it for this tombstone.

    Raises:
        DocumentMalformed: It does not parse, or is for another tombstone or safe.
        SignatureInvalid: The safe did not sign it.
    """
    receipt = DeletionReceipt.from_bytes(body)
    verify(DeletionReceipt.title, safe_key, body, signature)
    if receipt.safe_id != safe_id or receipt.tombstone_hash != _hash(tombstone):
        raise DocumentMalformed(DeletionReceipt.title, "", "for another tombstone or safe")
    return receipt


def _hash(tombstone: bytes) -> Hash:
    return Hash(hashlib.sha256(tombstone).digest())
