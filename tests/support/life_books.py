"""The books of a wallet and its safes, compared by SQL over each safe's database."""

from collections.abc import Sequence

from support.cluster import LocalCluster
from support.faults import assert_no_strays, promised, receipts_of, settled, stored
from trust.ids import SafeId
from wallet_client.receipts.receipt import Receipt, state_of
from wallet_client.receipts.shelf import get_deletion
from wallet_client.wallet import Wallet


def check_books(cluster: LocalCluster, wallet: Wallet, receipts: Sequence[Receipt]) -> None:
    """At any time: no safe lost what it certified; what it stores has a receipt, or is owed a tombstone."""
    kept, certified = stored(cluster, wallet), promised(cluster, wallet)
    for safe in wallet.roster.safes:
        assert certified[safe.name] <= kept[safe.name]
        known = _placed_at(safe.safe_id, receipts) | _doomed_at(safe.safe_id, wallet)
        assert {(piece.item_id, piece.generation) for piece in kept[safe.name]} <= known
    assert not any(receipt.has_lost_pieces for receipt in receipts)


async def check_rested(cluster: LocalCluster, wallet: Wallet) -> None:
    """With all safes there: nothing stays owed, everything is safe, and safes store what receipts name."""
    await settled(wallet)
    assert {state_of(one).word for one in receipts_of(wallet)} <= {"safe"}
    assert_no_strays(cluster, wallet)


def _placed_at(safe_id: SafeId, receipts: Sequence[Receipt]) -> set[tuple[bytes, int]]:
    """Items, keys too, that a safe is to keep."""
    leaves = (one.read_leaf() for one in receipts if safe_id in one.arrangement.safes)
    return {(leaf.item_id, leaf.generation) for leaf in leaves}


def _doomed_at(safe_id: SafeId, wallet: Wallet) -> set[tuple[bytes, int]]:
    """Items that a safe is still to be told to delete."""
    known = {entry.id for entry in wallet.store.deletions.entries()}
    causes = [entry.owner_id for entry in wallet.store.outbox.entries(safe_id=safe_id)]
    deletions = [get_deletion(wallet.store, cause) for cause in causes if cause in known]
    dead = [one.items[at].read() for one in deletions for at in one.owed_to(safe_id)]
    return {(tombstone.item_id, tombstone.generation) for tombstone in dead}
