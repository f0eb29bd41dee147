"""Deletion, and how it is undone: signed tombstones, revivals, and the safes' deletion receipts.

    Tombstone        one generation of one item is no more           signed by a wallet, or by the owner
    Revival          that very tombstone is no more                  signed by the owner
    OwnerTombstone   an owner, and all that their wallets have, is no more      signed by the owner
    DeletionReceipt  a safe erased, or will have erased by then      signed by the safe

A tombstone dominates: once a safe has seen it, that item's generation is given out no more, and no
registration of it, however late it arrives, is taken in again. The pieces of an owner's item may wait
some days until they are erased (docs/DESIGN.md, "Deletion"). A revival dominates the one tombstone it names,
whichever comes first; another tombstone deletes again. Nothing dominates an owner's tombstone.
"""

import hashlib

from trust.documents import Document, SigningKey, verify
from trust.errors import DocumentMalformed
from trust.ids import (
    Generation,
    Hash,
    HashField,
    ItemId,
    ItemIdField,
    OwnerId,
    OwnerIdField,
    OwnerKey,
    OwnerKeyField,
    SafeId,
    SafeIdField,
    Signature,
    UnixSeconds,
    WalletKeyField,
)


class Tombstone(Document, frozen=True):
    """One generation of one item is no more.

    Args:
        wallet_key: Who signed: a wallet, or the owner of the wallets that registered the item.
        item_id: The item.
        generation: Its generation.
        deleted_at: When, by the signer's clock.
    """

    title = "tombstone"

    wallet_key: WalletKeyField
    item_id: ItemIdField
    generation: Generation
    deleted_at: UnixSeconds


class Revival(Document, frozen=True):
    """The owner takes one tombstone back.

    Args:
        owner_key: Who signed.
        item_id: Of the tombstone.
        generation: Of the tombstone.
        tombstone_hash: SHA-256 of the tombstone's bytes.
        revived_at: When, by the signer's clock.
    """

    title = "revival"

    owner_key: OwnerKeyField
    item_id: ItemIdField
    generation: Generation
    tombstone_hash: HashField
    revived_at: UnixSeconds


class OwnerTombstone(Document, frozen=True):
    """An owner is no more, for good: neither record nor wallets nor anything that these registered.

    Args:
        owner_id: Whose name is free from now on.
        owner_key: Who signed, and what is never enrolled again.
        forgotten_at: When, by the signer's clock.
    """

    title = "owner tombstone"

    owner_id: OwnerIdField
    owner_key: OwnerKeyField
    forgotten_at: UnixSeconds


class DeletionReceipt(Document, frozen=True):
    """A safe's word that it erased what a tombstone names, and keeps the tombstone.

    Args:
        safe_id: The safe.
        tombstone_hash: SHA-256 of the bytes of the Tombstone, or of the OwnerTombstone.
        erased_at: By the safe's clock, when the pieces are gone; of an owner's item it may lie days ahead of
            the deletion. From the moment of the receipt on nothing of them is given out. A revival that the
            safe took before then makes the receipt void.
    """

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


def revive(
    tombstone: bytes, item_id: ItemId, generation: int, revived_at: int, owner: SigningKey
) -> tuple[bytes, Signature]:
    """A revival's exact bytes and the signature by the owner's key (Secret).

    Args:
        tombstone: Exact bytes of the one that is taken back.
        item_id: As it says.
        generation: As it says.
        revived_at: Unix seconds.
        owner: Secret.
    """
    revival = Revival(OwnerKey(owner.public), item_id, generation, hash_of(tombstone), revived_at)
    body = revival.to_bytes()
    return body, owner.sign(Revival.title, body)


def read_revival(body: bytes, signature: bytes) -> Revival:
    """Parse a revival and check the signature of the owner key it names.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: That key did not sign it.
    """
    revival = Revival.from_bytes(body)
    verify(Revival.title, revival.owner_key, body, signature)
    return revival


def forget_owner(owner_id: OwnerId, forgotten_at: int, owner: SigningKey) -> tuple[bytes, Signature]:
    """An owner's tombstone, exact bytes, and the signature by the owner's key (Secret)."""
    body = OwnerTombstone(owner_id, OwnerKey(owner.public), forgotten_at).to_bytes()
    return body, owner.sign(OwnerTombstone.title, body)


def read_owner_tombstone(body: bytes, signature: bytes) -> OwnerTombstone:
    """Parse an owner's tombstone and check the signature of the owner key it names.

    Raises:
        DocumentMalformed: It does not parse.
        SignatureInvalid: That key did not sign it.
    """
    tombstone = OwnerTombstone.from_bytes(body)
    verify(OwnerTombstone.title, tombstone.owner_key, body, signature)
    return tombstone


def sign_deletion(
    safe_id: SafeId, tombstone: bytes, erased_at: int, key: SigningKey
) -> tuple[bytes, Signature]:
    """A deletion receipt's exact bytes and the safe's signature.

    Args:
        safe_id: Who erases.
        tombstone: Exact bytes of a Tombstone or an OwnerTombstone.
        erased_at: Unix seconds; may lie ahead.
        key: Secret: the safe's.
    """
    body = DeletionReceipt(safe_id, hash_of(tombstone), erased_at).to_bytes()
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
    if receipt.safe_id != safe_id or receipt.tombstone_hash != hash_of(tombstone):
        raise DocumentMalformed(DeletionReceipt.title, "", "for another tombstone or safe")
    return receipt


def hash_of(tombstone: bytes) -> Hash:
    """What names a tombstone: SHA-256 of its exact bytes."""
    return Hash(hashlib.sha256(tombstone).digest())
