"""Make receipts of a catalogue, in a wallet that never had them, or has some.

    an item that is new         a receipt, and its values are to be brought back: they are suspended
    a newer generation          the receipt becomes its receipt; a value that is in the wallet is out of date
    the same, by another wallet likewise: two changed the item at once, and one of them stands
    the same generation         certificates that are new
    a deletion by another       the receipt goes
    an older generation beside  it goes once the newer was read back (superseded.py)

What a digest shows gives a receipt its members; what it hides is learnt when the item is opened. Ids are
derived from the item's, so that the same catalogue taken in twice gives the same receipts.
"""

from collections.abc import Collection
from dataclasses import dataclass

from wallet_client.errors import NotKept
from wallet_client.operations.members_shown import members_shown
from wallet_client.operations.merge_catalogues import Catalogue, FoundItem
from wallet_client.operations.superseded import keep_superseded
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.receipt import Receipt, ReceiptId, receipt_id_of
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.storage.suspended import Suspension
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of it.

    Args:
        new: Receipts that the wallet did not have.
        newer: Receipts of a newer generation than it had, or of what stands in the place of its own.
        gone: Receipts of what another of the owner's wallets deleted.
    """

    new: tuple[ReceiptId, ...]
    newer: tuple[ReceiptId, ...]
    gone: tuple[ReceiptId, ...]


def take_in(wallet: Wallet, catalogue: Catalogue) -> TakenIn:
    """Keep a receipt for every item, in one transaction; call it inside `changing`."""
    new: list[ReceiptId] = []
    newer: list[ReceiptId] = []
    with wallet.store.transaction():
        for item in catalogue.items:
            receipt_id = receipt_id_of(item.leaf.item_id)
            old = _known(wallet, receipt_id)
            spent = catalogue.spent[item.leaf.item_id]
            if old is None:
                _keep_new(wallet, receipt_of(wallet, item, spent))
                new.append(receipt_id)
            elif _is_overtaken(old, item):
                _keep_newer(wallet, old, receipt_of(wallet, item, spent))
                newer.append(receipt_id)
            else:
                _keep_known(wallet, old, item, spent)
        known = {item.leaf.item_id for item in catalogue.items}
        older = [one for one in catalogue.older if one.leaf.item_id in known]
        keep_superseded(wallet, [receipt_of(wallet, one, 0) for one in older])
        gone = _drop_deleted(wallet, catalogue)
    return TakenIn(tuple(new), tuple(newer), tuple(gone))


def suspend(wallet: Wallet, value_ids: Collection[ValueId]) -> None:
    """Note that these are to be brought back; call it inside a transaction."""
    for value_id in value_ids:
        wallet.store.suspended.put(Suspension(value_id=value_id, delete_receipt=False, since=wallet.now()))


def _known(wallet: Wallet, receipt_id: ReceiptId) -> Receipt | None:
    try:
        return get_receipt(wallet.store, receipt_id)
    except UnknownReceipt:
        return None


def receipt_of(wallet: Wallet, item: FoundItem, spent: int) -> Receipt:
    """What the wallet would have had of an item.

    Args:
        spent: The newest generation of it that was ever registered or deleted.
    """
    bare = Receipt(
        kind=item.leaf.kind,
        members=(),
        policy_name=item.manifest.terms.name,
        manifest=item.manifest_bytes,
        manifest_signature=item.manifest_signature,
        leaf=item.leaf_bytes,
        certificates=tuple(item.certificates.values()),
        spent_generation=spent if spent > item.leaf.generation else 0,
        leaf_position=item.position,
        leaf_path=item.path,
    )
    return bare.with_members(members_shown(bare, wallet.keys))


def _keep_new(wallet: Wallet, receipt: Receipt) -> None:
    update_receipt(wallet.store, receipt)
    if receipt.kind == "value":
        suspend(wallet, receipt.value_ids)


def _keep_newer(wallet: Wallet, old: Receipt, receipt: Receipt) -> None:
    """Another wallet registered it: what is here under the ids of its values is of the generation before."""
    receipt = receipt.with_ids_of(old)
    update_receipt(wallet.store, receipt)
    if receipt.kind == "value":
        suspend(wallet, set(receipt.value_ids) - set(old.value_ids))
        _unlink(wallet, old)


def _is_overtaken(old: Receipt, item: FoundItem) -> bool:
    """By a newer generation, or by another wallet's of the same: both changed the item at once."""
    ours, theirs = old.read_leaf().generation, item.leaf.generation
    return ours < theirs or (ours == theirs and old.manifest != item.manifest_bytes)


def _keep_known(wallet: Wallet, old: Receipt, item: FoundItem, spent: int) -> None:
    known = old
    if (old.leaf, old.manifest) == (item.leaf_bytes, item.manifest_bytes):
        known = known.with_certificates(tuple(item.certificates.values()))
    if spent > max(old.read_leaf().generation, old.spent_generation):
        known = known.with_spent(spent)
    if known != old:
        update_receipt(wallet.store, known)


def _drop_deleted(wallet: Wallet, catalogue: Catalogue) -> list[ReceiptId]:
    """A receipt of which the wallet itself keeps shares stays: it would not come back with the item."""
    gone = []
    for item_id, generation in catalogue.deleted:
        receipt = _known(wallet, receipt_id_of(item_id))
        if receipt is None or receipt.read_leaf().generation != generation:
            continue
        if receipt.kept_shares or receipt.kept_key_shares:
            continue
        _unlink(wallet, receipt)
        wallet.store.receipts.delete(receipt.receipt_id)
        gone.append(receipt.receipt_id)
    return gone


def _unlink(wallet: Wallet, receipt: Receipt) -> None:
    """What is in the wallet of an item's members is not what that item is any more."""
    holding = wallet.store.holding(receipt.kind)
    for value_id in receipt.value_ids:
        try:
            summary = holding.summary(value_id)
        except NotKept:
            continue
        if summary.receipt_id == receipt.receipt_id:
            holding.link_known(summary, None)
