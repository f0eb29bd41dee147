"""Deletion at the safes: tombstones, owed until each safe has confirmed them with a signed receipt.

A deletion is written down together with the outbox entries that carry it, in one transaction with its cause.
A safe's receipts are kept in one transaction with the end of its entry. So after a crash a safe either still
owes its word, or the wallet has it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count
from typing import NamedTuple

from trust.documents import SigningKey
from trust.ids import ItemId, SafeId, Signature, WalletKey
from trust.manifest import MAX_ITEMS
from trust.tombstone import Tombstone, sign_tombstone
from trust.wallet_refusals import TombstoneRevived
from wallet_client.network.safe_link import SafeLink
from wallet_client.operations.journal import Owed, write_entry
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.receipts.deletion import DeletedItem, Deletion
from wallet_client.receipts.receipt import Receipt
from wallet_client.receipts.shelf import get_deletion, put_deletion
from wallet_client.wallet import Wallet


class Doomed(NamedTuple):
    """One generation of an item that is to go.

    Args:
        policy_name: The policy under which it was registered.
        deleted_until: As its receipt has it.
    """

    item_id: ItemId
    generation: int
    policy_name: str
    deleted_until: int = 0


def owe_deletion(wallet: Wallet, receipts: Iterable[Receipt], owner: SigningKey | None = None) -> None:
    """Write down the deletion of what receipts stand for, in few messages; call it inside a transaction.

    Args:
        wallet: Whose store it is, and whose key signs.
        receipts: Of what is to go.
        owner: Secret: as `owe_tombstones` has it.
    """
    placements: dict[bytes, tuple[SafeId, ...]] = {}
    groups: defaultdict[tuple[SafeId, ...], list[Doomed]] = defaultdict(list)
    for receipt in receipts:
        if receipt.manifest not in placements:
            placements[receipt.manifest] = receipt.arrangement.safes
        leaf = receipt.read_leaf()
        doomed = Doomed(leaf.item_id, leaf.generation, receipt.policy_name, receipt.deleted_until)
        groups[placements[receipt.manifest]].append(doomed)
    for safes, items in groups.items():
        owe_tombstones(wallet, safes, items, owner)


def owe_tombstones(
    wallet: Wallet, safes: Sequence[SafeId], items: Sequence[Doomed], owner: SigningKey | None = None
) -> None:
    """Write down the deletion of items' generations at safes; call it inside a transaction.

    Args:
        wallet: Whose store it is, and whose key signs.
        safes: All that may keep a piece.
        items: What is to go.
        owner: Secret: signs in the place of the wallet's key. What `deliver` then brings with this key is
            erased at once; what the wallet brings later waits, as whatever it deletes does.
    """
    key = owner or wallet.keys.signing
    for start in range(0, len(items) if safes else 0, MAX_ITEMS):
        part = items[start : start + MAX_ITEMS]
        deletion_id = _free_id(wallet, f"{part[0].item_id.hex()}-{part[0].generation}-deleted")
        deletion = Deletion.decided(tuple(_signed(one, key, wallet.now()) for one in part), safes)
        put_deletion(wallet.store, deletion_id, deletion)
        for safe_id in safes:
            wallet.store.outbox.put(deletion_id, safe_id, write_entry(Owed("tombstones", b"")))


def owed_deletions(wallet: Wallet) -> set[tuple[ItemId, int]]:
    """Generations of which a safe at least did not confirm yet that they are deleted."""
    store = wallet.store
    found: set[tuple[ItemId, int]] = set()
    for entry in store.outbox.entries():
        if store.deletions.has(entry.owner_id):  # else something else is owed
            deletion = get_deletion(store, entry.owner_id)
            dead = [deletion.items[at].read() for at in deletion.owed_to(SafeId(entry.safe_id))]
            found |= {(tombstone.item_id, tombstone.generation) for tombstone in dead}
    return found


def _free_id(wallet: Wallet, name: str) -> str:
    """What was deleted, taken back and deleted again is another deletion; the first keeps its other items."""
    ids = chain((name,), (f"{name}-{number}" for number in count(2)))
    return next(one for one in ids if not wallet.store.deletions.has(one))


def _signed(doomed: Doomed, key: SigningKey, now: int) -> DeletedItem:
    deleted_at = max(now, doomed.deleted_until + 1) if doomed.deleted_until else now
    tombstone = Tombstone(WalletKey(key.public), doomed.item_id, doomed.generation, deleted_at)
    return DeletedItem(*sign_tombstone(tombstone, key), doomed.policy_name)


async def deliver_tombstones(
    wallet: Wallet, safe_id: SafeId, deletion_id: str, deletion: Deletion, link: SafeLink
) -> None:
    """Send a safe the tombstones it has not confirmed, and keep its receipts, also if it refuses some.

    What the owner took back meanwhile, as the safe says, is owed no more.

    Raises:
        SafeFailure: The first thing that went wrong; what the safe did not confirm is still owed.
    """
    positions = deletion.owed_to(safe_id)
    dead = [deletion.items[position] for position in positions]
    outcomes = await link.delete([(one.tombstone, one.signature) for one in dead])
    by_position = dict(zip(positions, outcomes, strict=True))
    received = {at: one for at, one in by_position.items() if not isinstance(one, Exception)}
    undone = [at for at, one in by_position.items() if isinstance(one, TombstoneRevived)]
    if received or undone:
        await to_the_end(_keep, wallet, safe_id, deletion_id, received, undone)
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, TombstoneRevived):
            raise outcome


def _keep(
    wallet: Wallet,
    safe_id: SafeId,
    deletion_id: str,
    received: Mapping[int, tuple[bytes, Signature]],
    undone: Sequence[int],
) -> None:
    """Receipts, and the end of the outbox entry where they are all, in one transaction."""
    with wallet.store.transaction():
        deletion = get_deletion(wallet.store, deletion_id).with_receipts(safe_id, received)
        deletion = deletion.with_undone([safe_id], undone)
        put_deletion(wallet.store, deletion_id, deletion)
        if not deletion.owed_to(safe_id):
            wallet.store.outbox.delete(deletion_id, safe_id)
