"""Two wallets of one owner: what the one registers, edits or deletes, the other comes to know."""

import copy
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from support.memory_safes import MemorySafes, opened
from support.owners_wallets import (
    VALUES,
    away,
    come_back,
    contents,
    enrolled,
    keep,
    named,
    quick_stretch,
    receipts,
)
from support.wallet_samples import small_value
from trust.ids import ItemId
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.forget import forget
from wallet_client.operations.key_backup import back_up_key
from wallet_client.operations.keys import forget_key, make_key
from wallet_client.operations.owner_errors import WalletWithoutOwner
from wallet_client.operations.owner_recovery import continue_recovery
from wallet_client.operations.recover import recover
from wallet_client.operations.reseal import reseal
from wallet_client.operations.reseed import reseed
from wallet_client.operations.settle import changing
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")

EDITED = small_value("edited", payload=b"what the first wallet made of it")


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which any three bring back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def first(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """The owner's first wallet, with three values that are backed up."""
    async with opened(folder / "first", safes, seed="first") as wallet:
        await enrolled(wallet)
        await back_up(wallet, keep(wallet), "threshold")
        yield wallet


@pytest.fixture
async def second(folder: Path, safes: MemorySafes, first: Wallet) -> AsyncIterator[Wallet]:
    """The owner's second wallet, which has brought everything back."""
    async with opened(folder / "second", safes, seed="second") as wallet:
        await come_back(wallet)
        yield wallet


def id_of(wallet: Wallet, name: str) -> ValueId:
    """A value's id in one wallet."""
    return next(one.id for one in wallet.store.values.summaries() if one.name == name)


def receipt_ids(wallet: Wallet) -> list[ReceiptId]:
    return [one.receipt_id for one in receipts(wallet)]


def generations(wallet: Wallet) -> dict[ItemId, int]:
    """By item, what a wallet has a receipt of."""
    leaves = [one.read_leaf() for one in receipts(wallet)]
    return {leaf.item_id: leaf.generation for leaf in leaves}


def kept(safes: MemorySafes) -> list[set[tuple[bytes, int]]]:
    """By safe, the generations of items that it keeps."""
    return [safe.kept_items() for safe in safes]


async def test_what_the_first_backs_up_comes_to_the_second(first: Wallet, second: Wallet) -> None:
    """Without the PIN, and as often as it is said."""
    await back_up(first, keep(first, [EDITED]), "coupled")
    for _ in range(2):
        done = await continue_recovery(second)
        assert (done.found, done.recovered, done.left) == (4, 4, {})
        assert contents(second) == named([*VALUES, EDITED])
    assert generations(second) == generations(first)


async def test_what_was_put_away_stays_away(first: Wallet, second: Wallet) -> None:
    """Nor does a key come back that the user sent away."""
    key = await make_key(second, "shared", "office")
    await back_up_key(second, key.id, "threshold")
    await forget_key(second, key.id)
    await drop_backed_up(second, [id_of(second, "empty")], accept_fewer=False)
    done = await continue_recovery(second)
    assert [value.name for value in contents(second)] == [value.name for value in named(VALUES[::2])]
    assert done.suspended == ()
    assert not second.store.keyring.has(key.id)


async def test_what_the_first_edits_takes_the_place_of_the_old(
    first: Wallet, second: Wallet, safes: MemorySafes
) -> None:
    """In the wallet as at the safes, under the id that it has here."""
    before = id_of(second, "empty")
    await edit(first, id_of(first, "empty"), EDITED)
    await continue_recovery(second)
    assert second.store.values.get(before) == EDITED
    assert contents(second) == contents(first)
    assert generations(second) == generations(first)
    await drop_backed_up(second, [before], accept_fewer=False)
    safes.take_down(1, 2)
    await recover(second, receipt_ids(second))
    assert contents(second) == contents(first)


async def test_an_edit_that_does_not_come_yet_is_fetched_the_next_time(
    first: Wallet, second: Wallet, safes: MemorySafes
) -> None:
    """Too few safes give it: the old content stays here until they do."""
    before = id_of(second, "empty")
    await edit(first, id_of(first, "empty"), EDITED)
    taken = copy.deepcopy([safe.pieces for safe in safes])
    for number in (1, 2, 3):
        for name, piece in safes[number].pieces.items():
            if name[1] == 2:
                safes[number].pieces[name].blob = bytes(len(piece.blob or b""))
    done = await continue_recovery(second)
    assert [type(error) for error in done.left.values()] == [TooFewSafes]
    assert second.store.values.get(before) == VALUES[1]
    for safe, pieces in zip(safes, taken, strict=True):
        safe.pieces = pieces
    assert (await continue_recovery(second)).left == {}
    assert second.store.values.get(before) == EDITED


async def test_what_the_first_deletes_has_no_receipt_in_the_second(
    first: Wallet, second: Wallet, safes: MemorySafes
) -> None:
    """The value itself stays, and is backed up nowhere; it can be backed up again."""
    (gone, *_) = receipt_ids(first)
    async with changing(first):
        await forget(first, [gone])
    await continue_recovery(second)
    assert gone not in receipt_ids(second)
    assert contents(second) == named()
    (unlinked,) = [one for one in second.store.values.summaries() if one.receipt_id is None]
    (entry,) = (await back_up(second, [unlinked.id], "threshold")).entries
    assert entry.state.word == "safe"


async def test_a_withdrawn_generation_is_not_tried_again(
    first: Wallet, second: Wallet, safes: MemorySafes
) -> None:
    """The first failed to back up anew; the second takes the generation after."""
    safes.take_down(1, 2, 3)
    with pytest.raises(TooFewSafes):
        await edit(first, id_of(first, "empty"), EDITED)
    safes.take_down()
    await continue_recovery(second)
    await edit(second, id_of(second, "empty"), EDITED)
    assert sorted(generations(second).values()) == [1, 1, 3]


async def test_a_reseed_seals_what_stands_and_not_what_is_out_of_date_here(
    first: Wallet, second: Wallet, safes: MemorySafes
) -> None:
    """Else an edit by the first would be undone by sealing the second's content anew."""
    await edit(first, id_of(first, "empty"), EDITED)
    await back_up(first, keep(first, [small_value("new")]), "threshold")
    done = await reseed(second)
    assert (done.ended, done.waiting, len(done.resealed)) == (True, 0, 4)
    await continue_recovery(first)
    assert contents(first) == named([VALUES[0], EDITED, VALUES[2], small_value("new")])
    assert sorted(generations(first).values()) == [2, 2, 2, 3]
    assert generations(first) == generations(second)
    assert kept(safes) == [set(generations(first).items())] * 5


async def test_an_old_generation_whose_wallet_is_lost_goes_with_the_next_one(
    first: Wallet, second: Wallet, safes: MemorySafes
) -> None:
    """A reseed was interrupted, and its journal is lost: another wallet ends it."""
    async with changing(first):
        await reseal(first, receipt_ids(first), keeps_old=True)
    assert {len(items) for items in kept(safes)} == {6}
    done = await continue_recovery(second)
    assert (done.found, done.recovered) == (3, 3)
    assert kept(safes) == [set(generations(second).items())] * 5
    assert set(generations(second).values()) == {2}


async def test_an_old_generation_stays_until_every_safe_has_the_next(
    first: Wallet, second: Wallet, safes: MemorySafes
) -> None:
    """Whatever a wallet knows of it."""
    safes.take_down(4)
    async with changing(first):
        await reseal(first, receipt_ids(first), keeps_old=True)
    safes.take_down()
    await continue_recovery(second)
    assert [len(items) for items in kept(safes)] == [6, 6, 6, 3, 6]
    assert {entry.kind for entry in second.store.journal.entries()} == {"superseded"}
    await reseed(second)
    assert kept(safes) == [set(generations(second).items())] * 5


async def test_a_deletion_takes_older_generations_with_it(first: Wallet, safes: MemorySafes) -> None:
    """Who deletes an item wants none of it left."""
    safes.take_down(4)
    await reseed(first)
    safes.take_down()
    async with changing(first):
        await forget(first, receipt_ids(first))
    assert kept(safes) == [set()] * 5
    assert first.store.journal.entries() == []


async def test_a_receipt_of_which_the_wallet_keeps_shares_is_not_dropped(
    first: Wallet, second: Wallet
) -> None:
    """They are nowhere else; what it stands for may still be at the safes that the deletion did not reach."""
    (item, *_) = receipts(second)
    from wallet_client.receipts.shelf import update_receipt

    update_receipt(second.store, structs.replace(item, kept_shares=((9, b"share"),)))
    async with changing(first):
        await forget(first, [item.receipt_id])
    await continue_recovery(second)
    assert item.receipt_id in receipt_ids(second)


async def test_a_wallet_of_nobody_has_nothing_to_go_on_with(folder: Path, safes: MemorySafes) -> None:
    """It is told how to come back as an owner."""
    async with opened(folder / "nobody", safes, seed="nobody") as wallet:
        with pytest.raises(WalletWithoutOwner):
            await continue_recovery(wallet)


async def test_without_any_safe_nothing_changes(second: Wallet, safes: MemorySafes) -> None:
    """The error names each."""
    safes.take_down(1, 2, 3, 4, 5)
    with pytest.raises(TooFewSafes) as caught:
        await continue_recovery(second)
    assert len(caught.value.failed) == 5
    assert contents(second) == named()


async def test_away_values_of_the_first_are_nothing_to_the_second_until_it_asks(
    first: Wallet, second: Wallet
) -> None:
    """And then they come, though the first has put them away."""
    await away(first, "plain", [EDITED])
    assert EDITED not in contents(second)
    await continue_recovery(second)
    assert EDITED in contents(second)
