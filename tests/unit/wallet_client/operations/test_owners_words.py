"""Words of the owner in a safe's queue: what the safe does not take holds up nothing that follows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.memory_owner_safes import Faults
from support.memory_safes import MemorySafes, opened
from support.sample_documents import NOW, key
from support.wallet_samples import small_value
from trust.authorisation import revoke_wallet
from trust.ids import OwnerId, WalletKey
from trust.owner_refusals import NotAnOwnersWallet, NotTheOwner, WalletHasOwner, WalletRevoked
from trust.refusals import Refusal
from wallet_client.network.failures import WrongReply
from wallet_client.operations.backup import back_up
from wallet_client.operations.forget import forget
from wallet_client.operations.forget_owner import owe_forgetting
from wallet_client.operations.journal import OwnersWord
from wallet_client.operations.outbox import deliver
from wallet_client.operations.owners_words import owe_word
from wallet_client.operations.settle import changing
from wallet_client.owners.names import OwnerName
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import all_forgettings
from wallet_client.wallet import Wallet

OWNER = key("an owner's")


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


async def backed_up(wallet: Wallet) -> ReceiptId:
    with wallet.store.transaction():
        value = wallet.store.values.add(small_value("ticket"))
    return (await back_up(wallet, [value], "threshold")).entries[0].receipt_id


def owe_revocation(wallet: Wallet) -> None:
    word = revoke_wallet(WalletKey(key("a lost wallet").public), NOW, OWNER)
    with wallet.store.transaction():
        owe_word(wallet, "lost-revoked", OwnersWord("revocation", *word))


@pytest.mark.parametrize(
    "refusal",
    [NotAnOwnersWallet(), NotTheOwner(), WalletRevoked(), WalletHasOwner()],
    ids=lambda one: type(one).__name__,
)
async def test_a_word_that_a_safe_does_not_take_waits_and_the_rest_goes_on(
    wallet: Wallet, safes: MemorySafes, refusal: Refusal
) -> None:
    """It may have missed the enrolment; the batches that would tell it must reach it all the same."""
    safes.take_down(5)
    receipt = await backed_up(wallet)
    owe_revocation(wallet)
    async with changing(wallet):
        await forget(wallet, [receipt])
    safes.take_down()
    safes.owners_at(5).faults = Faults(refuses={"revoke_wallet": refusal})
    delivered = await deliver(wallet)
    assert delivered.failed[safes[5].entry.safe_id] is refusal
    assert [entry.owner_id for entry in wallet.store.outbox.entries(safe_id=safes[5].entry.safe_id)] == [
        "lost-revoked"
    ]
    assert len(safes[5].tombstones) == 1


async def test_an_owners_end_is_told_until_each_safe_gave_its_receipt(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """A safe that is away, and one whose answer is lost, give theirs later."""
    with wallet.store.transaction():
        everyone = [safe.safe_id for safe in wallet.roster.safes]
        owe_forgetting(wallet, OwnerName("anna"), OwnerId(bytes(32)), OWNER, everyone)
    safes.take_down(1)
    safes.owners_at(2).faults = Faults(loses_reply_of=("forget_owner",))
    delivered = await deliver(wallet)
    assert set(delivered.failed) == {safes[1].entry.safe_id, safes[2].entry.safe_id}
    (forgetting,) = all_forgettings(wallet.store)
    assert forgetting.owed_to == (safes[1].entry.safe_id, safes[2].entry.safe_id)
    safes.take_down()
    safes.owners_at(2).faults = Faults()
    assert (await deliver(wallet)).failed == {}
    (forgetting,) = all_forgettings(wallet.store)
    assert (forgetting.owed_to, len(forgetting.erased_at)) == ((), 5)
    assert wallet.store.outbox.entries() == []


async def test_a_receipt_that_is_not_the_safes_is_none(wallet: Wallet, safes: MemorySafes) -> None:
    """Signed with another key than the roster's."""
    with wallet.store.transaction():
        owe_forgetting(wallet, OwnerName("anna"), OwnerId(bytes(32)), OWNER, [safes[1].entry.safe_id])
    safes[1].signing_key = key("another")
    delivered = await deliver(wallet)
    assert [type(failure) for failure in delivered.failed.values()] == [WrongReply]
    assert len(wallet.store.outbox.entries()) == 1
