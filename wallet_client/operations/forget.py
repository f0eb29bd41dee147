"""Forget receipts: delete them from the wallet and their pieces from all safes.

The deletion is decided by one transaction; what a safe that is away still owes stays in the outbox.
"""

import asyncio
from collections.abc import Sequence

from wallet_client.operations.outbox import Delivered, deliver, owe_tombstones
from wallet_client.receipts.receipt import ReceiptId, state_of
from wallet_client.receipts.shelf import get_receipt
from wallet_client.wallet import Wallet


async def forget(wallet: Wallet, receipt_ids: Sequence[ReceiptId]) -> Delivered:
    """Delete receipts and pieces; call it while changing the wallet.

    Raises:
        UnknownReceipt: There is none of that id; nothing was deleted.
    """

    def write() -> None:
        with wallet.store.transaction():
            for receipt_id in receipt_ids:
                _forget_one(wallet, receipt_id)

    await asyncio.to_thread(write)
    return await deliver(wallet)


def _forget_one(wallet: Wallet, receipt_id: ReceiptId) -> None:
    receipt = get_receipt(wallet.store, receipt_id)
    leaf = receipt.read_leaf()
    owe_tombstones(wallet, state_of(receipt).placed, [(leaf.item_id, leaf.generation)])
    wallet.store.receipts.delete(receipt_id)
    for summary in wallet.store.values.summaries():
        if summary.receipt_id == receipt_id:
            wallet.store.values.link(summary.id, None)
