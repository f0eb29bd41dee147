"""Deletion at the safes: tombstones, owed until each safe has confirmed them with a signed receipt.

A deletion is written down together with the outbox entries that carry it, in one transaction with its cause.
A safe's receipts are kept in one transaction with the end of its entry. So after a crash a safe either still
owes its word, or the wallet has it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from trust.ids import ItemId, SafeId, Signature, WalletKey
from trust.manifest import MAX_ITEMS
from trust.tombstone import Tombstone, sign_tombstone
from wallet_client.operations.journal import Owed, write_entry
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.receipts.deletion import DeletedItem, Deletion
from wallet_client.receipts.receipt import Receipt
from wallet_client.receipts.shelf import get_deletion, put_deletion
from wallet_client.wallet import Wallet


class Doomed(NamedTuple):
    """One generation of an item that is to go, and the policy under which it was registered."""

    item_id: ItemId
    generation: int
    policy_name: str


def owe_deletion(wallet: Wallet, receipts: Iterable[Receipt]) -> None:
    """Write down the deletion of what receipts stand for, in few messages; call it inside a transaction."""
    placements: dict[bytes, tuple[SafeId, ...]] = {}
    groups: defaultdict[tuple[SafeId, ...], list[Doomed]] = defaultdict(list)
    for receipt in receipts:
        if receipt.manifest not in placements:
            placements[receipt.manifest] = receipt.arrangement.safes
        leaf = receipt.read_leaf()
        doomed = Doomed(leaf.item_id, leaf.generation, receipt.policy_name)
        groups[placements[receipt.manifest]].append(doomed)
    for safes, items in groups.items():
        owe_tombstones(wallet, safes, items)


def owe_tombstones(wallet: Wallet, safes: Sequence[SafeId], items: Sequence[Doomed]) -> None:
    """Write down the deletion of items' generations at safes; call it inside a transaction."""
    for start in range(0, len(items) if safes else 0, MAX_ITEMS):
        part = items[start : start + MAX_ITEMS]
        deletion_id = f"{part[0].item_id.hex()}-{part[0].generation}-deleted"
        deletion = Deletion.decided(tuple(_signed(wallet, one) for one in part), safes)
        put_deletion(wallet.store, deletion_id, deletion)
        for safe_id in safes:
            wallet.store.outbox.put(deletion_id, safe_id, write_entry(Owed("tombstones", b"")))


def _signed(wallet: Wallet, doomed: Doomed) -> DeletedItem:
    key = wallet.keys.signing
    tombstone = Tombstone(WalletKey(key.public), doomed.item_id, doomed.generation, wallet.now())
    return DeletedItem(*sign_tombstone(tombstone, key), doomed.policy_name)


async def deliver_tombstones(wallet: Wallet, safe_id: SafeId, deletion_id: str, deletion: Deletion) -> None:
    """Send a safe the tombstones it has not confirmed, and keep its receipts, also if it refuses some.

    Raises:
        SafeFailure: The first thing that went wrong; what the safe did not confirm is still owed.
    """
    positions = deletion.owed_to(safe_id)
    dead = [deletion.items[position] for position in positions]
    outcomes = await wallet.links.to(safe_id).delete([(one.tombstone, one.signature) for one in dead])
    by_position = dict(zip(positions, outcomes, strict=True))
    received = {at: one for at, one in by_position.items() if not isinstance(one, Exception)}
    if received:
        await to_the_end(_keep, wallet, safe_id, deletion_id, received)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


def _keep(
    wallet: Wallet, safe_id: SafeId, deletion_id: str, received: Mapping[int, tuple[bytes, Signature]]
) -> None:
    """Receipts, and the end of the outbox entry where they are all, in one transaction."""
    with wallet.store.transaction():
        deletion = get_deletion(wallet.store, deletion_id).with_receipts(safe_id, received)
        put_deletion(wallet.store, deletion_id, deletion)
        if not deletion.owed_to(safe_id):
            wallet.store.outbox.delete(deletion_id, safe_id)
