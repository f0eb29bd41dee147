"""Only the owner's word takes a deletion back, in time; and their word against themselves holds for good."""

from dataclasses import replace

import pytest

from safe_node.accounts import Standing, WalletState
from safe_node.decisions.accounts import judge_authorisation, plan_authorisation
from safe_node.decisions.costs import TOMBSTONE_BYTES
from safe_node.decisions.deletion import DeletionRules
from safe_node.decisions.undeletion import (
    judge_forgetting,
    judge_revival,
    plan_forgetting,
    plan_undeletion,
)
from safe_node.deletions import StandingTombstone, UndeletionState
from support.sample_documents import (
    ITEM_IDS,
    NOW,
    SAFE_IDS,
    SAFE_KEYS,
    hash_of,
    key,
)
from support.sample_documents import (
    TOMBSTONE_BYTES as TOMBSTONE,
)
from trust.authorisation import authorise_wallet
from trust.ids import OwnerId, OwnerKey, WalletKey
from trust.owner_refusals import NotTheOwner, WalletRevoked
from trust.refusals import Malformed, Refusal
from trust.tombstone import forget_owner, read_deletion, revive
from trust.tombstone import hash_of as hash_of_tombstone
from trust.wallet_refusals import ErasedAlready, QuotaExceeded

OWNER, WALLET = key("owner"), key("wallet")
ACCOUNT = OwnerKey(OWNER.public)
THE_OWNER, THEIR_WALLET = (
    Standing(WalletKey(OWNER.public), ACCOUNT),
    Standing(WalletKey(WALLET.public), ACCOUNT),
)
REVIVAL, SIGNATURE = revive(TOMBSTONE, ITEM_IDS[0], 1, NOW, OWNER)
FORGETTING, FORGETTING_SIGNATURE = forget_owner(OwnerId(bytes(32)), NOW, OWNER)
RULES = DeletionRules(SAFE_IDS[0], SAFE_KEYS[0], NOW, 0, 0)


@pytest.mark.parametrize("by", [THE_OWNER, THEIR_WALLET], ids=["the owner", "a wallet of theirs"])
def test_the_owners_word_is_taken(by: Standing) -> None:
    """With the bytes that were signed; it counts towards who brings it."""
    word = judge_revival(REVIVAL, SIGNATURE, by)
    assert (word.owner_key, word.deliverer) == (ACCOUNT, by.key)
    assert (word.item_id, word.generation) == (ITEM_IDS[0], 1)
    assert word.tombstone_hash == hash_of_tombstone(TOMBSTONE)
    assert (word.revival, word.signature) == (REVIVAL, SIGNATURE)


@pytest.mark.parametrize(
    ("body", "signature", "by", "refusal"),
    [
        pytest.param(b"\xc1", SIGNATURE, THE_OWNER, Malformed("revival"), id="no document"),
        pytest.param(FORGETTING, SIGNATURE, THE_OWNER, Malformed("revival"), id="another document"),
        pytest.param(REVIVAL, bytes(64), THE_OWNER, Malformed("signature"), id="unsigned"),
        pytest.param(
            REVIVAL,
            SIGNATURE,
            replace(THEIR_WALLET, owner_key=OwnerKey(key("other owner").public)),
            NotTheOwner(),
            id="another owner's wallet brings it",
        ),
    ],
)
def test_a_revival_is_refused(body: bytes, signature: bytes, by: Standing, refusal: Refusal) -> None:
    """By form, by signature, by who brings it."""
    with pytest.raises(type(refusal)) as caught:
        judge_revival(body, signature, by)
    assert vars(caught.value) == vars(refusal)


def state(*times: int | None, known: bool = False, used: int = 0) -> UndeletionState:
    standing = tuple(StandingTombstone(hash_of(f"{number}"), at) for number, at in enumerate(times))
    return UndeletionState(known, standing, used)


@pytest.mark.parametrize(
    "standing",
    [state(NOW + 1), state(), state(NOW + 1, NOW + 9)],
    ids=["the last second", "a tombstone never seen", "two tombstones wait"],
)
def test_a_deletion_is_taken_back_while_nothing_is_erased(standing: UndeletionState) -> None:
    """Also where the tombstone is still to come."""
    assert plan_undeletion(standing, NOW, 0)


@pytest.mark.parametrize(
    "standing",
    [state(NOW), state(NOW - 1), state(None), state(NOW + 9, None)],
    ids=["due this second", "overdue", "erased", "erased by another tombstone"],
)
def test_what_is_erased_does_not_come_back(standing: UndeletionState) -> None:
    """Nor what is due: the receipt says that it is gone."""
    with pytest.raises(ErasedAlready):
        plan_undeletion(standing, NOW, 0)


def test_the_same_word_again_changes_nothing() -> None:
    """Also when the item was deleted again since, and erased."""
    assert not plan_undeletion(state(known=True), NOW, 1)
    assert not plan_undeletion(state(None, known=True), NOW, 1)


def test_revivals_count_towards_the_quota() -> None:
    """Nobody fills a disk with them for free."""
    assert plan_undeletion(state(used=100), NOW, 100 + TOMBSTONE_BYTES)
    with pytest.raises(QuotaExceeded):
        plan_undeletion(state(used=101), NOW, 100 + TOMBSTONE_BYTES)


@pytest.mark.parametrize(
    ("body", "signature", "refusal"),
    [
        pytest.param(b"\xc1", FORGETTING_SIGNATURE, Malformed("tombstone"), id="no document"),
        pytest.param(TOMBSTONE, FORGETTING_SIGNATURE, Malformed("tombstone"), id="an item's tombstone"),
        pytest.param(FORGETTING, bytes(64), Malformed("signature"), id="unsigned"),
        pytest.param(FORGETTING, SIGNATURE, Malformed("signature"), id="the signature of another document"),
    ],
)
def test_an_owners_tombstone_is_refused(body: bytes, signature: bytes, refusal: Refusal) -> None:
    """Nobody is forgotten but by their own word."""
    with pytest.raises(type(refusal)) as caught:
        judge_forgetting(body, signature)
    assert vars(caught.value) == vars(refusal)


def test_the_receipt_is_the_safes_word_for_this_owners_tombstone() -> None:
    """And the same again for the same tombstone, however much later."""
    word = judge_forgetting(FORGETTING, FORGETTING_SIGNATURE)
    made = plan_forgetting(None, word, RULES)
    receipt = read_deletion(
        made.receipt, made.receipt_signature, SAFE_IDS[0], SAFE_KEYS[0].public, FORGETTING
    )
    assert (receipt.erased_at, made.owner_key) == (NOW, ACCOUNT)
    assert plan_forgetting(made, word, replace(RULES, now=NOW + 9)) is made


def test_another_tombstone_of_the_same_owner_takes_its_place() -> None:
    """So that every receipt names a tombstone that is really kept."""
    made = plan_forgetting(None, judge_forgetting(FORGETTING, FORGETTING_SIGNATURE), RULES)
    later = judge_forgetting(*forget_owner(OwnerId(bytes(32)), NOW + 1, OWNER))
    assert plan_forgetting(made, later, RULES).tombstone == later.tombstone


def test_a_forgotten_owner_authorises_nobody() -> None:
    """Whatever they signed before."""
    signed = authorise_wallet(THEIR_WALLET.key, NOW, OWNER)
    word = judge_authorisation(signed.authorisation, signed.signature, THEIR_WALLET.key)
    with pytest.raises(WalletRevoked):
        plan_authorisation(WalletState(forgotten=True), word)
