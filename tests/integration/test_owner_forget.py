"""An owner ends at real safes: everything goes, the name is free; a failed enrolment leaves nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.owner_safes import LocalSafe, LocalSafes, local_safes
from support.owners_at_real_safes import (
    ANNA,
    PIN,
    WRONG_PIN,
    backed_up,
    connect,
    enrolled,
    owners_at,
    pieces_at,
    value_of,
    wallet_at,
)
from support.owners_wallets import quick_stretch
from support.sample_documents import key
from trust.tombstone import sign_deletion
from wallet_client.network.failures import WrongReply
from wallet_client.operations.enrolling import OWNER_SEED
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.forget import forget
from wallet_client.operations.forget_owner import forget_owner, nowhere_else
from wallet_client.operations.key_backup import back_up_key
from wallet_client.operations.keys import forget_key
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owner_errors import (
    OtherOwner,
    OwnerNameTaken,
    OwnerNotUnlocked,
    WalletWithoutOwner,
)
from wallet_client.operations.owner_status import owner_status
from wallet_client.operations.settle import changing
from wallet_client.operations.undelete import undelete
from wallet_client.owners.factors import by_pin
from wallet_client.owners.names import OwnerName
from wallet_client.receipts.forgetting import verify_forgetting
from wallet_client.receipts.shelf import all_forgettings
from wallet_client.wallet import Wallet, pinned_signing_keys

__all__ = ["quick_stretch"]

pytestmark = [pytest.mark.no_cover, pytest.mark.usefixtures("quick_stretch")]

BERTA = OwnerName("berta")


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


def left_at(safe: LocalSafe) -> tuple[int, int]:
    return owners_at(safe), pieces_at(safe)


def receipts_hold(wallet: Wallet) -> list[int]:
    """Of each forgotten owner: how many safes' receipts there are; each must hold."""
    keys = pinned_signing_keys(wallet.store)
    for forgetting in all_forgettings(wallet.store):
        assert list(verify_forgetting(forgetting, keys)) == []
    return [len(forgetting.erased_at) for forgetting in all_forgettings(wallet.store)]


async def test_nothing_is_left_at_the_safes_and_values_stay_in_the_wallet(
    wallet: Wallet, safes: LocalSafes
) -> None:
    """Every safe gives its receipt; the wallet acts for nobody, and keeps no receipt that brings nothing."""
    await backed_up(wallet, "ticket", "coupon")
    done = await forget_owner(wallet, OwnerName("ANNA"), by_pin(PIN))
    assert (done.forgetting.name, len(done.forgetting.erased_at), done.failed) == ("anna", 3, {})
    assert [left_at(safe) for safe in safes.safes] == [(0, 0)] * 3
    assert receipts_hold(wallet) == [3]
    store = wallet.store
    assert (store.settings.get().owner, wallet.keys.ownership, wallet.keys.bindings) == (None, None, {})
    assert (store.receipts.entries(), store.outbox.entries()) == ([], [])
    assert {one.name: one.receipt_id for one in store.values.summaries()} == {"ticket": None, "coupon": None}
    with pytest.raises(WalletWithoutOwner):
        await owner_status(wallet)


async def test_the_same_wallet_begins_again_under_the_same_name(wallet: Wallet, safes: LocalSafes) -> None:
    """With another key, and everything is backed up anew."""
    await backed_up(wallet, "ticket")
    await forget_owner(wallet, ANNA, by_pin(PIN))
    await enrolled(wallet)
    await backed_up(wallet, "coupon")
    assert [left_at(safe) for safe in safes.safes] == [(1, pieces_at(safe)) for safe in safes.safes]
    assert all(pieces_at(safe) for safe in safes.safes)


async def test_a_safe_that_is_away_is_told_later(wallet: Wallet, safes: LocalSafes) -> None:
    """What it was owed before goes, but for tombstones; the wallet need not act for anybody by then."""
    first, second = await backed_up(wallet, "ticket", "coupon")
    async with changing(wallet):
        await forget(wallet, [second])
        await safes.safes[2].stop()
        await forget(wallet, [first])
    await undelete(wallet, second, by_pin(PIN))
    kinds = [entry.owner_id.rpartition("-")[2] for entry in wallet.store.outbox.entries()]
    assert kinds == ["deleted", "revived"]
    done = await forget_owner(wallet, ANNA, by_pin(PIN))
    assert list(done.failed) == ["safe-3"]
    kinds = [entry.owner_id.rpartition("-")[2] for entry in wallet.store.outbox.entries()]
    assert kinds == ["deleted", "forgotten"]
    await safes.safes[2].start()
    connect(wallet, safes)
    assert (await deliver(wallet)).failed == {}
    assert (wallet.store.outbox.entries(), receipts_hold(wallet)) == ([], [3])
    assert left_at(safes.safes[2]) == (0, 0)


async def test_what_is_at_the_safes_alone_is_named_before(wallet: Wallet) -> None:
    """Values; the root and what comes from it are not lost, since the owner's record has the root."""
    await backed_up(wallet, "ticket", "coupon", policy="seed")
    assert nowhere_else(wallet.store) == []
    gone = value_of(wallet, "ticket")
    wallet.store.values.remove(gone)
    assert nowhere_else(wallet.store) == [gone]
    root = next(one for one in wallet.store.keyring.entries() if one.kind == "root")
    assert not wallet.store.keyring.has(root.id)
    await forget_owner(wallet, ANNA, by_pin(PIN))
    assert wallet.store.keyring.has(root.id)
    assert await backed_up(wallet, "again", policy="seed")


async def test_a_key_that_nothing_brings_back_goes_with_the_owner(wallet: Wallet) -> None:
    """To its public half nothing should be sealed any more."""
    await backed_up(wallet, "ticket", policy="sealed-pair")
    pair = next(one for one in wallet.store.keyring.entries() if one.kind == "pair")
    await back_up_key(wallet, pair.id, "threshold")
    await forget_key(wallet, pair.id)
    assert pair.id in nowhere_else(wallet.store)
    await forget_owner(wallet, ANNA, by_pin(PIN))
    assert pair.id not in [one.id for one in wallet.store.keyring.entries()]


async def test_another_name_or_pin_forgets_nobody(wallet: Wallet, safes: LocalSafes) -> None:
    """Nothing is changed, here or there."""
    await backed_up(wallet, "ticket")
    with pytest.raises(OtherOwner):
        await forget_owner(wallet, BERTA, by_pin(PIN))
    with pytest.raises(OwnerNotUnlocked):
        await forget_owner(wallet, ANNA, by_pin(WRONG_PIN))
    assert [left_at(safe) for safe in safes.safes] == [(1, pieces_at(safes.safes[0]))] * 3
    assert wallet.store.settings.get().owner is not None
    assert receipts_hold(wallet) == []


async def test_a_safe_that_gives_another_receipt_has_given_none(
    wallet: Wallet, safes: LocalSafes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and owed the word again."""

    async def lying(self: object, tombstone: bytes, signature: bytes) -> tuple[bytes, bytes]:
        return sign_deletion(safes.safes[0].safe_id, tombstone, 1, key("a liar's"))

    with monkeypatch.context() as lies:
        lies.setattr("wallet_client.network.owner_link.OwnerLink.forget_owner", lying)
        done = await forget_owner(wallet, ANNA, by_pin(PIN))
    assert {type(failure) for failure in done.failed.values()} == {WrongReply}
    assert receipts_hold(wallet) == [0]
    assert (await deliver(wallet)).failed == {}
    assert receipts_hold(wallet) == [3]


async def test_an_enrolment_under_a_name_that_is_taken_leaves_nothing(
    tmp_path: Path, safes: LocalSafes
) -> None:
    """At one safe somebody has the name; what the others took of the record goes, and the wallet is free."""
    async with wallet_at(tmp_path / "stranger", safes, "stranger") as stranger:
        for safe in safes.safes[1:]:
            await safe.stop()
        with pytest.raises(TooFewSafes):
            await enrolled(stranger)
    for safe in safes.safes[1:]:
        await safe.start()
    async with wallet_at(tmp_path / "wallet", safes) as wallet:
        with pytest.raises(OwnerNameTaken) as refused:
            await enrolled(wallet)
        assert refused.value.safes == ("safe-1",)
        assert [owners_at(safe) for safe in safes.safes] == [1, 0, 0]
        assert not [one for one in wallet.store.keys.names() if one.startswith(OWNER_SEED)]
        assert (receipts_hold(wallet), wallet.store.outbox.entries()) == ([2], [])
        await enrolled(wallet, BERTA)
        assert [owners_at(safe) for safe in safes.safes] == [2, 1, 1]


async def test_an_enrolment_is_taken_back_at_a_safe_that_was_away_too(
    tmp_path: Path, safes: LocalSafes
) -> None:
    """It may have taken its part before it went; the wallet, which acts for nobody, tells it later."""
    async with wallet_at(tmp_path / "stranger", safes, "stranger") as stranger:
        for safe in safes.safes[1:]:
            await safe.stop()
        with pytest.raises(TooFewSafes):
            await enrolled(stranger)
    await safes.safes[0].stop()
    await safes.safes[2].start()
    async with wallet_at(tmp_path / "wallet", safes) as wallet:
        with pytest.raises(TooFewSafes):
            await enrolled(wallet)
        assert owners_at(safes.safes[2]) == 1
        await safes.safes[2].stop()
        for safe in safes.safes[:2]:
            await safe.start()
        connect(wallet, safes)
        with pytest.raises(OwnerNameTaken):
            await enrolled(wallet)
        await safes.safes[2].start()
        connect(wallet, safes)
        assert (await deliver(wallet)).failed == {}
        assert [owners_at(safe) for safe in safes.safes] == [1, 0, 0]
