"""An owner's wallets at real safes: a deletion waits, is taken back in time, or is carried out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.owner_safes import LocalSafes, local_safes
from support.owners_at_real_safes import (
    PIN,
    WRONG_PIN,
    backed_up,
    connect,
    enrolled,
    pieces_at,
    value_of,
    waiting_at,
    wallet_at,
)
from support.owners_wallets import quick_stretch
from support.wallet_samples import small_value
from wallet_client.errors import Ambiguous
from wallet_client.operations.backup import back_up
from wallet_client.operations.edit import edit
from wallet_client.operations.forget import forget
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owner_errors import (
    DeletedByRevoked,
    DeletionCarriedOut,
    NotDeleted,
    OwnerNotUnlocked,
    WalletWithoutOwner,
)
from wallet_client.operations.owner_recovery import continue_recovery, recover_owner
from wallet_client.operations.owner_wallets import revoke
from wallet_client.operations.recover import recover
from wallet_client.operations.reseed import reseed_root
from wallet_client.operations.settle import changing
from wallet_client.operations.undelete import undelete
from wallet_client.operations.unlocking import open_with
from wallet_client.owners.factors import by_pin
from wallet_client.owners.names import OwnerName
from wallet_client.receipts.deletion import DeletedGeneration, generations_of, verify_deletion
from wallet_client.receipts.errors import UnknownDeletion
from wallet_client.receipts.receipt import ReceiptId, state_of
from wallet_client.receipts.shelf import all_deletions, get_receipt
from wallet_client.wallet import Wallet, pinned_signing_keys

__all__ = ["quick_stretch"]

pytestmark = [pytest.mark.no_cover, pytest.mark.usefixtures("quick_stretch")]

DAY = 86_400
GRACE = 7 * DAY


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[LocalSafes]:
    """Three safes, of which two bring back."""
    async with local_safes(tmp_path / "safes", 3, 2) as started:
        yield started


@pytest.fixture
async def wallet(tmp_path: Path, safes: LocalSafes) -> AsyncIterator[Wallet]:
    """An owner's."""
    async with wallet_at(tmp_path / "wallet", safes) as opened:
        await enrolled(opened)
        yield opened


async def deleted(wallet: Wallet, *receipts: ReceiptId) -> None:
    async with changing(wallet):
        await forget(wallet, receipts)


def generations(wallet: Wallet) -> list[DeletedGeneration]:
    """Every deletion of the wallet; each must hold."""
    keys = pinned_signing_keys(wallet.store)
    for deletion in all_deletions(wallet.store):
        assert list(verify_deletion(deletion, keys)) == []
    return [one for deletion in all_deletions(wallet.store) for one in generations_of(deletion)]


async def test_a_deletion_is_taken_back_and_the_value_recovered(wallet: Wallet, safes: LocalSafes) -> None:
    """The receipt is whole again, and the safes give out what they kept."""
    (receipt,) = await backed_up(wallet, "ticket")
    value = wallet.store.values.get(value_of(wallet, "ticket"))
    wallet.store.values.remove(value_of(wallet, "ticket"))
    await deleted(wallet, receipt)
    (before,) = generations(wallet)
    assert set(before.erased_at.values()) == {safes.clock.ms // 1000 + GRACE}
    assert [waiting_at(safe) for safe in safes.safes] == [1, 1, 1]
    done = await undelete(wallet, receipt, by_pin(PIN))
    assert (done.receipt_id, done.state.word, done.failed) == (receipt, "safe", {})
    assert state_of(get_receipt(wallet.store, receipt)).word == "safe"
    (after,) = generations(wallet)
    assert (len(after.undone_at), after.erased_at, after.owed_to) == (3, {}, ())
    assert [waiting_at(safe) for safe in safes.safes] == [0, 0, 0]
    await recover(wallet, [receipt])
    assert wallet.store.values.get(value_of(wallet, "ticket")).payload == value.payload


async def test_what_was_recovered_and_deleted_with_its_receipt_comes_back_too(wallet: Wallet) -> None:
    """By the id that the receipt had, or its beginning."""
    (receipt,) = await backed_up(wallet, "coupon")
    await recover(wallet, [receipt], delete_receipts=True)
    assert (await undelete(wallet, receipt[:6], by_pin(PIN))).receipt_id == receipt


async def test_deleted_taken_back_and_deleted_again(wallet: Wallet, safes: LocalSafes) -> None:
    """Another tombstone, another deletion; the first keeps what it said of its other items."""
    first, second = await backed_up(wallet, "first", "second")
    await deleted(wallet, first, second)
    await undelete(wallet, first, by_pin(PIN))
    await deleted(wallet, first)
    states = [(one.receipt_id, len(one.erased_at), len(one.undone_at)) for one in generations(wallet)]
    assert sorted(states) == sorted([(first, 0, 3), (second, 3, 0), (first, 3, 0)])
    assert (await undelete(wallet, first, by_pin(PIN))).state.word == "safe"


async def test_a_safe_that_is_away_hears_of_both_later(wallet: Wallet, safes: LocalSafes) -> None:
    """Of the deletion no more, of its end all the same; it keeps the piece."""
    (receipt,) = await backed_up(wallet, "ticket")
    await safes.safes[2].stop()
    await deleted(wallet, receipt)
    done = await undelete(wallet, receipt, by_pin(PIN))
    assert list(done.failed) == ["safe-3"]
    assert (len(done.state.holding), done.state.may_still_be_lost) == (2, 0)
    assert [entry.safe_id for entry in wallet.store.outbox.entries()] == [safes.safes[2].safe_id]
    await safes.safes[2].start()
    connect(wallet, safes)
    delivered = await deliver(wallet)
    assert (delivered.entries, delivered.failed) == (1, {})
    assert wallet.store.outbox.entries() == []
    assert (pieces_at(safes.safes[2]), waiting_at(safes.safes[2])) == (1, 0)


async def test_too_late_is_too_late(wallet: Wallet, safes: LocalSafes) -> None:
    """Nothing comes back, and the deletion is told as carried out."""
    (receipt,) = await backed_up(wallet, "ticket")
    await deleted(wallet, receipt)
    safes.clock.ms += GRACE * 1000
    with pytest.raises(DeletionCarriedOut):
        await undelete(wallet, receipt, by_pin(PIN))
    (told,) = generations(wallet)
    assert (len(told.erased_at), told.undone_at) == (3, ())
    for safe in safes.safes:
        await safe.store.erase_due(safes.clock.ms // 1000)
    assert [pieces_at(safe) for safe in safes.safes] == [0, 0, 0]
    assert wallet.store.outbox.entries() == []


async def test_a_safe_that_erased_already_owes_its_receipt_again(wallet: Wallet, safes: LocalSafes) -> None:
    """It took the tombstone, its answer was lost, and it erased before it heard of the owner's word."""
    (receipt,) = await backed_up(wallet, "ticket")
    late = safes.safes[2]
    await late.stop()
    await deleted(wallet, receipt)
    await late.start()
    connect(wallet, safes)
    await deliver(wallet)
    safes.clock.ms += GRACE * 1000
    await late.store.erase_due(safes.clock.ms // 1000)
    safes.clock.ms -= GRACE * 1000
    done = await undelete(wallet, receipt, by_pin(PIN))
    assert len(done.state.holding) == 2
    (told,) = generations(wallet)
    assert (list(told.erased_at), len(told.undone_at)) == ([late.safe_id], 2)


async def test_what_another_wallet_of_the_owner_deleted_is_taken_back(
    tmp_path: Path, wallet: Wallet, safes: LocalSafes
) -> None:
    """A thief with an owner's wallet deletes everything; the owner comes back and undoes it."""
    (receipt,) = await backed_up(wallet, "ticket")
    async with wallet_at(tmp_path / "other", safes, "other") as other:
        await recover_owner(other, _anna(), by_pin(PIN))
        await deleted(wallet, receipt)
        assert generations(other) == []
        assert (await undelete(other, receipt, by_pin(PIN))).state.word == "safe"
    refused = await deliver(wallet)
    assert (refused.entries, refused.failed) == (0, {})


async def test_what_a_revoked_wallet_deleted_is_named_and_taken_back(
    tmp_path: Path, wallet: Wallet, safes: LocalSafes
) -> None:
    """Its tombstone hides nothing, so the receipt is there, also on a device that never had it."""
    (receipt,) = await backed_up(wallet, "ticket")
    async with wallet_at(tmp_path / "stolen", safes, "stolen") as stolen:
        await recover_owner(stolen, _anna(), by_pin(PIN))
        await deleted(stolen, receipt)
        thief = bytes(stolen.keys.signing.public).hex()
    await revoke(wallet, thief, by_pin(PIN))
    async with wallet_at(tmp_path / "new", safes, "new") as new:
        done = await recover_owner(new, _anna(), by_pin(PIN))
        assert {name: type(error) for name, error in done.left.items()} == {receipt: DeletedByRevoked}
        assert (await undelete(new, receipt, by_pin(PIN))).state.word == "safe"
        assert (await continue_recovery(new)).recovered == 1


async def test_what_a_thief_wrote_over_an_item_is_deleted_and_the_one_before_taken_back(
    tmp_path: Path, wallet: Wallet, safes: LocalSafes
) -> None:
    """The newer generation stands at all safes, so nobody can tell it from the owner's: the owner says so."""
    (receipt,) = await backed_up(wallet, "ticket")
    value = wallet.store.values.get(value_of(wallet, "ticket"))
    async with wallet_at(tmp_path / "stolen", safes, "stolen") as stolen:
        await recover_owner(stolen, _anna(), by_pin(PIN))
        await edit(stolen, value_of(stolen, "ticket"), small_value("rubbish"))
        thief = bytes(stolen.keys.signing.public).hex()
    await revoke(wallet, thief, by_pin(PIN))
    await continue_recovery(wallet)
    assert wallet.store.values.get(value_of(wallet, "rubbish")) != value
    with pytest.raises(NotDeleted):
        await undelete(wallet, receipt, by_pin(PIN))
    await recover(wallet, [receipt], delete_receipts=True)
    with pytest.raises(UnknownDeletion):
        await undelete(wallet, receipt, by_pin(PIN), 7)
    assert (await undelete(wallet, receipt, by_pin(PIN), 1)).state.word == "safe"
    await continue_recovery(wallet)
    assert wallet.store.values.get(value_of(wallet, "ticket")).payload == value.payload
    async with wallet_at(tmp_path / "new", safes, "new") as new:
        await recover_owner(new, _anna(), by_pin(PIN))
        assert [one.name for one in new.store.values.summaries()] == ["ticket"]


async def test_a_tombstone_that_another_wallet_took_back_is_owed_no_more(
    tmp_path: Path, wallet: Wallet, safes: LocalSafes
) -> None:
    """The safe was away for the deletion, and heard of its end first."""
    (receipt,) = await backed_up(wallet, "ticket")
    await safes.safes[2].stop()
    await deleted(wallet, receipt)
    await safes.safes[2].start()
    connect(wallet, safes)
    async with wallet_at(tmp_path / "other", safes, "other") as other:
        await recover_owner(other, _anna(), by_pin(PIN))
        async with changing(other):
            for entry in other.store.receipts.entries():
                other.store.receipts.delete(entry.id)
        await undelete(other, receipt, by_pin(PIN))
    delivered = await deliver(wallet)
    assert (delivered.entries, delivered.failed) == (1, {})
    assert wallet.store.outbox.entries() == []
    (told,) = generations(wallet)
    assert (len(told.erased_at), told.undone_at) == (2, (safes.safes[2].safe_id,))
    assert pieces_at(safes.safes[2]) == 1


def _anna() -> OwnerName:
    return OwnerName("Anna")


async def test_a_wrong_pin_changes_nothing(wallet: Wallet, safes: LocalSafes) -> None:
    """Neither here nor there."""
    (receipt,) = await backed_up(wallet, "ticket")
    await deleted(wallet, receipt)
    before = generations(wallet)
    with pytest.raises(OwnerNotUnlocked):
        await undelete(wallet, receipt, by_pin(WRONG_PIN))
    assert generations(wallet) == before
    assert [waiting_at(safe) for safe in safes.safes] == [1, 1, 1]


async def test_only_what_was_deleted_is_taken_back(wallet: Wallet) -> None:
    """Not what nobody deleted, not an item of which an older generation was."""
    one, other = await backed_up(wallet, "one", "other")
    await back_up(wallet, [value_of(wallet, "one")], "divided")
    with pytest.raises(NotDeleted):
        await undelete(wallet, one, by_pin(PIN))
    with pytest.raises(UnknownDeletion):
        await undelete(wallet, other, by_pin(PIN))
    await deleted(wallet, one, other)
    with pytest.raises(Ambiguous):
        await undelete(wallet, "r-", by_pin(PIN))


async def test_a_wallet_of_nobodys_takes_nothing_back(tmp_path: Path, safes: LocalSafes) -> None:
    """Its deletions are carried out at once."""
    async with wallet_at(tmp_path / "nobody", safes, "nobody") as wallet:
        (receipt,) = await backed_up(wallet, "ticket")
        await deleted(wallet, receipt)
        assert [pieces_at(safe) for safe in safes.safes] == [0, 0, 0]
        with pytest.raises(WalletWithoutOwner):
            await undelete(wallet, receipt, by_pin(PIN))


async def test_reseeding_with_the_owners_key_erases_old_generations_at_once(
    wallet: Wallet, safes: LocalSafes
) -> None:
    """What was stolen of them is worthless; nothing waits."""
    await backed_up(wallet, "one", "two")
    done = await reseed_root(wallet, by_pin(PIN))
    assert (done.ended, done.failed) == (True, {})
    assert [waiting_at(safe) for safe in safes.safes] == [0, 0, 0]
    assert all(max(one.erased_at.values()) <= safes.clock.ms // 1000 for one in generations(wallet)[-2:])


async def test_what_the_owner_signed_waits_at_a_safe_that_was_away(wallet: Wallet, safes: LocalSafes) -> None:
    """The wallet brings it later, without the owner's key; at the others it is gone at once."""
    (receipt,) = await backed_up(wallet, "ticket")
    await safes.safes[2].stop()
    owner = (await open_with(wallet, by_pin(PIN)))[0].secrets.signing_key
    async with changing(wallet):
        delivered = await forget(wallet, [receipt], owner)
    assert list(delivered.failed) == [safes.safes[2].safe_id]
    assert [pieces_at(safe) for safe in safes.safes[:2]] == [0, 0]
    await safes.safes[2].start()
    connect(wallet, safes)
    assert (await deliver(wallet)).failed == {}
    assert (pieces_at(safes.safes[2]), waiting_at(safes.safes[2])) == (1, 1)
    (told,) = generations(wallet)
    now = safes.clock.ms // 1000
    assert sorted(told.erased_at.values()) == [now, now, now + GRACE]
