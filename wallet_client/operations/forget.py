"""Forget receipts: delete them from the wallet and their pieces from all safes.

The deletion is decided by one transaction; what a safe that is away still owes stays in the outbox.
"""

from collections.abc import Sequence

from wallet_client.errors import UnknownValue
from wallet_client.operations.outbox import Delivered, deliver, owe_deletion
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.wallet import Wallet


async def forget(wallet: Wallet, receipt_ids: Sequence[ReceiptId]) -> Delivered:
    """Delete receipts and pieces; call it while changing the wallet.

    Raises:
        UnknownReceipt: There is none of that id; nothing was deleted.
    """

    def write() -> None:
        with wallet.store.transaction():
            receipts = [get_receipt(wallet.store, receipt_id) for receipt_id in dict.fromkeys(receipt_ids)]
            owe_deletion(wallet, receipts)
            for receipt in receipts:
                wallet.store.receipts.delete(receipt.receipt_id)
                _unlink(wallet, receipt)

    await to_the_end(write)
    return await deliver(wallet)


def _unlink(wallet: Wallet, receipt: Receipt) -> None:
    try:
        linked = wallet.store.values.summary(receipt.value_id).receipt_id
    except UnknownValue:
        return
    if linked == receipt.receipt_id:
        wallet.store.values.link(receipt.value_id, None)
