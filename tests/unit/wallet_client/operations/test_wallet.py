"""An open wallet: which roster it believes, and what it leaves behind when it is closed."""

from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, opened, roster_file_of, roster_of, use
from support.sample_documents import NOW, draw, key, signed_by
from support.wallet_samples import small_value
from threshold.randomness import SeededRandomness
from trust.errors import RosterRefused
from trust.ids import SafeId, Signature
from trust.roster import Roster
from trust.roster_file import write_roster
from wallet_client.errors import WalletError
from wallet_client.operations.backup import back_up
from wallet_client.operations.forget import forget
from wallet_client.operations.journal import NewContent, Owed, OwedParcel, OwedPiece
from wallet_client.operations.resume import resume
from wallet_client.operations.settle import changing
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.errors import StorageFailed, WalletExists, WalletMissing
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet, create_wallet, genesis_fingerprint, update_roster

ROSTER = roster_of(5, 3)
OPERATORS = [key(f"memory operator {number}") for number in range(1, 6)]
CHAIN = (
    signed_by(ROSTER, *OPERATORS),
    signed_by(Roster(2, ROSTER.fingerprint, NOW + 1, 3, ROSTER.safes, ROSTER.decoys), *OPERATORS[:3]),
)


async def made(folder: Path) -> None:
    """A wallet that believes the genesis."""
    await create_wallet(folder, NoPassphrase(), roster_file_of(ROSTER), None)


async def test_a_new_wallet_pins_the_genesis_it_was_made_with(folder: Path) -> None:
    """Though the file goes on to a newer version, which it uses."""
    newest = await create_wallet(folder, NoPassphrase(), write_roster(CHAIN), 1_000)
    assert newest.version == 2
    async with await Wallet.open(folder, NoPassphrase()) as wallet:
        settings = wallet.store.settings.get()
        assert settings.genesis_fingerprint == ROSTER.fingerprint == genesis_fingerprint(CHAIN)
        assert (settings.roster_version, settings.capacity_bytes) == (2, 1_000)
        assert wallet.roster == newest


async def test_a_roster_that_does_not_hold_makes_no_wallet(folder: Path) -> None:
    """One operator did not sign."""
    with pytest.raises(RosterRefused):
        await create_wallet(folder, NoPassphrase(), write_roster([signed_by(ROSTER, *OPERATORS[1:])]), None)
    with pytest.raises(WalletMissing):
        await Wallet.open(folder, NoPassphrase())


async def test_a_wallet_is_made_once(folder: Path) -> None:
    """The second try leaves it as it is."""
    await made(folder)
    with pytest.raises(WalletExists):
        await made(folder)


async def test_the_same_randomness_makes_the_same_keys(folder: Path) -> None:
    """And the system's never does."""
    publics = []
    for number, rng in enumerate(
        [SeededRandomness(draw("x", 32), b""), SeededRandomness(draw("x", 32), b""), None]
    ):
        home = folder / str(number)
        await create_wallet(home, NoPassphrase(), roster_file_of(ROSTER), None, rng)
        async with await Wallet.open(home, NoPassphrase()) as wallet:
            publics.append(wallet.keys.signing.public)
            assert wallet.keys.digest_secret != wallet.keys.signing.seed
    assert publics[0] == publics[1] != publics[2]


async def test_a_newer_roster_is_taken_in_and_an_older_one_is_not(folder: Path) -> None:
    """Rolling back is refused, and so is another genesis."""
    await made(folder)
    async with await Wallet.open(folder, NoPassphrase()) as wallet:
        assert update_roster(wallet.store, write_roster(CHAIN)).version == 2
        with pytest.raises(RosterRefused, match="ends at version 1, but 2 was seen"):
            update_roster(wallet.store, roster_file_of(ROSTER))
        with pytest.raises(RosterRefused, match="not the one pinned"):
            update_roster(wallet.store, roster_file_of(roster_of(4, 3)))
    async with await Wallet.open(folder, NoPassphrase()) as wallet:
        assert wallet.roster.version == 2


async def test_a_wallet_whose_roster_was_exchanged_does_not_open(folder: Path) -> None:
    """Nothing is contacted, and the store is closed again."""
    await made(folder)
    async with await Wallet.open(folder, NoPassphrase()) as wallet:
        wallet.store.settings.set_roster(roster_file_of(roster_of(4, 3)), 1)
    with pytest.raises(RosterRefused, match="not the one pinned"):
        await Wallet.open(folder, NoPassphrase())


async def test_the_store_is_closed_also_when_a_link_does_not_close(folder: Path) -> None:
    """Its log would otherwise keep what was erased."""

    class Stubborn:
        async def close(self) -> None:
            raise ConnectionError("stuck")

    await made(folder)
    wallet = await Wallet.open(folder, NoPassphrase())
    use(wallet, Stubborn())
    with pytest.raises(ConnectionError):
        await wallet.close()
    with pytest.raises((StorageFailed, WalletError)):
        wallet.store.values.summaries()


async def test_safes_have_names_and_former_safes_ids(folder: Path) -> None:
    """So that a report never fails over a name."""
    async with opened(folder, MemorySafes.of()) as wallet:
        assert wallet.safe_name(wallet.roster.safes[2].safe_id) == "safe-3"
        assert wallet.safe_name(SafeId(bytes(16))) == f"former safe {bytes(16).hex()}"
        assert wallet.now() == NOW


async def test_forgetting_a_receipt_of_a_value_that_is_gone(folder: Path) -> None:
    """There is nothing to unlink."""
    safes = MemorySafes.of()
    async with opened(folder, safes) as wallet:
        value_id = wallet.store.values.add(small_value())
        (entry,) = (await back_up(wallet, [value_id], "threshold")).entries
        wallet.store.values.remove(value_id)
        async with changing(wallet):
            delivered = await forget(wallet, [entry.receipt_id])
        assert (delivered.entries, delivered.failed) == (5, {})
        assert safes.kept() == [set()] * 5
        with pytest.raises(UnknownReceipt):
            get_receipt(wallet.store, entry.receipt_id)


async def test_a_new_generation_ends_well_though_the_old_receipt_is_gone(folder: Path) -> None:
    """Deleted while the new one was under way; there is nothing to supersede then."""
    safes = MemorySafes.of()
    async with opened(folder, safes) as wallet:
        value_id = wallet.store.values.add(small_value())
        (entry,) = (await back_up(wallet, [value_id], "plain")).entries
        honest = safes[3].register

        async def forgets(parcel):  # type: ignore[no-untyped-def]
            await forget(wallet, [entry.receipt_id])
            return await honest(parcel)

        safes[3].register = forgets  # type: ignore[method-assign]
        (again,) = (await back_up(wallet, [value_id], "threshold")).entries
        await resume(wallet)
        assert get_receipt(wallet.store, again.receipt_id).read_leaf().generation == 2
        assert [len(safe.pieces) for safe in safes] == [1] * 5


async def test_a_withdrawn_generation_without_an_old_receipt_is_simply_withdrawn(folder: Path) -> None:
    """Nothing is there that could remember it."""
    safes = MemorySafes.of()
    async with opened(folder, safes) as wallet:
        value_id = wallet.store.values.add(small_value())
        (entry,) = (await back_up(wallet, [value_id], "plain")).entries
        honest = safes[3].register

        async def forgets_and_fails(parcel):  # type: ignore[no-untyped-def]
            safes.take_down(3, 4, 5)
            await forget(wallet, [entry.receipt_id])
            return await honest(parcel)

        safes[3].register = forgets_and_fails  # type: ignore[method-assign]
        with pytest.raises(WalletError):
            await back_up(wallet, [value_id], "threshold")
        safes[3].register = honest  # type: ignore[method-assign]
        safes.take_down()
        (again,) = (await back_up(wallet, [value_id], "threshold")).entries
        assert again.receipt_id != entry.receipt_id


def test_what_waits_in_journal_and_outbox_shows_no_secret() -> None:
    """Neither content nor blobs nor key shares."""
    secret = b"do-not-show-me!!" * 2
    piece = OwedPiece(0, 1, secret)
    parcel = OwedParcel(b"", Signature(bytes(64)), (), (piece,), ((1, secret),))
    shown = [NewContent(ValueId("v-1"), secret), piece, parcel, Owed("parcel", secret)]
    assert "do-not-show" not in "".join(map(repr, shown))
    assert repr(NewContent(ValueId("v-1"), secret)) == "<NewContent of v-1>"
