"""Forget receipts: delete them from the wallet and their pieces from all safes.

The deletion is decided by one transaction; what a safe that is away still owes stays in the outbox.
"""

from collections.abc import Collection, Mapping, Sequence

from trust.documents import SigningKey
from wallet_client.errors import NotKept
from wallet_client.operations.deletion import owe_deletion
from wallet_client.operations.outbox import Delivered, deliver
from wallet_client.operations.superseded import bury_superseded
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


async def forget(
    wallet: Wallet, receipt_ids: Sequence[ReceiptId], owner: SigningKey | None = None
) -> Delivered:
    """Delete receipts and pieces; call it while changing the wallet.

    Args:
        wallet: Held by `changing`.
        receipt_ids: Which.
        owner: Secret: the owner's key, where the pieces are to be erased at once.

    Raises:
        UnknownReceipt: There is none of that id; nothing was deleted.
    """
    return await forget_members(wallet, dict.fromkeys(receipt_ids), owner)


async def forget_members(
    wallet: Wallet,
    wanted: Mapping[ReceiptId, Collection[ValueId] | None],
    owner: SigningKey | None = None,
) -> Delivered:
    """Let values leave their items; an item that nothing is left of is deleted, receipt and pieces.

    Args:
        wallet: Held by `changing`.
        wanted: By receipt, which of its values; None for all.
        owner: Secret: the owner's key, where the pieces are to be erased at once.

    Raises:
        UnknownReceipt: There is none of that id; nothing was deleted.
    """

    def write() -> None:
        with wallet.store.transaction():
            receipts = {receipt_id: get_receipt(wallet.store, receipt_id) for receipt_id in wanted}
            left = {
                receipt_id: receipt.without_members(_leaving(receipt, wanted[receipt_id]))
                for receipt_id, receipt in receipts.items()
            }
            gone = [one for one in receipts.values() if not left[one.receipt_id].members]
            owe_deletion(wallet, gone, owner)
            bury_superseded(wallet, {one.receipt_id for one in gone}, owner)
            for receipt in left.values():
                if receipt.members:
                    update_receipt(wallet.store, receipt)
                else:
                    wallet.store.receipts.delete(receipt.receipt_id)
            for receipt in receipts.values():
                _unlink(wallet, receipt, _leaving(receipt, wanted[receipt.receipt_id]))

    await to_the_end(write)
    return await deliver(wallet, owner=owner)


def _leaving(receipt: Receipt, wanted: Collection[ValueId] | None) -> Collection[ValueId]:
    return receipt.value_ids if wanted is None else wanted


def _unlink(wallet: Wallet, receipt: Receipt, leaving: Collection[ValueId]) -> None:
    holding = wallet.store.holding(receipt.kind)
    for value_id in set(receipt.value_ids) & set(leaving):
        try:
            summary = holding.summary(value_id)
        except NotKept:
            continue
        if summary.receipt_id == receipt.receipt_id:
            holding.link_known(summary, None)
