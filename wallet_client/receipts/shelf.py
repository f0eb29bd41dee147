"""Receipts and deletions as the store keeps them: sealed documents, receipts with a summary for lists."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from trust.documents import Document
from trust.ids import UnixSeconds
from trust.manifest import Manifest
from trust.value_fields import NAME_MAX_CHARACTERS, ValueFields
from wallet_client.receipts.deletion import Deletion
from wallet_client.receipts.forgetting import Forgetting
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptMember, ReceiptState, state_of
from wallet_client.storage.keyring import KeyEntry, KeyringKind
from wallet_client.storage.receipts import ReceiptEntry
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import ValueId

COUPLED_CLASS = "coupled"
"""Class of an item whose values are of several classes, in lists."""


class ReceiptSummary(Document, frozen=True):
    """What a list shows of a receipt.

    Args:
        kind: "value" or "key".
        members: What it stands for.
        policy_name: The policy.
        created_at: When it was registered.
        state: At which safes it is.
    """

    title = "receipt summary"

    kind: Literal["value", "key"]
    members: tuple[ReceiptMember, ...]
    policy_name: str
    created_at: UnixSeconds
    state: ReceiptState

    @property
    def value_ids(self) -> tuple[ValueId, ...]:
        """The values, or the key, it stands for."""
        return tuple(member.value_id for member in self.members)

    @property
    def size_bytes(self) -> int:
        """What its values take of the wallet's capacity."""
        return sum(member.size_bytes for member in self.members)

    @property
    def fields(self) -> ValueFields:
        """Its value's fields; of several values, their class if they share one, and their names."""
        if len(self.members) == 1:
            return self.members[0].fields
        classes = {member.fields.item_class for member in self.members}
        names = ", ".join(member.fields.name for member in self.members)
        return ValueFields(
            item_class=classes.pop() if len(classes) == 1 else COUPLED_CLASS,
            name=names[:NAME_MAX_CHARACTERS],
        )


def put_receipt(store: WalletStore, receipt: Receipt, state: ReceiptState, created_at: int) -> None:
    """Keep a receipt, in the place of the one of that item."""
    summary = ReceiptSummary(receipt.kind, receipt.members, receipt.policy_name, created_at, state)
    store.receipts.put(
        receipt.receipt_id,
        receipt.to_bytes(),
        state=state.word,
        value_ids=receipt.value_ids,
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


def receipts_under(store: WalletStore, key: KeyEntry) -> list[Receipt]:
    """The receipts of what is sealed under a key; under the root is what comes from it."""
    receipts = [get_receipt(store, ReceiptId(entry.id)) for entry in store.receipts.entries()]
    return [one for one in receipts if _is_under(one.manifest, key.kind, key.key_id)]


@lru_cache(maxsize=64)
def _is_under(manifest: bytes, kind: KeyringKind, key_id: bytes) -> bool:
    """All receipts of a batch have the same manifest."""
    read = Manifest.from_bytes(manifest)
    if kind == "root":
        return read.terms.key.mode == "root"
    return read.wrap is not None and read.wrap.key_id == key_id


def read_summary(entry: ReceiptEntry) -> ReceiptSummary:
    """What a list shows of an entry."""
    return ReceiptSummary.from_bytes(entry.summary)


def put_deletion(store: WalletStore, deletion_id: str, deletion: Deletion) -> None:
    """Keep a deletion, in the place of the one of that id."""
    store.deletions.put(deletion_id, deletion.to_bytes())


def get_deletion(store: WalletStore, deletion_id: str) -> Deletion:
    """A whole deletion.

    Raises:
        UnknownDeletion: There is none of that id.
        WalletDamaged: It does not open.
        DocumentMalformed: It is damaged.
    """
    return Deletion.from_bytes(store.deletions.get(deletion_id))


def all_deletions(store: WalletStore) -> Iterator[Deletion]:
    """Every deletion, in the order in which they were decided."""
    return (deletion for _, deletion in all_deletions_by_id(store))


def all_deletions_by_id(store: WalletStore) -> Iterator[tuple[str, Deletion]]:
    """The same, each with its id."""
    return ((entry.id, get_deletion(store, entry.id)) for entry in store.deletions.entries())


def put_forgetting(store: WalletStore, forgetting_id: str, forgetting: Forgetting) -> None:
    """Keep an owner's end, in the place of the one of that id."""
    store.forgettings.put(forgetting_id, forgetting.to_bytes())


def get_forgetting(store: WalletStore, forgetting_id: str) -> Forgetting:
    """An owner's end.

    Raises:
        UnknownDeletion: There is none of that id.
        WalletDamaged: It does not open.
        DocumentMalformed: It is damaged.
    """
    return Forgetting.from_bytes(store.forgettings.get(forgetting_id))


def all_forgettings(store: WalletStore) -> Iterator[Forgetting]:
    """Every owner who was forgotten from this wallet, in the order in which it was decided."""
    return (get_forgetting(store, entry.id) for entry in store.forgettings.entries())
