"""Enrolment: it may stop anywhere, and the same command ends it; what was backed up before is the owner's."""

import copy
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from support.commits import Commits
from support.memory_safes import Crash, MemorySafes, check_books, opened
from support.owners_wallets import (
    ANNA,
    GUESSES,
    OTHER_PIN,
    PIN,
    VALUES,
    away,
    come_back,
    enrolled,
    first_wallet,
    keep,
    lose,
    quick_stretch,
    receipts,
    secrets_of,
)
from support.stolen_wallet import opened_by_thief
from trust.ids import WalletKey
from wallet_client.operations.backup import back_up
from wallet_client.operations.enrolling import OWNER_SEED, enroll_owner
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.owner_errors import (
    OwnerNameTaken,
    OwnerNotUnlocked,
    WalletHasOwnerAlready,
)
from wallet_client.operations.resume import resume
from wallet_client.owners.names import OwnerName
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = [pytest.mark.usefixtures("quick_stretch"), pytest.mark.no_cover]


async def is_annas(wallet: Wallet, safes: MemorySafes) -> None:
    """Record, wallet and items: all are hers, and nothing is left to be done."""
    secrets = await secrets_of(wallet)
    owner = wallet.store.settings.get().owner
    assert owner is not None
    assert (owner.name, owner.owner_key, owner.recovering) == ("anna", secrets.owner_key, False)
    assert OWNER_SEED not in wallet.store.keys.names()
    assert {one.read_manifest().ownership for one in receipts(wallet)} <= {wallet.keys.ownership}
    for half in safes.owners.values():
        assert set(half.authorised) == {WalletKey(wallet.keys.signing.public)}
        (kept,) = half.owners.values()
        assert (kept.staged, kept.old) == (None, ())
        assert kept.ledger.spent <= 1  # between a guess and its proof
    check_books(wallet, safes)


async def test_what_was_backed_up_before_is_bound(folder: Path) -> None:
    """All safes together read it before, and nothing of it afterwards."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder / "thief", safes, seed="thief"):
        pass
    async with opened(folder / "first", safes, seed="first") as wallet:
        await back_up(wallet, keep(wallet), "threshold")
        assert len(opened_by_thief(folder / "thief", safes)) == 3
        done = await enrolled(wallet)
        assert (done.safes, done.failed, done.left, len(done.resealed)) == (5, {}, {}, 3)
        assert opened_by_thief(folder / "thief", safes) == []
        await is_annas(wallet, safes)


async def test_dying_at_any_step_is_mended_by_the_same_command(folder: Path) -> None:
    """Once the wallet is the owner's `kura resume` does it as well."""
    safes = MemorySafes.of(3, 2)
    async with opened(folder / "prepared" / "first", safes, seed="first") as wallet:
        await away(wallet, "coupled")
    steps = await _dies(folder, copy.deepcopy(safes), 0)
    assert {"enroll", "evaluate", "unlock", "authorise_wallet", "register", "delete"} <= set(steps)
    for step, name in enumerate(steps, 1):
        try:
            await _dies(folder, copy.deepcopy(safes), step)
        except Exception as error:
            error.add_note(f"died at step {step} of {len(steps)}: {name}")
            raise


async def _dies(folder: Path, safes: MemorySafes, step: int) -> list[str]:
    here = folder / str(step)
    shutil.copytree(folder / "prepared", here)
    steps = Commits(step or None)
    async with opened(here / "first", safes, seed="dies") as wallet:
        steps.watch(wallet, safes)
        with suppress(Crash):
            await enrolled(wallet)
    safes.calm_down()
    async with opened(here / "first", safes, seed="goes on") as wallet:
        owner = wallet.store.settings.get().owner
        if owner is None or (owner.recovering and step % 2):
            await enrolled(wallet)
        await resume(wallet)
        await is_annas(wallet, safes)
        with pytest.raises(WalletHasOwnerAlready):
            await enrolled(wallet)
    async with opened(here / "second", safes, seed="second") as second:
        assert (await come_back(second)).left == {}
    lose(folder, str(step))
    return steps.taken


async def test_going_on_needs_the_pin_that_was_said_first(folder: Path) -> None:
    """Another would be believed to hold, and would not."""
    safes = MemorySafes.of(3, 2)
    async with opened(folder / "first", safes, seed="first") as wallet:
        await back_up(wallet, keep(wallet, VALUES[:1]), "threshold")
        for safe in safes:
            safe.refuses = Crash()  # type: ignore[assignment]
        with pytest.raises(Crash):
            await enrolled(wallet)
    async with opened(folder / "first", safes, seed="again") as wallet:
        for safe in safes:
            safe.refuses = None
        with pytest.raises(OwnerNotUnlocked):
            await enroll_owner(wallet, ANNA, OTHER_PIN, GUESSES, {})
        with pytest.raises(WalletHasOwnerAlready):
            await enroll_owner(wallet, OwnerName("bob"), PIN, GUESSES, {})
        await enrolled(wallet)
        await resume(wallet)
        await is_annas(wallet, safes)


async def test_below_the_quorum_the_same_command_goes_on(folder: Path) -> None:
    """The safes that have the first record get the next in its place."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder / "first", safes, seed="first") as wallet:
        safes.take_down(1, 2)
        with pytest.raises(TooFewSafes) as caught:
            await enrolled(wallet)
        assert set(caught.value.failed) == {"safe-1", "safe-2"}
        assert wallet.store.settings.get().owner is None
        safes.take_down()
        assert (await enrolled(wallet)).safes == 5
        await is_annas(wallet, safes)


async def test_a_safe_that_was_away_is_told_when_it_is_back(folder: Path) -> None:
    """Of the wallet; its record comes with the next change of the PIN."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder / "first", safes, seed="first") as wallet:
        safes.take_down(5)
        done = await enrolled(wallet)
        assert (done.safes, set(done.failed)) == (4, {"safe-5"})
        safes.take_down()
        assert (await resume(wallet)).still_owed == {}
        assert {len(half.authorised) for half in safes.owners.values()} == {1}


async def test_a_name_that_has_an_owner_is_not_taken(folder: Path) -> None:
    """Nothing of the first owner's changes, and the wallet stays nobody's."""
    safes = MemorySafes.of(3, 2)
    async with first_wallet(folder, safes):
        pass
    before = copy.deepcopy({safe_id: half.owners for safe_id, half in safes.owners.items()})
    async with opened(folder / "second", safes, seed="second") as wallet:
        with pytest.raises(OwnerNameTaken) as caught:
            await enrolled(wallet)
        assert caught.value.safes == ("safe-1", "safe-2", "safe-3")
        assert wallet.store.settings.get().owner is None
    assert {safe_id: half.owners for safe_id, half in safes.owners.items()} == before
