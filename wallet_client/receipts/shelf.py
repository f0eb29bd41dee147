"""Receipts as the store keeps them: sealed documents with a summary for lists."""

from trust.documents import Document
from trust.ids import UnixSeconds
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptState, state_of
from wallet_client.storage.receipts import ReceiptEntry
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import ValueFields, ValueId


class ReceiptSummary(Document, frozen=True):
    """What a list shows of a receipt.

    Args:
        value_id: The value it stands for.
        fields: The value's fields when it was registered.
        size_bytes: What the value takes of the wallet's capacity.
        policy_name: The policy.
        created_at: When it was registered.
        state: At which safes it is.
    """

    title = "receipt summary"

    value_id: ValueId
    fields: ValueFields
    size_bytes: int
    policy_name: str
    created_at: UnixSeconds
    state: ReceiptState


def put_receipt(store: WalletStore, receipt: Receipt, state: ReceiptState, created_at: int) -> None:
    """Keep a receipt, in the place of the one of that item."""
    summary = ReceiptSummary(
        receipt.value_id, receipt.fields, receipt.size_bytes, receipt.policy_name, created_at, state
    )
    store.receipts.put(
        receipt.receipt_id,
        receipt.to_bytes(),
        state=state.word,
        value_ids=(receipt.value_id,),
        summary=summary.to_bytes(),
    )


def update_receipt(store: WalletStore, receipt: Receipt) -> ReceiptState:
    """Keep a receipt that has got more certificates."""
    state = state_of(receipt)
    put_receipt(store, receipt, state, receipt.read_manifest().created_at)
    return state


def get_receipt(store: WalletStore, receipt_id: ReceiptId) -> Receipt:
    """A whole receipt.

    Raises:
        UnknownReceipt: There is none of that id.
        WalletDamaged: It does not open.
        DocumentMalformed: It is damaged.
    """
    return Receipt.from_bytes(store.receipts.get(receipt_id))


def read_summary(entry: ReceiptEntry) -> ReceiptSummary:
    """What a list shows of an entry."""
    return ReceiptSummary.from_bytes(entry.summary)
