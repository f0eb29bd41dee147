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
from support.sample_owner import (
    FORGETTING,
    FORGETTING_BYTES,
    FORGETTING_SIGNATURE,
    OWNER,
    OWNER_ID,
    REVIVAL,
    REVIVAL_BYTES,
    REVIVAL_SIGNATURE,
)
from trust.errors import DocumentMalformed, SignatureInvalid
from trust.ids import OwnerId, OwnerKey, WalletKey
from trust.tombstone import (
    forget_owner,
    hash_of,
    read_deletion,
    read_owner_tombstone,
    read_revival,
    read_tombstone,
    revive,
    sign_deletion,
    sign_tombstone,
)

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


def test_a_receipt_may_state_a_time_to_come() -> None:
    """What waits is erased then; it reads back as any other."""
    waiting = sign_deletion(SAFE, TOMBSTONE_BYTES, NOW + 7 * 86_400, KEY)
    assert read_deletion(*waiting, SAFE, KEY.public, TOMBSTONE_BYTES).erased_at == NOW + 7 * 86_400


def test_a_revival_is_read_under_the_key_it_names() -> None:
    """It names the tombstone that it takes back, and its item."""
    assert read_revival(REVIVAL_BYTES, REVIVAL_SIGNATURE) == REVIVAL
    assert (REVIVAL.owner_key, REVIVAL.item_id) == (OWNER.public, TOMBSTONE.item_id)
    assert REVIVAL.tombstone_hash == hash_of(TOMBSTONE_BYTES)


@pytest.mark.parametrize(
    "fields",
    [
        {"item_id": ITEM_IDS[1]},
        {"generation": 2},
        {"revived_at": NOW},
        {"tombstone_hash": hash_of(b"another")},
        {"owner_key": OwnerKey(key("stranger").public)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_revival_takes_nothing_else_back(fields: dict[str, Any]) -> None:
    """Its signature covers owner, item, generation, tombstone and time."""
    with pytest.raises(SignatureInvalid):
        read_revival(msgspec.structs.replace(REVIVAL, **fields).to_bytes(), REVIVAL_SIGNATURE)


def test_an_owners_tombstone_is_read_under_the_key_it_names() -> None:
    """Exactly as it was signed."""
    assert read_owner_tombstone(FORGETTING_BYTES, FORGETTING_SIGNATURE) == FORGETTING
    assert (FORGETTING.owner_id, FORGETTING.owner_key) == (OWNER_ID, OWNER.public)


@pytest.mark.parametrize(
    "fields",
    [
        {"owner_id": OwnerId(bytes(32))},
        {"forgotten_at": NOW},
        {"owner_key": OwnerKey(key("stranger").public)},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_an_owners_tombstone_forgets_nobody_else(fields: dict[str, Any]) -> None:
    """Its signature covers name, key and time."""
    with pytest.raises(SignatureInvalid):
        read_owner_tombstone(msgspec.structs.replace(FORGETTING, **fields).to_bytes(), FORGETTING_SIGNATURE)


def test_a_stranger_neither_takes_back_nor_forgets() -> None:
    """The key that a document names must have signed it."""
    stranger = key("stranger")
    _, signature = revive(TOMBSTONE_BYTES, ITEM_IDS[0], 1, NOW, stranger)
    with pytest.raises(SignatureInvalid):
        read_revival(REVIVAL_BYTES, signature)
    _, signature = forget_owner(OWNER_ID, NOW, stranger)
    with pytest.raises(SignatureInvalid):
        read_owner_tombstone(FORGETTING_BYTES, signature)


def test_a_receipt_names_an_owners_tombstone_too() -> None:
    """By its hash, as any other."""
    receipt = sign_deletion(SAFE, FORGETTING_BYTES, NOW, KEY)
    assert read_deletion(*receipt, SAFE, KEY.public, FORGETTING_BYTES).erased_at == NOW
    with pytest.raises(DocumentMalformed, match="for another tombstone or safe"):
        read_deletion(*receipt, SAFE, KEY.public, TOMBSTONE_BYTES)


def test_none_of_the_words_passes_for_another() -> None:
    """Each is refused in the others' place."""
    for read, others in (
        (read_tombstone, (REVIVAL_BYTES, FORGETTING_BYTES)),
        (read_revival, (TOMBSTONE_BYTES, FORGETTING_BYTES)),
        (read_owner_tombstone, (TOMBSTONE_BYTES, REVIVAL_BYTES)),
    ):
        for other in others:
            with pytest.raises(DocumentMalformed):
                read(other, TOMBSTONE_SIGNATURE)
