"""Deletion is the wallet's signed word, and the receipt for it the safe's."""

from typing import Any

import msgspec
import pytest

from support.sample_documents import (
    ITEM_IDS,
    NOW,
    RECEIPT_BYTES,
    RECEIPT_SIGNATURE,
    SAFE_IDS,
    SAFE_KEYS,
    TOMBSTONE,
    TOMBSTONE_BYTES,
    TOMBSTONE_SIGNATURE,
    WALLET,
    key,
)
from trust.errors import DocumentMalformed, SignatureInvalid
from trust.ids import WalletKey
from trust.tombstone import read_deletion, read_tombstone, sign_deletion, sign_tombstone

SAFE, KEY = SAFE_IDS[0], SAFE_KEYS[0]


def test_a_tombstone_is_read_under_the_key_it_names() -> None:
    """Exactly as it was signed."""
    assert read_tombstone(TOMBSTONE_BYTES, TOMBSTONE_SIGNATURE) == TOMBSTONE


@pytest.mark.parametrize(
    "fields",
    [
        {"item_id": ITEM_IDS[1]},
        {"generation": 2},
        {"deleted_at": NOW},
        {"wallet_key": WalletKey(key("stranger").public)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_tombstone_deletes_nothing_else(fields: dict[str, Any]) -> None:
    """Its signature covers wallet, item, generation and time."""
    moved = msgspec.structs.replace(TOMBSTONE, **fields)
    with pytest.raises(SignatureInvalid):
        read_tombstone(moved.to_bytes(), TOMBSTONE_SIGNATURE)


def test_a_stranger_cannot_delete() -> None:
    """A signature of any key but the named one does not hold."""
    with pytest.raises(SignatureInvalid):
        read_tombstone(*sign_tombstone(TOMBSTONE, key("stranger")))


def test_a_tombstone_that_does_not_parse_is_refused() -> None:
    """Before its signature is looked at."""
    with pytest.raises(DocumentMalformed):
        read_tombstone(RECEIPT_BYTES, RECEIPT_SIGNATURE)


def test_a_receipt_is_read_by_whoever_asked() -> None:
    """It names the safe, the tombstone and the time."""
    receipt = read_deletion(RECEIPT_BYTES, RECEIPT_SIGNATURE, SAFE, KEY.public, TOMBSTONE_BYTES)
    assert (receipt.safe_id, receipt.erased_at) == (SAFE, NOW + 61)


def test_another_safe_cannot_give_the_receipt() -> None:
    """Neither signed by its own key nor under its own id."""
    forged = sign_deletion(SAFE, TOMBSTONE_BYTES, NOW, SAFE_KEYS[1])
    with pytest.raises(SignatureInvalid):
        read_deletion(*forged, SAFE, KEY.public, TOMBSTONE_BYTES)
    crossed = sign_deletion(SAFE_IDS[1], TOMBSTONE_BYTES, NOW, SAFE_KEYS[1])
    with pytest.raises(DocumentMalformed, match="for another tombstone or safe"):
        read_deletion(*crossed, SAFE, SAFE_KEYS[1].public, TOMBSTONE_BYTES)


@pytest.mark.parametrize("fields", [{"item_id": ITEM_IDS[1]}, {"generation": 2}, {"deleted_at": NOW}])
def test_a_receipt_for_another_tombstone_is_refused(fields: dict[str, Any]) -> None:
    """Another item's, another generation's, or an earlier one of the same."""
    other, _ = sign_tombstone(msgspec.structs.replace(TOMBSTONE, **fields), WALLET)
    with pytest.raises(DocumentMalformed, match="for another tombstone or safe"):
        read_deletion(RECEIPT_BYTES, RECEIPT_SIGNATURE, SAFE, KEY.public, other)


def test_a_tombstone_is_no_receipt_and_a_receipt_no_tombstone() -> None:
    """Each is refused in the other's place."""
    with pytest.raises(DocumentMalformed):
        read_deletion(TOMBSTONE_BYTES, TOMBSTONE_SIGNATURE, SAFE, KEY.public, TOMBSTONE_BYTES)
