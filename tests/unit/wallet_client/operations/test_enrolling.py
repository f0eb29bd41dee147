"""Enrolling makes one record at all safes, opens it, and only then gives up the owner's seed.

Stretching is feigned: Argon2id has tests of its own.
"""

import asyncio
import copy
import shutil
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from rpc_edge.errors import NothingListens
from support.memory_owner_safes import Faults
from support.memory_safes import Crash, MemorySafes, Steps, lock_is_free, opened
from support.open_wallet import readable_in
from support.owners_wallets import quick_stretch
from support.safe_requests import seeded
from support.sample_documents import draw, key
from support.wallet_samples import small_value
from trust.authorisation import read_authorisation
from trust.ids import Hash, OwnerId, WalletKey
from trust.owner_record import OwnerRecord, OwnerSecrets
from trust.owner_refusals import InvitationInvalid, InvitationNeeded, UnlockRefused
from trust.refusals import StorageFull
from wallet_client.network.failures import SafeFailure
from wallet_client.operations import enrolling
from wallet_client.operations.backup import back_up
from wallet_client.operations.enrolling import OWNER_SEED, Enrolled, enroll_owner
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.owner_errors import (
    OwnerNameTaken,
    OwnerNotUnlocked,
    OwnerOutOfReach,
    WalletHasOwnerAlready,
)
from wallet_client.operations.put_record import version_for
from wallet_client.operations.resume import resume
from wallet_client.operations.unlocking import unlock_owner
from wallet_client.operations.wallet_keys import KeyFinder
from wallet_client.owners.dealing import deal_record
from wallet_client.owners.factors import Factors
from wallet_client.owners.names import OwnerName, Pin
from wallet_client.owners.stretch import StretchedPin
from wallet_client.pipeline.binding import Binding
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.settings import OwnerOfWallet
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")


NAME, OTHER_NAME = OwnerName("juliet"), OwnerName("rosalind")
PIN, OTHER_PIN = Pin("2718"), Pin("3141")
GUESSES = 10


def owner_id(name: OwnerName, genesis: Hash) -> OwnerId:
    """In the place of Argon2id."""
    return OwnerId(sha256(name.to_bytes() + genesis).digest())


def stretch_pin(pin: Pin, owner: OwnerId) -> StretchedPin:
    """As above."""
    return StretchedPin(sha256(pin.reveal() + owner).digest())


@pytest.fixture(autouse=True)
def _nothing_is_stretched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolling, "owner_id", owner_id)
    monkeypatch.setattr(enrolling, "stretch_pin", stretch_pin)


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """A wallet that acts for nobody."""
    async with opened(folder, safes) as made:
        yield made


async def enroll(
    wallet: Wallet, name: OwnerName = NAME, pin: Pin = PIN, invitations: dict[str, str] | None = None
) -> Enrolled:
    """The command."""
    return await enroll_owner(wallet, name, pin, GUESSES, invitations or {})


def owner_of(wallet: Wallet) -> OwnerOfWallet:
    """For whom it acts."""
    owner = wallet.store.settings.get().owner
    assert owner is not None
    return owner


def id_of(safes: MemorySafes, name: OwnerName = NAME) -> OwnerId:
    """What the safes call an owner of that name."""
    return owner_id(name, safes.roster.fingerprint)


async def opened_with(safes: MemorySafes, pin: Pin = PIN, name: OwnerName = NAME) -> OwnerSecrets:
    """What name and PIN bring back, by whoever has both and nothing else."""
    owner = id_of(safes, name)
    done = await unlock_owner(
        safes,  # type: ignore[arg-type]
        [safes.roster],
        owner,
        Factors(pin=stretch_pin(pin, owner)),
        seeded(f"a guess at {pin.reveal()!r}"),
    )
    return done.secrets


def seeds_in(wallet: Wallet) -> list[str]:
    """Names of the owners' seeds that the wallet still has."""
    return [name for name in wallet.store.keys.names() if name.startswith(OWNER_SEED)]


def nobody_is_enrolled_yet(wallet: Wallet) -> bool:
    """The wallet acts for nobody, and can go on."""
    return wallet.store.settings.get().owner is None and len(seeds_in(wallet)) == 1


def kinds(failed: dict[str, SafeFailure]) -> dict[str, type[SafeFailure]]:
    return {name: type(failure) for name, failure in failed.items()}


async def check_enrolled(wallet: Wallet, safes: MemorySafes, pin: Pin = PIN) -> None:
    """One record is in force everywhere, no other is kept, it opens, all know the wallet, no seed is left."""
    owner, kept = owner_of(wallet), [half.owners[id_of(safes)] for half in safes.owners.values()]
    assert len({one.current.record_id for one in kept}) == 1
    assert [(one.staged, one.old, one.ledger.spent) for one in kept] == [(None, (), 0)] * len(kept)
    secrets = await opened_with(safes, pin)
    assert secrets.owner_key == owner.owner_key
    assert secrets.root == await KeyFinder(wallet).root(make=False)
    own = WalletKey(wallet.keys.signing.public)
    assert all(own in half.authorised for half in safes.owners.values())
    assert seeds_in(wallet) == []


async def test_an_owner_is_enrolled_at_all_safes(wallet: Wallet, safes: MemorySafes) -> None:
    """The record holds this wallet's root, and a seed that nobody had before."""
    done = await enroll(wallet)
    assert (done.safes, done.failed, done.resealed, done.left) == (5, {}, (), {})
    await check_enrolled(wallet, safes)
    records = {half.owners[id_of(safes)].current.parts[0].record for half in safes.owners.values()}
    (record,) = [OwnerRecord.from_bytes(one) for one in records]
    assert (record.k, [place.x for place in record.places]) == (3, [1, 2, 3, 4, 5])
    assert {half.owners[id_of(safes)].limit for half in safes.owners.values()} == {GUESSES}


async def test_the_wallet_acts_for_the_owner_from_then_on(wallet: Wallet, safes: MemorySafes) -> None:
    """It says so in every manifest, and binds to the root."""
    await enroll(wallet)
    owner, secrets = owner_of(wallet), await opened_with(safes)
    assert (owner.name, owner.owner_id, owner.recovering) == ("juliet", id_of(safes), False)
    ownership = wallet.keys.ownership
    assert ownership is not None
    assert ownership.binding_id == owner.binding_id == Binding.of_root(secrets.root).id
    assert set(wallet.keys.bindings) == {owner.binding_id}
    word = read_authorisation(ownership.signed)
    assert (word.owner_key, word.wallet_key) == (secrets.owner_key, wallet.keys.signing.public)


async def test_the_owners_seed_is_gone_afterwards(folder: Path, safes: MemorySafes) -> None:
    """Who has the wallet and its passphrase can do nothing that only the owner may."""
    async with opened(folder, safes) as wallet:
        await enroll(wallet)
        secrets = await opened_with(safes)
    everything = readable_in(folder)
    assert secrets.owner_seed not in everything
    assert Binding.of_root(secrets.root).secret in everything  # so it was looked for in the right place


async def test_what_was_backed_up_before_is_bound_to_the_owner(wallet: Wallet, safes: MemorySafes) -> None:
    """As it would be if it were backed up now."""
    value_id = wallet.store.values.add(small_value("before", payload=b"content"))
    await back_up(wallet, [value_id], "threshold")
    done = await enroll(wallet)
    assert len(done.resealed) == 1
    ownerships = [
        get_receipt(wallet.store, ReceiptId(entry.id)).read_manifest().ownership
        for entry in wallet.store.receipts.entries()
    ]
    assert ownerships == [wallet.keys.ownership] * len(ownerships)
    assert ownerships != []


class TestSafesThatAreAway:
    """A quorum takes the record, or nobody is enrolled yet."""

    async def test_one_that_is_down_is_named_and_the_owner_enrolled(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """It hears of the wallet when it is back."""
        safes.take_down(2)
        done = await enroll(wallet)
        assert done.safes == 4
        assert kinds(dict(done.failed)) == {"safe-2": NothingListens}
        assert [half.in_force(id_of(safes)) is None for half in safes.owners.values()] == [
            number == 2 for number in range(1, 6)
        ]
        assert (await opened_with(safes)).owner_key == owner_of(wallet).owner_key
        safes.take_down()
        assert (await resume(wallet)).still_owed == {}
        assert WalletKey(wallet.keys.signing.public) in safes.owners_at(2).authorised

    async def test_one_that_takes_the_record_and_not_the_wallet_has_the_record(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """It is counted, and named."""
        safes.owners_at(3).faults = Faults(refuses={"authorise_wallet": StorageFull()})
        done = await enroll(wallet)
        assert (done.safes, kinds(dict(done.failed))) == (5, {"safe-3": StorageFull})

    @pytest.mark.parametrize("down", [(1, 5), (1, 2, 3), (1, 2, 3, 4, 5)], ids=len)
    async def test_below_the_quorum_the_same_command_goes_on_afterwards(
        self, wallet: Wallet, safes: MemorySafes, down: tuple[int, ...]
    ) -> None:
        """Those that have the first record get the second in its place."""
        safes.take_down(*down)
        with pytest.raises(TooFewSafes) as caught:
            await enroll(wallet)
        assert (caught.value.doing, caught.value.needed) == ("enrolled", 4)
        assert caught.value.good == 5 - len(down)
        assert set(caught.value.failed) == {f"safe-{number}" for number in down}
        assert nobody_is_enrolled_yet(wallet)
        safes.take_down()
        assert (await enroll(wallet)).failed == {}
        await check_enrolled(wallet, safes)

    async def test_the_pin_of_the_last_time_is_the_one_that_holds(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """Who says another one when the command is repeated must not be left with two."""
        safes.take_down(1, 5)
        with pytest.raises(TooFewSafes):
            await enroll(wallet, pin=OTHER_PIN)
        safes.take_down()
        await enroll(wallet)
        with pytest.raises(OwnerNotUnlocked):
            await opened_with(safes, OTHER_PIN)
        assert (await opened_with(safes)).owner_key == owner_of(wallet).owner_key

    @pytest.mark.parametrize("call", ["enroll", "stage", "commit"])
    async def test_an_answer_that_is_lost_is_made_good_by_the_same_command(
        self, wallet: Wallet, safes: MemorySafes, call: str
    ) -> None:
        """Though the safe has the record, and the wallet does not know it."""
        if call != "enroll":
            safes.take_down(1, 5)
            with pytest.raises(TooFewSafes):
                await enroll(wallet)
            safes.take_down()
        for number in (2, 4):
            safes.owners_at(number).faults = Faults(loses_reply_of=[call])
        with pytest.raises(TooFewSafes):
            await enroll(wallet)
        for number in (2, 4):
            safes.owners_at(number).faults = Faults()
        assert (await enroll(wallet)).failed == {}
        await check_enrolled(wallet, safes)

    @pytest.mark.parametrize(
        "faults",
        [
            Faults(refuses={"unlock": UnlockRefused()}),
            Faults(refuses={"evaluate": StorageFull()}),
            Faults(dies_after=["evaluate"]),
        ],
        ids=["refused", "not evaluated", "dead"],
    )
    async def test_a_record_that_does_not_open_is_not_relied_on(
        self, wallet: Wallet, safes: MemorySafes, faults: Faults
    ) -> None:
        """The seed stays, so that the same command goes on."""
        for number in (1, 2, 3):
            safes.owners_at(number).faults = copy.copy(faults)
        with pytest.raises((OwnerNotUnlocked, OwnerOutOfReach)):
            await enroll(wallet)
        assert nobody_is_enrolled_yet(wallet)
        for number in (1, 2, 3):
            safes.owners_at(number).faults = Faults()
        safes.take_down()
        assert (await enroll(wallet)).failed == {}
        owner_ids = {half.in_force(id_of(safes)) for half in safes.owners.values()}
        assert len(owner_ids) == 1


class TestInvitations:
    """Some operators ask for one."""

    async def test_with_an_invitation_the_record_is_taken(self, wallet: Wallet, safes: MemorySafes) -> None:
        """By the safe it is for."""
        safes.owners_at(2).invitation = "welcome"
        assert (await enroll(wallet, invitations={"safe-2": "welcome"})).failed == {}
        await check_enrolled(wallet, safes)

    @pytest.mark.parametrize(
        ("shown", "error"), [({}, InvitationNeeded), ({"safe-2": "a guess"}, InvitationInvalid)]
    )
    async def test_without_a_good_one_that_safe_is_named(
        self, wallet: Wallet, safes: MemorySafes, shown: dict[str, str], error: type[SafeFailure]
    ) -> None:
        """The others are enough."""
        safes.owners_at(2).invitation = "welcome"
        done = await enroll(wallet, invitations=shown)
        assert (done.safes, kinds(dict(done.failed))) == (4, {"safe-2": error})

    async def test_one_that_was_used_up_is_not_asked_for_again(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """The command is repeated, and the safe has the first record already."""
        safes.owners_at(2).invitation = "welcome"
        safes.take_down(4, 5)
        with pytest.raises(TooFewSafes):
            await enroll(wallet, invitations={"safe-2": "welcome"})
        safes.take_down()
        assert (await enroll(wallet, invitations={"safe-2": "welcome"})).failed == {}
        await check_enrolled(wallet, safes)


class TestANameThatIsTaken:
    """It is somebody else's, or this owner's from before."""

    @staticmethod
    async def taken_by_a_stranger(safes: MemorySafes, numbers: tuple[int, ...]) -> None:
        """A stranger enrolled under the name first."""
        stranger = OwnerSecrets(key("stranger").seed, draw("a stranger's root", 32))
        pin = StretchedPin(draw("a stranger's PIN", 32))
        made = deal_record(id_of(safes), stranger, pin, safes.roster, seeded("stranger"))
        for number in numbers:
            safe_id = safes.roster.safes[number - 1].safe_id
            await safes.to_owners(safe_id, stranger.signing_key).enroll(version_for(made, safe_id, GUESSES))

    @pytest.mark.parametrize("at", [(3,), (1, 2, 3, 4, 5)], ids=["one safe", "all safes"])
    async def test_is_refused_and_the_safes_are_named(
        self, wallet: Wallet, safes: MemorySafes, at: tuple[int, ...]
    ) -> None:
        """The stranger's record stays as it was."""
        await self.taken_by_a_stranger(safes, at)
        before = [safes.owners_at(number).owners[id_of(safes)] for number in at]
        with pytest.raises(OwnerNameTaken) as caught:
            await enroll(wallet)
        assert caught.value.safes == tuple(f"safe-{number}" for number in at)
        assert [safes.owners_at(number).owners[id_of(safes)] for number in at] == before
        assert (wallet.store.settings.get().owner, seeds_in(wallet)) == (None, [])
        taken = {safes.roster.safes[number - 1].safe_id for number in at}
        assert {safe_id for safe_id, half in safes.owners.items() if half.owners} == taken

    async def test_leaves_every_other_name_free(self, wallet: Wallet, safes: MemorySafes) -> None:
        """Also at the safes that took the first name: an owner's key is for one name there."""
        await self.taken_by_a_stranger(safes, (3,))
        with pytest.raises(OwnerNameTaken):
            await enroll(wallet)
        assert (await enroll(wallet, OTHER_NAME)).failed == {}
        secrets = await opened_with(safes, PIN, OTHER_NAME)
        assert secrets.owner_key == owner_of(wallet).owner_key
        keys = {owner.owner_key for half in safes.owners.values() for owner in half.owners.values()}
        assert len(keys) == 2
        assert seeds_in(wallet) == []

    async def test_is_taken_for_the_owners_own_second_wallet_too(
        self, folder: Path, safes: MemorySafes
    ) -> None:
        """That one has to recover."""
        async with opened(folder / "first", safes) as first:
            await enroll(first)
        async with opened(folder / "second", safes, seed="second wallet") as second:
            with pytest.raises(OwnerNameTaken):
                await enroll(second)


async def test_a_wallet_that_acts_for_somebody_is_refused(wallet: Wallet, safes: MemorySafes) -> None:
    """Whatever the name; no safe is asked."""
    await enroll(wallet)
    calls = [list(safe.calls) for safe in safes]
    for name in (NAME, OTHER_NAME):
        with pytest.raises(WalletHasOwnerAlready, match="acts for the owner juliet already"):
            await enroll(wallet, name)
    assert [list(safe.calls) for safe in safes] == calls


@pytest.mark.no_cover
class TestInterrupted:
    """At any step: the same command enrols, or says that it has done so; two of three safes are enough."""

    @staticmethod
    async def steps_taken(home: Path, safes: MemorySafes) -> list[str]:
        """Of an enrolment that goes well."""
        steps = Steps()
        async with opened(home, safes, seed="operation") as wallet:
            steps.watch(wallet, safes)
            await enroll(wallet)
            taken = list(steps.taken)
            await check_enrolled(wallet, safes)
        return taken

    @staticmethod
    async def ends_well(home: Path, safes: MemorySafes) -> None:
        """Say it again."""
        safes.calm_down()
        async with opened(home, safes, seed="again") as wallet:
            try:
                await enroll(wallet)
            except WalletHasOwnerAlready:
                await resume(wallet)
            await check_enrolled(wallet, safes)

    async def test_by_a_crash(self, folder: Path) -> None:
        """The process dies before a write or a call, or after it."""
        prepared = folder / "prepared"
        async with opened(prepared, MemorySafes.of(3, 2)):
            pass
        taken = await self.steps_taken(Path(shutil.copytree(prepared, folder / "0")), MemorySafes.of(3, 2))
        assert {"stage", "enroll done", "evaluate", "unlock done", "authorise_wallet"} <= set(taken)
        for step, name in enumerate(taken, 1):
            home, safes = Path(shutil.copytree(prepared, folder / str(step))), MemorySafes.of(3, 2)
            try:
                async with opened(home, safes, seed="operation") as wallet:
                    Steps(step).watch(wallet, safes)
                    with pytest.raises(Crash):
                        await enroll(wallet)
                await self.ends_well(home, safes)
            except AssertionError as error:
                error.add_note(f"died at step {step} of {len(taken)}: {name}")
                raise

    async def test_by_a_cancellation(self, folder: Path) -> None:
        """Ctrl-C in a program that lives on: no lock stays taken."""
        prepared = folder / "prepared"
        async with opened(prepared, MemorySafes.of(3, 2)):
            pass
        taken = await self.steps_taken(Path(shutil.copytree(prepared, folder / "0")), MemorySafes.of(3, 2))
        for step, name in enumerate(taken, 1):
            if name.endswith(" done"):
                continue  # in the same breath as the step before, which no cancellation can come between
            home, safes = Path(shutil.copytree(prepared, folder / str(step))), MemorySafes.of(3, 2)
            async with opened(home, safes, seed="operation") as wallet:
                running = cancelled_at(step, wallet, safes)
                await asyncio.wait((running,), timeout=30)
                assert running.done(), name
                assert lock_is_free(home), name
            await self.ends_well(home, safes)


def cancelled_at(step: int, wallet: Wallet, safes: MemorySafes) -> "asyncio.Task[Enrolled]":
    """An enrolment that is cancelled at this step; steps happen in the loop and in threads."""
    loop = asyncio.get_running_loop()

    class Cancels(Steps):
        def __call__(self, name: str) -> None:
            self.taken.append(name)
            if len(self.taken) == step:
                loop.call_soon_threadsafe(running.cancel)

    running: asyncio.Task[Enrolled] = asyncio.create_task(enroll(wallet))
    Cancels().watch(wallet, safes)
    return running
