"""A deletion: the tombstones of one message, and each safe's signed word that it erased what they name.

The wallet keeps it from the moment the deletion is decided. What a safe has not confirmed it is still
owed, unless the owner took it back; what it has can be verified at any time without contacting anyone. Of an
owner's item the safe's word may be for a day to come. Nothing of the value stands in it,
neither class nor name: what was deleted is not to be read of for ever. It stays for good, and takes less
than 1 KiB for an item at five safes.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from msgspec import Meta, structs

from trust.documents import Document
from trust.errors import TrustError
from trust.ids import ItemId, SafeId, SafeIdField, Signature, SignatureField
from trust.tombstone import DeletionReceipt, Tombstone, read_tombstone
from wallet_client.receipts.forgetting import receipt_problem
from wallet_client.receipts.receipt import ReceiptId, receipt_id_of


class DeletedItem(Document, frozen=True):
    """One generation of an item that is no more.

    Args:
        tombstone: Exact bytes.
        signature: This wallet's, or its owner's.
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
        undone: Positions of the items that it keeps after all, since the owner took their tombstones back.
    """

    safe_id: SafeIdField
    receipts: tuple[tuple[bytes, SignatureField] | None, ...]
    undone: tuple[int, ...] = ()


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
    def signer(self) -> bytes:
        """Whose tombstones they are: this wallet's key, or its owner's."""
        return self.items[0].read().wallet_key

    @property
    def receipts_kept(self) -> int:
        """How many deletion receipts there are, of all items and safes together."""
        return sum(receipt is not None for safe in self.safes for receipt in safe.receipts)

    def owed_to(self, safe_id: SafeId) -> tuple[int, ...]:
        """Positions of the items that this safe has not confirmed."""
        safe = next(safe for safe in self.safes if safe.safe_id == safe_id)
        missing = (position for position, receipt in enumerate(safe.receipts) if receipt is None)
        return tuple(position for position in missing if position not in safe.undone)

    def with_receipts(self, safe_id: SafeId, received: Mapping[int, tuple[bytes, Signature]]) -> "Deletion":
        """The deletion after a safe gave receipts, by the items' positions."""
        safes = tuple(_added(safe, received) if safe.safe_id == safe_id else safe for safe in self.safes)
        return structs.replace(self, safes=safes)

    def with_undone(self, safe_ids: Collection[SafeId], positions: Collection[int]) -> "Deletion":
        """The deletion after the owner took items' tombstones back, and these safes keep them."""
        return self._with_changed(safe_ids, lambda undone: undone | set(positions))

    def without_undone(self, safe_ids: Collection[SafeId], positions: Collection[int]) -> "Deletion":
        """The deletion after these safes said that they had erased the items before."""
        return self._with_changed(safe_ids, lambda undone: undone - set(positions))

    def _with_changed(
        self, safe_ids: Collection[SafeId], change: Callable[[set[int]], set[int]]
    ) -> "Deletion":
        safes = tuple(
            structs.replace(safe, undone=tuple(sorted(change(set(safe.undone)))))
            if safe.safe_id in safe_ids
            else safe
            for safe in self.safes
        )
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
        erased_at: When, by its own clock in Unix seconds, each safe that confirmed erased it, or will.
        owed_to: The safes that have not confirmed.
        undone_at: The safes that keep it after all, since the owner took the tombstone back.
    """

    receipt_id: ReceiptId
    item_id: ItemId
    generation: int
    policy_name: str
    deleted_at: int
    erased_at: Mapping[SafeId, int]
    owed_to: tuple[SafeId, ...]
    undone_at: tuple[SafeId, ...] = ()


def generations_of(deletion: Deletion) -> Iterator[DeletedGeneration]:
    """What was deleted, one generation of one item after the other."""
    for position, item in enumerate(deletion.items):
        tombstone = item.read()
        undone = tuple(safe.safe_id for safe in deletion.safes if position in safe.undone)
        given = {
            safe.safe_id: safe.receipts[position] for safe in deletion.safes if safe.safe_id not in undone
        }
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
            undone_at=undone,
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
            if signed is None:
                continue
            problem = receipt_problem(signed, safe.safe_id, keys.get(safe.safe_id, ()), item.tombstone)
            if problem is not None:
                yield DeletionProblem(receipt_id, safe.safe_id, problem)
