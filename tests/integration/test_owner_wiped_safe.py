"""A safe that was wiped, or put back to an older database: what the owner said of wallets is told again."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.owner_safes import LocalSafe, LocalSafes, local_safes
from support.owners_at_real_safes import ANNA, PIN, backed_up, connect, enrolled, wallet_at
from support.owners_wallets import quick_stretch
from trust.owner_refusals import WalletRevoked
from wallet_client.operations.owner_recovery import continue_recovery, recover_owner
from wallet_client.operations.owner_wallets import revoke
from wallet_client.owners.factors import by_pin
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")


@pytest.fixture
async def safes(tmp_path: Path) -> AsyncIterator[LocalSafes]:
    """Three safes, of which two bring back."""
    async with local_safes(tmp_path / "safes", 3, 2) as started:
        yield started


@pytest.fixture
async def wallet(tmp_path: Path, safes: LocalSafes) -> AsyncIterator[Wallet]:
    """An owner's, with a value that is backed up."""
    async with wallet_at(tmp_path / "wallet", safes) as opened:
        await enrolled(opened)
        await backed_up(opened, "ticket")
        yield opened


async def put_back(safe: LocalSafe, older: Path | None, *wallets: Wallet, safes: LocalSafes) -> None:
    """Another database in the place of the safe's: an older one, or none."""
    await safe.stop()
    shutil.rmtree(safe.home.database.parent)
    safe.home.database.parent.mkdir(mode=0o700)
    if older is not None:
        shutil.copytree(older, safe.home.database.parent, dirs_exist_ok=True)
    await safe.start()
    for wallet in wallets:
        connect(wallet, safes)


async def kept_aside(safe: LocalSafe, folder: Path) -> Path:
    """Its database as it is."""
    await safe.stop()
    shutil.copytree(safe.home.database.parent, folder)
    await safe.start()
    return folder


async def test_a_wiped_safe_takes_the_wallet_for_the_owners_again(wallet: Wallet, safes: LocalSafes) -> None:
    """It is named for what it lacks, and for nothing else."""
    await put_back(safes.safes[2], None, wallet, safes=safes)
    done = await continue_recovery(wallet)
    assert (done.failed, done.lacking) == ({}, {"safe-3": 1})


async def test_a_wallet_that_was_revoked_stays_so_at_a_safe_with_the_database_of_yesterday(
    tmp_path: Path, wallet: Wallet, safes: LocalSafes
) -> None:
    """Once a wallet that may act has looked; the word is the owner's, so any safe's copy will do."""
    late = safes.safes[2]
    async with wallet_at(tmp_path / "stolen", safes, "stolen") as stolen:
        await recover_owner(stolen, ANNA, by_pin(PIN))
        older = await kept_aside(late, tmp_path / "older")
        connect(wallet, safes)
        connect(stolen, safes)
        assert await revoke(wallet, bytes(stolen.keys.signing.public).hex(), by_pin(PIN)) == {}
        await put_back(late, older, wallet, stolen, safes=safes)
        await stolen.links.to_owners(late.safe_id).catalogue()
        await continue_recovery(wallet)
        assert wallet.store.outbox.entries() == []
        with pytest.raises(WalletRevoked):
            await stolen.links.to_owners(late.safe_id).catalogue()


async def test_a_wallet_that_was_revoked_cannot_come_back_by_a_wiped_safe(
    tmp_path: Path, wallet: Wallet, safes: LocalSafes
) -> None:
    """The thief has the owner's word for the wallet, and shows it first."""
    wiped = safes.safes[2]
    async with wallet_at(tmp_path / "stolen", safes, "stolen") as stolen:
        await recover_owner(stolen, ANNA, by_pin(PIN))
        await revoke(wallet, bytes(stolen.keys.signing.public).hex(), by_pin(PIN))
        await put_back(wiped, None, wallet, stolen, safes=safes)
        known = stolen.store.settings.get().owner
        assert known is not None
        link = stolen.links.to_owners(wiped.safe_id)
        await link.authorise_wallet(known.authorisation, known.signature)
        await continue_recovery(wallet)
        with pytest.raises(WalletRevoked):
            await link.catalogue()
