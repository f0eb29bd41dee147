"""A deletion: the tombstones of one message, and each safe's signed word that it erased what they name.

The wallet keeps it from the moment the deletion is decided. What a safe has not confirmed it is still
owed; what it has can be verified at any time without contacting anyone. Nothing of the value stands in it,
neither class nor name: what was deleted is not to be read of for ever. It stays for good, and takes less
than 1 KiB for an item at five safes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from msgspec import Meta, structs

from trust.documents import Document
from trust.errors import RosterRefused, TrustError
from trust.ids import ItemId, SafeId, SafeIdField, Signature, SignatureField
from trust.roster import Roster
from trust.tombstone import DeletionReceipt, Tombstone, read_deletion, read_tombstone
from wallet_client.receipts.receipt import ReceiptId, receipt_id_of


class DeletedItem(Document, frozen=True):
    """One generation of an item that is no more.

    Args:
        tombstone: Exact bytes.
        signature: This wallet's.
        policy_name: The policy under which it was registered.
    """

    tombstone: bytes
    signature: SignatureField
    policy_name: str

    def read(self) -> Tombstone:
        """The tombstone, its signature unchecked."""
        return Tombstone.from_bytes(self.tombstone)


class SafeErasures(Document, frozen=True):
    """What one safe has said so far.

    Args:
        safe_id: The safe.
        receipts: For each item of the deletion, in its order, the deletion receipt's exact bytes and the
            safe's signature; None while it is owed.
    """

    safe_id: SafeIdField
    receipts: tuple[tuple[bytes, SignatureField] | None, ...]


class Deletion(Document, frozen=True):
    """Generations of items that are deleted together.

    Args:
        items: At least one.
        safes: All that may keep a piece of them.
    """

    title = "deletion"

    items: Annotated[tuple[DeletedItem, ...], Meta(min_length=1)]
    safes: tuple[SafeErasures, ...]

    def __post_init__(self) -> None:
        """Refuse receipts that cannot be told apart."""
        if any(len(safe.receipts) != len(self.items) for safe in self.safes):
            raise self.malformed("safes", "not one receipt or none for each item")

    @classmethod
    def decided(cls, items: tuple[DeletedItem, ...], safe_ids: Sequence[SafeId]) -> "Deletion":
        """A deletion that no safe has heard of."""
        return cls(items, tuple(SafeErasures(safe_id, (None,) * len(items)) for safe_id in safe_ids))

    @property
    def receipts_kept(self) -> int:
        """How many deletion receipts there are, of all items and safes together."""
        return sum(receipt is not None for safe in self.safes for receipt in safe.receipts)

    def owed_to(self, safe_id: SafeId) -> tuple[int, ...]:
        """Positions of the items that this safe has not confirmed."""
        receipts = next(safe.receipts for safe in self.safes if safe.safe_id == safe_id)
        return tuple(position for position, receipt in enumerate(receipts) if receipt is None)

    def with_receipts(self, safe_id: SafeId, received: Mapping[int, tuple[bytes, Signature]]) -> "Deletion":
        """The deletion after a safe gave receipts, by the items' positions."""
        safes = tuple(_added(safe, received) if safe.safe_id == safe_id else safe for safe in self.safes)
        return structs.replace(self, safes=safes)


def _added(safe: SafeErasures, received: Mapping[int, tuple[bytes, Signature]]) -> SafeErasures:
    receipts = tuple(received.get(position, known) for position, known in enumerate(safe.receipts))
    return structs.replace(safe, receipts=receipts)


@dataclass(frozen=True, slots=True)
class DeletedGeneration:
    """One deleted generation as lists show it.

    Args:
        receipt_id: The receipt that its item had.
        item_id: The item.
        generation: Its generation.
        policy_name: The policy under which it was registered.
        deleted_at: When the wallet decided it, Unix seconds.
        erased_at: When, by its own clock in Unix seconds, each safe that confirmed erased it.
        owed_to: The safes that have not confirmed.
    """

    receipt_id: ReceiptId
    item_id: ItemId
    generation: int
    policy_name: str
    deleted_at: int
    erased_at: Mapping[SafeId, int]
    owed_to: tuple[SafeId, ...]


def generations_of(deletion: Deletion) -> Iterator[DeletedGeneration]:
    """What was deleted, one generation of one item after the other."""
    for position, item in enumerate(deletion.items):
        tombstone = item.read()
        given = {safe.safe_id: safe.receipts[position] for safe in deletion.safes}
        yield DeletedGeneration(
            receipt_id=receipt_id_of(tombstone.item_id),
            item_id=tombstone.item_id,
            generation=tombstone.generation,
            policy_name=item.policy_name,
            deleted_at=tombstone.deleted_at,
            erased_at={
                safe_id: DeletionReceipt.from_bytes(receipt[0]).erased_at
                for safe_id, receipt in given.items()
                if receipt is not None
            },
            owed_to=tuple(safe_id for safe_id, receipt in given.items() if receipt is None),
        )


class DeletionProblem(NamedTuple):
    """Something in a deletion that does not hold.

    Args:
        receipt_id: The receipt that the item had.
        safe_id: Whose deletion receipt it is; None where it is the wallet's own tombstone.
        error: What is wrong.
    """

    receipt_id: ReceiptId
    safe_id: SafeId | None
    error: TrustError


def verify_deletion(deletion: Deletion, keys: Mapping[SafeId, Sequence[bytes]]) -> Iterator[DeletionProblem]:
    """Check everything that can be checked offline; gives what does not hold.

    Args:
        keys: Every key with which a safe has signed. A receipt is not renewed when a safe changes its key
            or leaves the roster, so it may hold under any of them.
    """
    for position, item in enumerate(deletion.items):
        receipt_id = receipt_id_of(item.read().item_id)
        try:
            read_tombstone(item.tombstone, item.signature)
        except TrustError as error:
            yield DeletionProblem(receipt_id, None, error)
        for safe in deletion.safes:
            signed = safe.receipts[position]
            problem = _problem(signed, item, safe.safe_id, keys.get(safe.safe_id, ())) if signed else None
            if problem is not None:
                yield DeletionProblem(receipt_id, safe.safe_id, problem)


def _problem(
    signed: tuple[bytes, Signature], item: DeletedItem, safe_id: SafeId, keys: Sequence[bytes]
) -> TrustError | None:
    problem: TrustError = RosterRefused(Roster.title, f"it never had a safe {safe_id.hex()}")
    for key in keys:
        try:
            read_deletion(*signed, safe_id, key, item.tombstone)
        except TrustError as error:
            problem = error
        else:
            return None
    return problem
