"""A next generation of items under fresh secrets: the old one goes once every safe gave the new one back."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from support import odd_policies
from support.memory_safes import MemorySafes, check_books, opened
from support.odd_policies import ODD
from support.owners_wallets import VALUES, away, contents, enrolled, keep, named, quick_stretch, receipts
from support.wallet_samples import small_value
from wallet_client.network.messages import FetchedPiece
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.deletion import owe_deletion
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import KeyNotInWallet, TooFewSafes
from wallet_client.operations.key_backup import back_up_key
from wallet_client.operations.keys import forget_key, make_key
from wallet_client.operations.recover import recover
from wallet_client.operations.reseal import not_bound_at_all, not_bound_yet
from wallet_client.operations.reseed import reseed
from wallet_client.operations.resume import resume
from wallet_client.policies.presets import policy_names
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.values.errors import UnknownValue
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which any three bring back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """Of nobody: what is sealed anew needs no owner."""
    async with opened(folder, safes) as wallet:
        yield wallet


def generations(wallet: Wallet) -> list[int]:
    return sorted(receipt.read_leaf().generation for receipt in receipts(wallet))


def kept(safes: MemorySafes) -> list[list[int]]:
    """By safe, the generations that it keeps."""
    return [sorted(generation for _, generation in safe.kept_items()) for safe in safes]


async def recovered(wallet: Wallet) -> list[object]:
    """All values, whether they were in the wallet or not."""
    await recover(wallet, [one.receipt_id for one in receipts(wallet) if one.kind == "value"])
    return [*contents(wallet)]


class TestSealedAnew:
    """`kura reseed`."""

    @pytest.mark.parametrize("policy", [*policy_names(), *(one.name for one in ODD)])
    async def test_items_of_every_policy_get_a_next_generation(
        self, wallet: Wallet, safes: MemorySafes, policy: str
    ) -> None:
        """One value is in the wallet, the others pass through; only the new generation is left."""
        odd_policies.use(wallet, policy)
        ids = keep(wallet)
        await back_up(wallet, ids, policy)
        await drop_backed_up(wallet, ids[1:], accept_fewer=False)
        before = {receipt.manifest for receipt in receipts(wallet)}
        done = await reseed(wallet)
        assert (done.left, done.waiting, done.ended, done.failed) == ({}, 0, True, {})
        assert set(done.resealed) == {one.receipt_id for one in receipts(wallet)}
        assert set(generations(wallet)) == {2}
        assert before.isdisjoint(receipt.manifest for receipt in receipts(wallet))
        assert len(contents(wallet)) == 1
        check_books(wallet, safes)
        assert await recovered(wallet) == named()

    async def test_only_those_that_are_named(self, wallet: Wallet, safes: MemorySafes) -> None:
        """Said twice it is once."""
        first, *_ = await away(wallet, "threshold")
        done = await reseed(wallet, [first, first])
        assert done.resealed == (first,)
        assert generations(wallet) == [1, 1, 2]
        check_books(wallet, safes)

    async def test_one_that_there_is_not_is_refused(self, wallet: Wallet, safes: MemorySafes) -> None:
        """Nothing is done."""
        known = await away(wallet, "threshold")
        with pytest.raises(UnknownReceipt):
            await reseed(wallet, [*known, ReceiptId("r-nothing")])
        assert generations(wallet) == [1, 1, 1]
        check_books(wallet, safes)

    async def test_fresh_secrets_are_what_it_gives(self, wallet: Wallet) -> None:
        """Neither salt nor commitments nor pieces are those of before."""
        await away(wallet, "threshold", VALUES[:1])
        (before,) = (receipt.read_manifest() for receipt in receipts(wallet))
        await reseed(wallet)
        (after,) = (receipt.read_manifest() for receipt in receipts(wallet))
        for name in ("salt", "commitments", "item_root"):
            assert getattr(before, name) != getattr(after, name)
        assert before.terms == after.terms

    async def test_it_binds_to_the_owner_what_was_bound_to_nobody(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """Enrolment does so by itself."""
        await back_up(wallet, keep(wallet), "coupled")
        assert len(not_bound_at_all(wallet)) == 1
        enrolment = await enrolled(wallet)
        assert len(enrolment.resealed) == 1
        assert not_bound_at_all(wallet) == not_bound_yet(wallet) == []
        assert {receipt.read_manifest().ownership for receipt in receipts(wallet)} == {wallet.keys.ownership}
        check_books(wallet, safes)

    async def test_what_its_key_does_not_open_is_left_and_the_rest_is_not(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """The key was forgotten for good."""
        key = await make_key(wallet, "shared", "main")
        (lost,) = await away(wallet, "sealed", VALUES[:1])
        await away(wallet, "threshold", VALUES[1:])
        await forget_key(wallet, key.id, lose=True)
        done = await reseed(wallet)
        assert {name: type(error) for name, error in done.left.items()} == {lost: KeyNotInWallet}
        assert (len(done.resealed), done.ended) == (2, False)
        assert generations(wallet) == [1, 2, 2]

    async def test_a_key_that_is_an_item_is_sealed_anew_as_well(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """Whether it is in the wallet or away."""
        here, gone = [await make_key(wallet, "pair", name) for name in ("here", "gone")]
        for key in (here, gone):
            await back_up_key(wallet, key.id, "threshold")
        await forget_key(wallet, gone.id)
        done = await reseed(wallet)
        assert (len(done.resealed), done.left) == (2, {})
        assert not wallet.store.keyring.has(gone.id)
        assert {one.receipt_id for one in wallet.store.keyring.entries()} == set(done.resealed)
        check_books(wallet, safes)


class TestWaiting:
    """Old generations stand until every safe gave the new one back."""

    async def test_while_a_safe_is_away_and_resume_goes_on(self, wallet: Wallet, safes: MemorySafes) -> None:
        """It says so each time."""
        await away(wallet, "threshold")
        safes.take_down(4)
        done = await reseed(wallet)
        assert (done.waiting, done.ended, set(done.failed)) == (3, False, {"safe-4"})
        assert kept(safes) == [[1, 1, 1, 2, 2, 2]] * 3 + [[1, 1, 1]] + [[1, 1, 1, 2, 2, 2]]
        report = await resume(wallet)
        assert (report.older, set(report.failed)) == (3, {"safe-4"})
        safes.take_down()
        report = await resume(wallet)
        assert (report.older, report.failed, report.still_owed) == (0, {}, {})
        check_books(wallet, safes)
        assert await recovered(wallet) == named()

    async def test_while_a_safe_gives_back_something_else(self, wallet: Wallet, safes: MemorySafes) -> None:
        """A safe that certified and has not what it certified is no safe to delete the old for."""
        await away(wallet, "threshold")
        safes[2].alter = _spoilt
        done = await reseed(wallet)
        assert (done.waiting, done.ended, set(done.failed)) == (3, False, {"safe-2"})
        safes[2].alter = lambda piece: piece
        assert (await resume(wallet)).older == 0
        check_books(wallet, safes)

    async def test_below_the_quorum_nothing_changes(self, wallet: Wallet, safes: MemorySafes) -> None:
        """The new generation is withdrawn, and another is made the next time."""
        await away(wallet, "threshold")
        safes.take_down(1, 2)
        done = await reseed(wallet)
        assert {type(error) for error in done.left.values()} == {TooFewSafes}
        assert (done.resealed, done.ended) == ((), False)
        safes.take_down()
        assert await recovered(wallet) == named()
        assert (await reseed(wallet)).ended
        assert set(generations(wallet)) == {3}
        check_books(wallet, safes)

    async def test_two_old_generations_go_together(self, wallet: Wallet, safes: MemorySafes) -> None:
        """It was said twice while a safe was away."""
        await away(wallet, "threshold", VALUES[:1])
        safes.take_down(4)
        await reseed(wallet)
        assert (await reseed(wallet)).waiting == 2
        safes.take_down()
        assert (await resume(wallet)).older == 0
        assert kept(safes) == [[3]] * 5
        check_books(wallet, safes)

    async def test_an_edit_meanwhile_takes_the_place_of_the_new_one(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """The oldest goes once the newest was read back."""
        (value_id,) = keep(wallet, VALUES[:1])
        await back_up(wallet, [value_id], "threshold")
        safes.take_down(4)
        await reseed(wallet)
        safes.take_down()
        edited = small_value("edited")
        await edit(wallet, value_id, edited)
        assert (await resume(wallet)).older == 0
        assert kept(safes) == [[3]] * 5
        check_books(wallet, safes)
        assert await recovered(wallet) == [edited]


def _spoilt(piece: FetchedPiece) -> FetchedPiece:
    return FetchedPiece(bytes(len(piece.blob or b"")), piece.key_share)


class TestDeletedMeanwhile:
    """Another task of the same program deletes a receipt; who deletes wants nothing back."""

    async def test_one_that_was_not_begun_is_passed_over(self, wallet: Wallet, safes: MemorySafes) -> None:
        """It gets no next generation."""
        await away(wallet, "threshold", VALUES[:1])
        (later,) = await away(wallet, "threshold", VALUES[1:2])
        at_first_registration(safes, lambda: delete(wallet, later))
        done = await reseed(wallet)
        assert (len(done.resealed), done.left) == (1, {})
        await resume(wallet)
        assert kept(safes) == [[2]] * 5
        check_books(wallet, safes)

    async def test_one_that_passes_through_is_withdrawn(self, wallet: Wallet, safes: MemorySafes) -> None:
        """Its new generation is on its way already."""
        (gone,) = await away(wallet, "threshold", VALUES[:1])
        at_first_registration(safes, lambda: delete(wallet, gone))
        done = await reseed(wallet)
        assert {name: type(error) for name, error in done.left.items()} == {gone: UnknownValue}
        await resume(wallet)
        assert kept(safes) == [[]] * 5
        check_books(wallet, safes)


def at_first_registration(safes: MemorySafes, work: Callable[[], None]) -> None:
    """Do something when safe 1 is brought a piece for the first time from now on."""
    done: list[str] = []

    def step(name: str) -> None:
        if name == "register" and not done:
            done.append(name)
            work()

    safes[1].step = step


def delete(wallet: Wallet, receipt_id: ReceiptId) -> None:
    """What `forget` writes."""
    with wallet.store.transaction():
        owe_deletion(wallet, [get_receipt(wallet.store, receipt_id)])
        wallet.store.receipts.delete(receipt_id)
