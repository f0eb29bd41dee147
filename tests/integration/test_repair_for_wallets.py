"""What an owner and their wallets notice when a safe lost everything and rebuilt it from the others."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from safe_node.repairs import RepairReport
from support.owners_at_real_safes import (
    PIN,
    backed_up,
    connect,
    enrolled,
    owners_at,
    pieces_at,
    value_of,
    waiting_at,
    wallet_at,
)
from support.owners_wallets import quick_stretch
from support.peer_safes import PeerSafes, peer_safes
from trust.ids import SafeId
from trust.owner_refusals import WalletRevoked
from wallet_client.network.failures import explain
from wallet_client.operations.forget import forget
from wallet_client.operations.owner_recovery import recover_owner
from wallet_client.operations.owner_status import SafesView, owner_status
from wallet_client.operations.owner_wallets import revoke
from wallet_client.operations.recover import recover
from wallet_client.operations.safes_status import ask_for_repair, safes_status, still_repairing
from wallet_client.operations.settle import changing
from wallet_client.operations.undelete import undelete
from wallet_client.owners.factors import by_pin
from wallet_client.owners.names import OwnerName
from wallet_client.receipts.receipt import Receipt, ReceiptId, state_of
from wallet_client.receipts.shelf import get_receipt
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[PeerSafes]:
    """Four, two bring back."""
    async with peer_safes(tmp_path / "safes", 4, 2) as made:
        yield made


@pytest.fixture
async def wallet(tmp_path: Path, safes: PeerSafes) -> AsyncIterator[Wallet]:
    """An owner's."""
    async with wallet_at(tmp_path / "wallet", safes.local) as opened:
        await enrolled(opened)
        yield opened


async def deleted(wallet: Wallet, *receipts: ReceiptId) -> None:
    async with changing(wallet):
        await forget(wallet, receipts)


def counter_at(receipt: Receipt, safe_id: SafeId) -> int:
    """Y of a safe's certificate."""
    return next(one.read().counter for one in receipt.certificates if one.read().safe_id == safe_id)


async def test_the_wallet_takes_in_the_certificates_of_what_was_rebuilt(
    wallet: Wallet, safes: PeerSafes
) -> None:
    """By looking, or by recovering: with them the rebuilt safe is as good as any."""
    first, receipt = await backed_up(wallet, "ticket") + await backed_up(wallet, "coupon")
    await deleted(wallet, first)  # so that counters differ afterwards
    lost = safes.safes[0]
    await lost.wipe()
    connect(wallet, safes.local)
    empty = (await safes_status(wallet)).safes[lost.name]
    assert (empty.pieces > 0, empty.held, receipt in empty.lacking, empty.unrepairable) == (True, 0, True, ())
    await lost.repair()
    before = get_receipt(wallet.store, receipt)
    for away in safes.safes[2:]:
        await away.local.stop()
    wallet.store.values.remove(value_of(wallet, "coupon"))
    report = await recover(wallet, [receipt])
    assert lost.name not in report.failed
    after = get_receipt(wallet.store, receipt)
    assert after.certificates != before.certificates
    assert counter_at(after, lost.safe_id) > 2**20 > counter_at(before, lost.safe_id)
    assert (state_of(after).word, after.has_lost_pieces) == ("safe", False)
    found = (await safes_status(wallet)).safes[lost.name]
    assert (found.held, found.lacking) == (found.pieces, ())
    assert {safe.name for safe in safes.safes[2:]} == set((await safes_status(wallet)).failed)


async def test_a_receipt_that_named_a_safe_as_lost_is_whole_again(wallet: Wallet, safes: PeerSafes) -> None:
    """The recovery before the repair noted it; the status after the repair takes it back."""
    (receipt,) = await backed_up(wallet, "ticket")
    lost = safes.safes[0]
    await lost.wipe()
    connect(wallet, safes.local)
    wallet.store.values.remove(value_of(wallet, "ticket"))
    report = await recover(wallet, [receipt])
    assert "lost or deleted" in explain(report.failed[lost.name])
    assert get_receipt(wallet.store, receipt).has_lost_pieces
    await lost.repair()
    assert (await safes_status(wallet)).safes[lost.name].renewed > 0
    whole = get_receipt(wallet.store, receipt)
    assert (state_of(whole).word, whole.has_lost_pieces) == ("safe", False)


async def test_what_was_deleted_does_not_come_back(wallet: Wallet, safes: PeerSafes) -> None:
    """The wiped safe hears of the tombstone, and so does the one that was away and kept its piece."""
    (receipt,) = await backed_up(wallet, "ticket")
    lost, away = safes.safes[0], safes.safes[3]
    kept = pieces_at(lost.local)
    await away.local.stop()
    await deleted(wallet, receipt)
    await away.local.start()
    await away.stop()
    await away.start()
    await lost.wipe()
    await lost.reconnect()
    report = await lost.repair()
    assert (report.repaired, report.lacking) == (kept - 1, 0)
    assert waiting_at(away.local) == 0
    await away.repair()
    assert waiting_at(away.local) == 1


async def test_a_deletion_that_was_taken_back_hides_nothing(wallet: Wallet, safes: PeerSafes) -> None:
    """Not even from a safe that hears of it from one that never heard of the revival."""
    (receipt,) = await backed_up(wallet, "ticket")
    lost, away = safes.safes[0], safes.safes[3]
    before = pieces_at(lost.local)
    await deleted(wallet, receipt)
    await away.local.stop()
    await undelete(wallet, receipt, by_pin(PIN))
    await away.local.start()
    await away.stop()
    await away.start()
    assert waiting_at(away.local) == 1
    await lost.wipe()
    await lost.reconnect()
    assert (await lost.repair()).repaired == before
    assert (pieces_at(lost.local), waiting_at(lost.local)) == (before, 0)
    await away.repair()
    assert waiting_at(away.local) == 0


async def test_an_owners_record_does_not_come_back_and_no_guess_is_given_away(
    wallet: Wallet, safes: PeerSafes
) -> None:
    """The rebuilt safe answers for the owner as for nobody, and the owner is told."""
    await backed_up(wallet, "ticket")
    lost = safes.safes[0]
    await lost.wipe()
    await lost.repair()
    connect(wallet, safes.local)
    assert pieces_at(lost.local) > 0
    assert owners_at(lost.local) == 0
    view = await owner_status(wallet)
    told = {name: one.record_id for name, one in view.safes.items() if isinstance(one, SafesView)}
    assert told.pop(lost.name) == b""
    assert b"" not in told.values()


async def test_a_revoked_wallet_stays_revoked(wallet: Wallet, safes: PeerSafes, tmp_path: Path) -> None:
    """The owner's word against it comes back with everything else; what it registered stands."""
    await backed_up(wallet, "ticket")
    lost, before = safes.safes[0], pieces_at(safes.safes[0].local)
    async with wallet_at(tmp_path / "second", safes.local, "second") as second:
        await recover_owner(second, OwnerName("anna"), by_pin(PIN))
        await revoke(second, wallet.keys.signing.public.hex(), by_pin(PIN))
    await lost.wipe()
    assert await lost.repair() == RepairReport(repaired=before)
    connect(wallet, safes.local)
    failed = await ask_for_repair(wallet)
    assert isinstance(failed[lost.name], WalletRevoked)
    assert not await still_repairing(wallet)
