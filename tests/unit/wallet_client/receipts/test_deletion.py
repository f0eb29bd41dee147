"""What the wallet keeps of a deletion, who still owes it, and which of its signatures do not hold."""

from collections.abc import Callable

import pytest
from msgspec import structs

from support.memory_safes import roster_of, safe_key
from support.sample_documents import ITEM_IDS, NOW, WALLET, draw, key
from trust.errors import DocumentMalformed, RosterRefused, SignatureInvalid, TrustError
from trust.ids import ItemId, SafeId, Signature, WalletKey
from trust.tombstone import Tombstone, sign_deletion, sign_tombstone
from wallet_client.receipts.deletion import (
    DeletedItem,
    Deletion,
    generations_of,
    verify_deletion,
)
from wallet_client.receipts.receipt import receipt_id_of

ROSTER = roster_of(3, 2)
SAFES = [safe.safe_id for safe in ROSTER.safes]
KEYS = {safe.safe_id: (safe.signing_key,) for safe in ROSTER.safes}


def item(item_id: ItemId) -> DeletedItem:
    """Its first generation's end."""
    tombstone = Tombstone(WalletKey(WALLET.public), item_id, 1, NOW)
    return DeletedItem(*sign_tombstone(tombstone, WALLET), "threshold")


ITEMS = (item(ITEM_IDS[0]), item(ITEM_IDS[1]))


def word_of(number: int, about: DeletedItem, erased_at: int = NOW + 60) -> tuple[bytes, Signature]:
    """What safe 1, 2, ... says when it erased an item."""
    return sign_deletion(SAFES[number - 1], about.tombstone, erased_at, safe_key(number))


def confirmed_by(*numbers: int) -> Deletion:
    """The deletion of both items after these safes confirmed it."""
    deletion = Deletion.decided(ITEMS, SAFES)
    for number in numbers:
        received = {position: word_of(number, one) for position, one in enumerate(ITEMS)}
        deletion = deletion.with_receipts(SAFES[number - 1], received)
    return deletion


def test_a_deletion_survives_its_encoding() -> None:
    """Byte for byte, with what is still owed."""
    deletion = confirmed_by(1, 3)
    assert Deletion.from_bytes(deletion.to_bytes()) == deletion
    with pytest.raises(DocumentMalformed):
        Deletion.from_bytes(deletion.to_bytes()[:-1])


@pytest.mark.parametrize("items", [(), ITEMS[:1]], ids=["no item", "an item less than receipts"])
def test_receipts_that_belong_to_no_item_are_refused(items: tuple[DeletedItem, ...]) -> None:
    """There would be no saying what they are for."""
    safes = confirmed_by(1).safes
    with pytest.raises(DocumentMalformed):
        Deletion.from_bytes(structs.replace(_unchecked(), items=items, safes=safes).to_bytes())


def _unchecked() -> Deletion:
    """Of a type that looks the same and takes anything."""

    class Anything(Deletion, frozen=True):
        def __post_init__(self) -> None:
            """Check nothing."""

    return Anything((), ())


def test_what_is_owed_shrinks_with_every_receipt() -> None:
    """Item by item and safe by safe; what is known stays as it came first."""
    deletion = Deletion.decided(ITEMS, SAFES)
    assert [deletion.owed_to(safe_id) for safe_id in SAFES] == [(0, 1)] * 3
    deletion = deletion.with_receipts(SAFES[1], {1: word_of(2, ITEMS[1])})
    assert [deletion.owed_to(safe_id) for safe_id in SAFES] == [(0, 1), (0,), (0, 1)]
    deletion = deletion.with_receipts(SAFES[1], {0: word_of(2, ITEMS[0])})
    assert [deletion.owed_to(safe_id) for safe_id in SAFES] == [(0, 1), (), (0, 1)]
    assert deletion.receipts_kept == 2


def test_a_list_tells_who_erased_when_and_who_owes_it() -> None:
    """For each generation of each item."""
    deletion = Deletion.decided(ITEMS, SAFES).with_receipts(SAFES[0], {1: word_of(1, ITEMS[1], NOW + 7)})
    first, second = generations_of(deletion)
    assert (first.receipt_id, first.item_id) == (receipt_id_of(ITEM_IDS[0]), ITEM_IDS[0])
    assert (second.generation, second.policy_name, second.deleted_at) == (1, "threshold", NOW)
    assert (first.erased_at, first.owed_to) == ({}, tuple(SAFES))
    assert (second.erased_at, second.owed_to) == ({SAFES[0]: NOW + 7}, (SAFES[1], SAFES[2]))


def test_everything_that_safes_gave_holds_offline() -> None:
    """With what is still owed left out."""
    assert list(verify_deletion(confirmed_by(1, 2), KEYS)) == []


def test_a_receipt_holds_under_the_key_that_the_safe_had_then() -> None:
    """It is not renewed when a roster gives the safe another."""
    later = {**KEYS, SAFES[0]: (key("the next key").public, *KEYS[SAFES[0]])}
    assert list(verify_deletion(confirmed_by(1), later)) == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (lambda: word_of(1, ITEMS[1]), DocumentMalformed),
        (lambda: word_of(2, ITEMS[0]), SignatureInvalid),
        (lambda: (word_of(1, ITEMS[0])[0], word_of(1, ITEMS[1])[1]), SignatureInvalid),
        (lambda: sign_deletion(SAFES[0], ITEMS[0].tombstone, NOW, key("stranger")), SignatureInvalid),
        (lambda: (ITEMS[0].tombstone, ITEMS[0].signature), DocumentMalformed),
    ],
    ids=["another item's", "another safe's", "another's signature", "a stranger's", "the tombstone itself"],
)
def test_a_receipt_for_something_else_does_not_hold(
    said: Callable[[], tuple[bytes, Signature]], error: type[TrustError]
) -> None:
    """The finding names item and safe; the others stand."""
    deletion = confirmed_by(1, 2).with_receipts(SAFES[0], {0: said()})
    (problem,) = verify_deletion(deletion, KEYS)
    assert (problem.receipt_id, problem.safe_id) == (receipt_id_of(ITEM_IDS[0]), SAFES[0])
    assert isinstance(problem.error, error)


def test_a_receipt_of_a_safe_that_no_roster_names_does_not_hold() -> None:
    """Whoever signed it."""
    known: dict[SafeId, tuple[bytes, ...]] = {SAFES[1]: KEYS[SAFES[1]]}
    problems = list(verify_deletion(confirmed_by(1, 2), known))
    assert [problem.safe_id for problem in problems] == [SAFES[0], SAFES[0]]
    assert all(isinstance(problem.error, RosterRefused) for problem in problems)


def test_a_tombstone_that_the_wallet_did_not_sign_does_not_hold() -> None:
    """It proves nothing about what the wallet wanted."""
    forged = DeletedItem(ITEMS[0].tombstone, Signature(draw("no signature", 64)), "threshold")
    (problem,) = verify_deletion(Deletion.decided((forged,), SAFES), KEYS)
    assert problem.safe_id is None
    assert isinstance(problem.error, SignatureInvalid)


def test_what_the_owner_took_back_is_owed_no_more() -> None:
    """At the safes that keep it; the other items' receipts are owed as before."""
    deletion = confirmed_by(1).with_undone(SAFES[:2], [0])
    assert [deletion.owed_to(safe_id) for safe_id in SAFES] == [(), (1,), (0, 1)]
    assert Deletion.from_bytes(deletion.to_bytes()) == deletion
    undone, other = generations_of(deletion)
    assert (undone.undone_at, undone.owed_to, undone.erased_at) == (tuple(SAFES[:2]), (SAFES[2],), {})
    assert (other.undone_at, other.owed_to) == ((), (SAFES[1], SAFES[2]))


def test_a_safe_that_erased_before_it_heard_does_not_keep_it_after_all() -> None:
    """Its receipt counts again; where it gave none, it owes one."""
    deletion = confirmed_by(1).with_undone(SAFES, [0, 1]).without_undone([SAFES[0], SAFES[2]], [0])
    assert [deletion.owed_to(safe_id) for safe_id in SAFES] == [(), (), (0,)]
    first, _ = generations_of(deletion)
    assert (list(first.erased_at), first.undone_at) == ([SAFES[0]], (SAFES[1],))


def test_a_deletion_that_was_taken_back_is_verified_all_the_same() -> None:
    """What was signed was signed."""
    assert list(verify_deletion(confirmed_by(1, 2).with_undone(SAFES, [0]), KEYS)) == []
    forged = {0: (word_of(1, ITEMS[0])[0], Signature(bytes(64)))}
    deletion = Deletion.decided(ITEMS, SAFES).with_receipts(SAFES[0], forged).with_undone(SAFES, [0])
    (problem,) = verify_deletion(deletion, KEYS)
    assert problem.safe_id == SAFES[0]
