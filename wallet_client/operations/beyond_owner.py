"""What a name and a PIN alone would not bring back, and why: said before the device is lost."""

from collections.abc import Iterator
from dataclasses import dataclass

from wallet_client.policies.arrangement import Arrangement
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class BeyondOwner:
    """One item that a name and a PIN do not bring back.

    Args:
        receipt_id: The item's receipt.
        key_name: The wallet's key that is backed up nowhere; empty where it is not the key.
    """

    receipt_id: ReceiptId
    key_name: str

    def __str__(self) -> str:
        """Why, and what helps."""
        if self.key_name:
            return f"its key {self.key_name} is in this wallet alone: kura key backup {self.key_name}"
        return "it needs pieces that this wallet keeps: back it up under another policy"


def beyond_owner(wallet: Wallet) -> list[BeyondOwner]:
    """Every such item of the wallet."""
    entries = wallet.store.receipts.entries()
    return [
        one for entry in entries for one in _judge(wallet, get_receipt(wallet.store, ReceiptId(entry.id)))
    ]


def _judge(wallet: Wallet, receipt: Receipt) -> Iterator[BeyondOwner]:
    arrangement = receipt.arrangement
    without_wallet = Arrangement(arrangement.terms, arrangement.placement)
    if without_wallet.may_still_be_lost(set(arrangement.safes)) < 0:
        yield BeyondOwner(receipt.receipt_id, "")
    manifest = receipt.read_manifest()
    if manifest.terms.key.mode == "kept" and manifest.wrap is not None:
        key_id = manifest.wrap.key_id
        for entry in wallet.store.keyring.entries():
            if entry.key_id == key_id and entry.receipt_id is None:
                yield BeyondOwner(receipt.receipt_id, entry.name)
