"""What a safe holds in its hands about deletions, between wire, decision and store.

Plain values, as in records.py: a tombstone as it came, the burial it leads to, the owner's word that takes
one back, and an owner who is forgotten. Nothing here is secret. Times are whole seconds since 1970-01-01 UTC,
by the safe's clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from trust.ids import Hash, ItemId, OwnerKey, WalletKey


@dataclass(frozen=True, slots=True)
class AdmittedTombstone:
    """A tombstone of which everything was checked that does not depend on what is stored.

    Args:
        signer: A wallet key, or an owner's.
        deliverer: Whose signature the call carries: the signer, or a wallet of the owner who signed.
        body: Exact bytes.
        signature: The signer's.
    """

    signer: WalletKey
    deliverer: WalletKey
    item_id: ItemId
    generation: int
    body: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Burial:
    """A tombstone that stands, with what the safe says about it.

    Args:
        signer: Who signed the tombstone.
        tombstone: Exact bytes.
        signature: The signer's.
        receipt: Exact bytes of the DeletionReceipt.
        receipt_signature: The safe's.
        erase_at: When the pieces are due to be erased; None when they are.
    """

    signer: WalletKey
    item_id: ItemId
    generation: int
    tombstone: bytes
    signature: bytes
    receipt: bytes
    receipt_signature: bytes
    erase_at: int | None = None


@dataclass(frozen=True, slots=True)
class StandingTombstone:
    """A tombstone that reaches an item, whichever wallet of the owner signed it.

    Args:
        hash: SHA-256 of its bytes.
        erase_at: As in Burial.
    """

    hash: Hash
    erase_at: int | None


@dataclass(frozen=True, slots=True)
class DeletionState:
    """What the store knows that decides on a tombstone.

    Args:
        account: The owner for whom the signer acts, or who it is; None for nobody's wallet.
        earlier: The burial of the same item under the same signer.
        standing: Every tombstone that reaches the item already.
        revived: The owner took this very tombstone back.
        used_bytes: What the signer keeps here.
        freed_bytes: What erasing gives back to the signer.
    """

    account: OwnerKey | None
    earlier: Burial | None
    standing: tuple[StandingTombstone, ...]
    revived: bool
    used_bytes: int
    freed_bytes: int


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What a tombstone comes to.

    Args:
        burial: Stands afterwards. Where it has no time to erase, what it reaches is erased with it.
        is_new: It is to be written.
    """

    burial: Burial
    is_new: bool


@dataclass(frozen=True, slots=True)
class AdmittedRevival:
    """An owner's word that takes a tombstone back, checked.

    Args:
        deliverer: Whose signature the call carries, and whose bytes it counts towards.
        revival: Exact bytes.
        signature: The owner's.
    """

    owner_key: OwnerKey
    deliverer: WalletKey
    item_id: ItemId
    generation: int
    tombstone_hash: Hash
    revival: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class UndeletionState:
    """What the store knows that decides on a revival.

    Args:
        known: The tombstone was taken back before.
        standing: Every tombstone that reaches the item.
        used_bytes: What the deliverer keeps here.
    """

    known: bool
    standing: tuple[StandingTombstone, ...]
    used_bytes: int


@dataclass(frozen=True, slots=True)
class AdmittedForgetting:
    """An owner's tombstone, checked; exact bytes and the owner's signature."""

    owner_key: OwnerKey
    tombstone: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Forgetting:
    """An owner's tombstone that stands, with the safe's receipt for it; exact bytes."""

    owner_key: OwnerKey
    tombstone: bytes
    signature: bytes
    receipt: bytes
    receipt_signature: bytes
