"""Two wallets of one owner at real safes: what one deleted leaves the other on no old receipt."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.owner_safes import LocalSafes, local_safes
from support.owners_at_real_safes import ANNA, PIN, backed_up, enrolled, value_of, wallet_at
from support.owners_wallets import quick_stretch
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.errors import NotKeptAnyMore
from wallet_client.operations.forget import forget
from wallet_client.operations.forget_owner import forget_owner
from wallet_client.operations.owner_recovery import continue_recovery, recover_owner
from wallet_client.operations.owner_wallets import revoke
from wallet_client.operations.put_away import put_away
from wallet_client.operations.settle import changing
from wallet_client.operations.undelete import undelete
from wallet_client.owners.factors import by_pin
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[LocalSafes]:
    """Three safes, of which two bring back."""
    async with local_safes(tmp_path / "safes", 3, 2) as started:
        yield started


@pytest.fixture
async def one(tmp_path: Path, safes: LocalSafes) -> AsyncIterator[Wallet]:
    """An owner's, with two values that are backed up."""
    async with wallet_at(tmp_path / "one", safes) as opened:
        await enrolled(opened)
        await backed_up(opened, "ticket", "coupon")
        yield opened


@pytest.fixture
async def other(tmp_path: Path, safes: LocalSafes, one: Wallet) -> AsyncIterator[Wallet]:
    """Another of the same owner's, which may be stolen."""
    async with wallet_at(tmp_path / "other", safes, "other") as opened:
        await recover_owner(opened, ANNA, by_pin(PIN))
        yield opened


async def deleted(wallet: Wallet, receipt: ReceiptId) -> None:
    async with changing(wallet):
        await forget(wallet, [receipt])


def receipt_of(wallet: Wallet, name: str) -> ReceiptId:
    receipt_id = wallet.store.values.summary(value_of(wallet, name)).receipt_id
    assert receipt_id is not None
    return ReceiptId(receipt_id)


async def test_what_the_safes_keep_leaves(one: Wallet, other: Wallet) -> None:
    """Also where the other wallet registered it anew."""
    ticket, coupon = value_of(one, "ticket"), value_of(one, "coupon")
    await back_up(other, [value_of(other, "coupon")], "compact")
    assert (await put_away(one, [ticket, coupon], delete=True)).left == (ticket, coupon)
    assert one.store.values.summaries() == []


async def test_what_the_other_deleted_stays(one: Wallet, other: Wallet) -> None:
    """Until this wallet has looked again; then it is registered anew, and leaves."""
    ticket, coupon = value_of(one, "ticket"), value_of(one, "coupon")
    await deleted(other, receipt_of(one, "ticket"))
    with pytest.raises(NotKeptAnyMore):
        await drop_backed_up(one, [ticket, coupon], accept_fewer=True)
    assert len(one.store.values.summaries()) == 2
    done = await put_away(one, [ticket, coupon], delete=True)
    assert (done.left, done.staying) == ((coupon,), (ticket,))
    await continue_recovery(one)
    assert (await put_away(one, [ticket], delete=True)).left == (ticket,)


async def test_what_a_thief_deleted_stays_until_it_is_taken_back(one: Wallet, other: Wallet) -> None:
    """The receipt stands, since the thief is revoked; the safes give nothing out for it."""
    ticket, receipt = value_of(one, "ticket"), receipt_of(one, "ticket")
    await deleted(other, receipt)
    await revoke(one, bytes(other.keys.signing.public).hex(), by_pin(PIN))
    await continue_recovery(one)
    with pytest.raises(NotKeptAnyMore):
        await drop_backed_up(one, [ticket], accept_fewer=False)
    await undelete(one, receipt, by_pin(PIN))
    await drop_backed_up(one, [ticket], accept_fewer=False)


async def test_nothing_leaves_once_the_owner_is_forgotten(one: Wallet, other: Wallet) -> None:
    """Every safe erased everything; what is here is all there is."""
    ticket = value_of(one, "ticket")
    await forget_owner(other, ANNA, by_pin(PIN))
    with pytest.raises(NotKeptAnyMore):
        await drop_backed_up(one, [ticket], accept_fewer=True)
    assert (await put_away(one, [ticket], delete=True)).staying == (ticket,)


async def test_what_was_registered_just_now_needs_no_second_word(one: Wallet, safes: LocalSafes) -> None:
    """The certificates are fresh; the safes may be gone again."""
    await backed_up(one, "pass")
    for safe in safes.safes:
        await safe.stop()
    value_id = value_of(one, "pass")
    await drop_backed_up(one, [value_id], accept_fewer=False, fresh=[value_id])
    with pytest.raises(NotKeptAnyMore):
        await drop_backed_up(one, [value_of(one, "ticket")], accept_fewer=False)
