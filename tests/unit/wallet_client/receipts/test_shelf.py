"""Receipts in the wallet's store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.batches import batch_of, receipt_of
from support.sample_documents import NOW
from support.wallet_samples import FULL_VALUE, everything_in, new_wallet, small_value
from trust.value_fields import NAME_MAX_CHARACTERS, ValueFields
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.receipt import Receipt, ReceiptId, ReceiptMember, state_of
from wallet_client.receipts.shelf import (
    ReceiptSummary,
    get_receipt,
    put_receipt,
    read_summary,
    update_receipt,
)
from wallet_client.storage.store import WalletStore
from wallet_client.values.value import Value, ValueId


@pytest.fixture
def store(tmp_path: Path) -> Iterator[WalletStore]:
    """An empty wallet."""
    with new_wallet(tmp_path) as opened:
        yield opened


async def made(*missing: int) -> Receipt:
    """The receipt of a value that these safes did not take."""
    return await receipt_of(batch_of([b"value"], "threshold"), missing=missing)


async def test_a_receipt_comes_back_as_it_was_put(store: WalletStore) -> None:
    """With its entry in the list."""
    receipt = await made()
    put_receipt(store, receipt, state_of(receipt), NOW)
    assert get_receipt(store, receipt.receipt_id) == receipt
    (entry,) = store.receipts.entries()
    assert (entry.id, entry.state, entry.value_ids) == (receipt.receipt_id, "safe", ("v-0",))


async def test_the_summary_has_what_a_list_shows(store: WalletStore) -> None:
    """Without opening the receipt."""
    receipt = await made(4)
    put_receipt(store, receipt, state_of(receipt), NOW)
    (entry,) = store.receipts.entries()
    summary = read_summary(entry)
    assert (summary.value_ids, summary.fields, summary.size_bytes) == (("v-0",), FULL_VALUE.fields, 123)
    assert (summary.policy_name, summary.created_at) == ("threshold", NOW)
    assert (summary.state, entry.state) == (state_of(receipt), "registered")


@pytest.mark.parametrize(
    ("others", "item_class", "name"),
    [
        ([small_value("B"), small_value("C")], "movie-ticket", "Chūshingura 忠臣蔵, B, C"),
        ([small_value("B", item_class="card")], "coupled", "Chūshingura 忠臣蔵, B"),
        ([small_value("x" * NAME_MAX_CHARACTERS)], "movie-ticket", f"Chūshingura 忠臣蔵, {'x' * 1000}"),
    ],
    ids=["of-one-class", "of-two-classes", "of-long-names"],
)
async def test_several_values_show_their_common_class_and_their_names(
    others: list[Value], item_class: str, name: str
) -> None:
    """A list has one line for them, and it is never too long."""
    receipt = await made()
    members = [
        ReceiptMember(ValueId(f"v-{position}"), position, value.fields, 100)
        for position, value in enumerate([FULL_VALUE, *others])
    ]
    summary = ReceiptSummary("value", tuple(members), "coupled", NOW, state_of(receipt))
    assert summary.fields == ValueFields(item_class=item_class, name=name[:NAME_MAX_CHARACTERS])
    assert summary.size_bytes == 100 * len(members)


async def test_more_certificates_change_receipt_state_and_summary_together(store: WalletStore) -> None:
    """In the place of the one that was there; the date stays."""
    receipt, whole = await made(2, 4), await made()
    put_receipt(store, receipt, state_of(receipt), receipt.read_manifest().created_at)
    state = update_receipt(store, receipt.with_certificates(whole.certificates))
    assert state.word == "safe"
    (entry,) = store.receipts.entries()
    assert (entry.state, read_summary(entry).state) == ("safe", state)
    assert read_summary(entry).created_at == NOW
    assert len(get_receipt(store, receipt.receipt_id).certificates) == 5


def test_what_is_not_kept_is_unknown(store: WalletStore) -> None:
    """A typed error."""
    with pytest.raises(UnknownReceipt):
        get_receipt(store, ReceiptId("r-none"))


async def test_nothing_of_it_can_be_read_from_the_files(tmp_path: Path, store: WalletStore) -> None:
    """Neither the name nor the certificates nor the summary."""
    receipt = await made()
    put_receipt(store, receipt, state_of(receipt), NOW)
    store.values.add(small_value("Hamlet"))
    content = everything_in(tmp_path)
    for secret in (FULL_VALUE.name.encode(), receipt.leaf, receipt.certificates[0].certificate):
        assert secret not in content
