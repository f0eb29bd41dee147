"""Take a deletion back while the safes still keep what it names, and have the receipt again.

    tombstones of the item -> PIN -> the owner's word against each, to every safe -> catalogue -> receipt

Which tombstones stand is known from this wallet's deletions and from what the safes tell: another wallet of
the owner, or a thief with one, may have deleted the item.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from trust.documents import SigningKey
from trust.ids import OwnerKey, SafeId
from trust.tombstone import Tombstone, hash_of, revive
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.catalogue import read_catalogue
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.journal import OwnersWord
from wallet_client.operations.merge_catalogues import Catalogue, Generation
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owner_errors import DeletionCarriedOut, NotDeleted, names_of
from wallet_client.operations.owner_status import require_owner
from wallet_client.operations.owners_words import owe_word
from wallet_client.operations.settle import changing
from wallet_client.operations.take_in_catalogue import take_in
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.unlocking import open_with
from wallet_client.owners.factors import Proofs
from wallet_client.receipts.errors import UnknownDeletion, UnknownReceipt
from wallet_client.receipts.receipt import ReceiptId, ReceiptState, receipt_id_of
from wallet_client.receipts.shelf import all_deletions_by_id, get_receipt, put_deletion, update_receipt
from wallet_client.storage.naming import resolve
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class Undeleted:
    """What came of it.

    Args:
        receipt_id: The receipt that is back.
        state: At which safes its item is.
        failed: What went wrong, by the safe's name; what a safe was not told is owed to it.
    """

    receipt_id: ReceiptId
    state: ReceiptState
    failed: Mapping[str, SafeFailure]


@dataclass(frozen=True, slots=True)
class _Deleted:
    """A deleted generation of an item, with the tombstones that name it, exact bytes."""

    name: Generation
    tombstones: frozenset[bytes]

    @property
    def receipt_id(self) -> ReceiptId:
        return receipt_id_of(self.name[0])


async def undelete(wallet: Wallet, text: str, proofs: Proofs, generation: int | None = None) -> Undeleted:
    """Take back the deletion of one item, whichever wallet of the owner decided it.

    Args:
        wallet: Acts for the owner.
        text: The id that the item's receipt had, or its beginning.
        proofs: Secret.
        generation: An older one than the newest that was deleted; the newer ones stay deleted.

    Raises:
        WalletWithoutOwner: The wallet acts for none.
        UnknownDeletion, Ambiguous: Nothing, or more than one item, that was deleted is called so.
        NotDeleted: The receipt of a newer generation is there; only older ones were deleted.
        OwnerOutOfReach, OwnerNotUnlocked, OwnerRecordBroken: The record does not open.
        DeletionCarriedOut: It is too late.
        TooFewSafes: No safe that answered keeps it; those that did not answer are owed the owner's word.
        WalletBusy: Another process is changing the wallet.
    """
    owner = OwnerKey(require_owner(wallet).owner_key)
    async with changing(wallet):
        told = await read_catalogue(wallet, owner)
        found = await asyncio.to_thread(_find, wallet, text, told, generation)
        secrets = (await open_with(wallet, proofs))[0].secrets
        await to_the_end(_decide, wallet, found, secrets.signing_key)
        delivered = await deliver(wallet)
        after = await read_catalogue(wallet, owner)
        failed = names_of(wallet.roster, {**after.failed, **delivered.failed})
        items = tuple(item for item in after.items if item.generation == found.name)
        if not items:
            raise _too_late(wallet, found, failed)
        state = await to_the_end(_bring_back, wallet, replace(after, items=items), found)
    return Undeleted(found.receipt_id, state, failed)


def _find(wallet: Wallet, text: str, told: Catalogue, generation: int | None) -> _Deleted:
    known = _tombstones(wallet, told)
    ids = {receipt_id_of(item_id): item_id for item_id, _ in known}
    item_id = ids[ReceiptId(resolve(text, ((one, "") for one in ids), "deletion", UnknownDeletion))]
    newest = max(name for name in known if name[0] == item_id)
    name = newest if generation is None else (item_id, generation)
    if name not in known:
        raise UnknownDeletion(f"{receipt_id_of(item_id)} of generation {generation}")
    if _has_newer(wallet, name):
        raise NotDeleted(receipt_id_of(item_id))
    return _Deleted(name, frozenset(known[name]))


def _tombstones(wallet: Wallet, told: Catalogue) -> dict[Generation, set[bytes]]:
    known: dict[Generation, set[bytes]] = defaultdict(set)
    for name, bodies in told.tombstones.items():
        known[name].update(bodies)
    for _, deletion in all_deletions_by_id(wallet.store):
        for item in deletion.items:
            tombstone = item.read()
            known[tombstone.item_id, tombstone.generation].add(item.tombstone)
    return known


def _has_newer(wallet: Wallet, name: Generation) -> bool:
    """A receipt of the deleted generation itself may be here: another wallet deleted it, a thief's too."""
    try:
        receipt = get_receipt(wallet.store, receipt_id_of(name[0]))
    except UnknownReceipt:
        return False
    return receipt.read_leaf().generation > name[1]


def _decide(wallet: Wallet, found: _Deleted, owner: SigningKey) -> None:
    """Owe every safe the owner's words; the deletions are owed no more."""
    with wallet.store.transaction():
        for body in sorted(found.tombstones):
            word = OwnersWord("revival", *revive(body, *found.name, wallet.now(), owner))
            owe_word(wallet, f"{hash_of(body).hex()}-revived", word)
        for deletion_id, deletion in all_deletions_by_id(wallet.store):
            dead = [at for at, item in enumerate(deletion.items) if item.tombstone in found.tombstones]
            if not dead:
                continue
            safes = [safe.safe_id for safe in deletion.safes]
            changed = deletion.with_undone(safes, dead)
            put_deletion(wallet.store, deletion_id, changed)
            for entry in wallet.store.outbox.entries(owner_id=deletion_id):
                if not changed.owed_to(SafeId(entry.safe_id)):
                    wallet.store.outbox.delete(deletion_id, entry.safe_id)


def _bring_back(wallet: Wallet, catalogue: Catalogue, found: _Deleted) -> ReceiptState:
    last = max(Tombstone.from_bytes(body).deleted_at for body in found.tombstones)
    with wallet.store.transaction():
        take_in(wallet, catalogue)
        receipt = get_receipt(wallet.store, found.receipt_id)
        return update_receipt(wallet.store, receipt.with_deletion_undone(last))


def _too_late(
    wallet: Wallet, found: _Deleted, failed: Mapping[str, SafeFailure]
) -> DeletionCarriedOut | TooFewSafes:
    if failed:
        return TooFewSafes("brought back", 0, wallet.roster.threshold, failed)
    return DeletionCarriedOut(found.receipt_id)
