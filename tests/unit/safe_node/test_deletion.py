"""A tombstone is taken from its wallet alone, and its receipt names the tombstone that stands."""

import pytest

from safe_node.decisions.costs import TOMBSTONE_BYTES
from safe_node.decisions.deletion import judge_deletion, plan_deletion
from safe_node.records import Burial, DeletionState
from support.sample_documents import NOW, draw, key
from trust.ids import ItemId, SafeId, WalletKey
from trust.refusals import Malformed, NotYourItem, QuotaExceeded
from trust.tombstone import Tombstone, read_deletion, sign_tombstone

SAFE_ID = SafeId(draw("safe", 16))
SAFE_KEY = key("safe")
WALLET = key("wallet")
ITEM = ItemId(draw("item", 16))


def burial(deleted_at: int = NOW) -> Burial:
    body, signature = sign_tombstone(Tombstone(WalletKey(WALLET.public), ITEM, 2, deleted_at), WALLET)
    return judge_deletion(body, signature, WalletKey(WALLET.public), SAFE_ID, NOW, SAFE_KEY)


def test_the_receipt_is_the_safes_word_for_this_tombstone() -> None:
    """It reads back with the safe's key."""
    made = burial()
    receipt = read_deletion(made.receipt, made.receipt_signature, SAFE_ID, SAFE_KEY.public, made.tombstone)
    assert receipt.erased_at == NOW
    assert (made.item_id, made.generation) == (ITEM, 2)


@pytest.mark.parametrize(
    ("body", "signature"),
    [(b"\xc1", bytes(64)), (burial().tombstone, bytes(64)), (burial().tombstone[:-1], burial().signature)],
    ids=["no document", "unsigned", "cut short"],
)
def test_malformed_tombstones_are_refused(body: bytes, signature: bytes) -> None:
    """Neither form nor signature may be wrong."""
    with pytest.raises(Malformed):
        judge_deletion(body, signature, WalletKey(WALLET.public), SAFE_ID, NOW, SAFE_KEY)


def test_another_wallets_tombstone_is_not_the_callers() -> None:
    """A captured tombstone cannot be brought by somebody else."""
    made = burial()
    with pytest.raises(NotYourItem):
        judge_deletion(made.tombstone, made.signature, WalletKey(key("other").public), SAFE_ID, NOW, SAFE_KEY)


def test_an_equal_tombstone_repeats_the_first_receipt() -> None:
    """Idempotent to the byte."""
    earlier = burial()
    assert plan_deletion(DeletionState(earlier, 0, 0), burial(), 1) is earlier


def test_another_tombstone_for_the_same_generation_takes_its_place() -> None:
    """So that every receipt names a tombstone that is really kept."""
    later = burial(NOW + 1)
    assert plan_deletion(DeletionState(burial(), 0, 0), later, 1) is later


@pytest.mark.parametrize(
    ("used", "freed", "limit", "allowed"),
    [
        (0, 0, TOMBSTONE_BYTES, True),
        (1, 0, TOMBSTONE_BYTES, False),
        (10_000, TOMBSTONE_BYTES, 10_000, True),
        (10_000, TOMBSTONE_BYTES - 1, 10_000, False),
        (10**9, 0, 0, True),
    ],
    ids=["just fits", "one byte too much", "erasing makes room", "not quite enough room", "no limit"],
)
def test_tombstones_count_towards_the_quota(used: int, freed: int, limit: int, allowed: bool) -> None:
    """Nobody fills a disk with tombstones for free, and a full wallet can still delete."""
    state = DeletionState(None, used, freed)
    if allowed:
        assert plan_deletion(state, burial(), limit).item_id == ITEM
        return
    with pytest.raises(QuotaExceeded):
        plan_deletion(state, burial(), limit)
