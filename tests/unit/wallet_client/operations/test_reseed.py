"""Fresh secrets for everything: whatever dies or is away meanwhile, each value stays readable, and once all
is done the old keys open nothing that the safes keep.
"""

import copy
import shutil
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from support.commits import Commits
from support.memory_owner_safes import Faults
from support.memory_safes import MemorySafes, check_books, opened
from support.odd_policies import policy
from support.owners_wallets import (
    OTHER_PIN,
    PIN,
    VALUES,
    another_wallet,
    away,
    bind,
    come_back,
    contents,
    first_wallet,
    keep,
    lose,
    named,
    quick_stretch,
    receipts,
    secrets_of,
)
from support.sample_documents import draw
from support.stolen_wallet import opened_by_thief, steal
from support.wallet_samples import small_value
from support.wrecks import wrecks_of
from trust.owner_record import NO_ROOT
from trust.owner_refusals import WalletRevoked
from trust.policy import Division, KeyRule
from trust.refusals import StorageFull
from wallet_client.operations.backup import back_up
from wallet_client.operations.change_pin import change_pin
from wallet_client.operations.errors import KeyNotInWallet, TooFewSafes
from wallet_client.operations.keys import forget_key, recover_from_root
from wallet_client.operations.owner_errors import OwnerNotUnlocked, RecordBehind, WalletWithoutOwner
from wallet_client.operations.owner_recovery import continue_recovery
from wallet_client.operations.policies import add_policy
from wallet_client.operations.reseed import reseed_root
from wallet_client.operations.resume import resume
from wallet_client.operations.settle import changing
from wallet_client.operations.wallet_keys import KeyFinder
from wallet_client.owners.factors import by_pin
from wallet_client.pipeline.binding import Binding
from wallet_client.pipeline.errors import BindingUnknown
from wallet_client.policies.policy_print import policy_toml
from wallet_client.storage.keys import LEAVING_ROOT
from wallet_client.values.value import Value, decode_value
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")


GUESSING = ("evaluate", "unlock", "rearm", "enroll")
"""Calls of a change of the record that change nothing but guesses: no steps to die at here."""


@dataclass
class Before:
    """Anna's wallet, a copy of it in a thief's hands, and a second wallet of hers."""

    folder: Path
    safes: MemorySafes
    stolen: Path

    def copy(self, name: str) -> "Before":
        """One of one's own; the thief's and the second wallet serve all."""
        shutil.copytree(self.folder / "first", self.folder / name / "first")
        return Before(self.folder / name, copy.deepcopy(self.safes), self.stolen)


async def prepared(folder: Path, n: int, k: int, under_root: int = 1) -> Before:
    """Values under a key that comes from the root, away; others that are one item, here and at the safes."""
    safes = MemorySafes.of(n, k)
    async with first_wallet(folder, safes) as wallet:
        if under_root:
            await away(wallet, "seed", VALUES[:under_root])
        await back_up(wallet, keep(wallet, VALUES[under_root:]), "coupled")
    before = Before(folder, safes, steal(folder))
    opened = opened_by_thief(before.stolen, safes)
    assert [name for name in opened if name != "root"] == [value.name for value in named()]
    async with another_wallet(folder, safes) as second:
        await come_back(second)
    return before


async def everything(wallet: Wallet) -> list[Value]:
    """What opens from the receipts, by name: values alone, whether they are in the wallet or not."""
    found: list[Value] = []
    async with changing(wallet):
        for receipt in receipts(wallet):
            (members,) = await KeyFinder(wallet).members([receipt])
            found += map(decode_value, members) if receipt.kind == "value" else ()
    return named(found)


async def has_one_root(wallet: Wallet, before: Before) -> None:
    """All values open, from one generation; nothing of the old root is anywhere; the others are shut out."""
    assert await everything(wallet) == named()
    check_books(wallet, before.safes)
    assert opened_by_thief(before.stolen, before.safes) == []
    secrets = await secrets_of(wallet)
    assert secrets.leaving_root == NO_ROOT
    assert [one.name for one in wallet.store.keyring.entries() if one.kind == "root"] == ["root"]
    assert await KeyFinder(wallet).root(make=False) == secrets.root
    assert set(wallet.keys.bindings) == {Binding.of_root(secrets.root).id}
    assert LEAVING_ROOT not in wallet.store.keys.names()
    bound = {receipt.read_manifest().ownership for receipt in receipts(wallet)}
    assert {one.binding_id for one in bound if one} == set(wallet.keys.bindings)
    for half in before.safes.owners.values():
        (owner,) = half.owners.values()
        assert (owner.staged, owner.old, owner.ledger.spent) == (None, (), 0)
        assert len(half.revoked) == len(half.authorised) - 1


def check_steps(names: Iterable[str]) -> None:
    """Nothing that a change of the root does is left out."""
    assert {"stage", "commit", "drop", "revoke_wallet", "register", "delete", "change"} <= set(names)


async def _reseed(wallet: Wallet, safes: MemorySafes) -> None:
    assert (await reseed_root(wallet, by_pin(PIN))).ended


async def at_every_step(before: Before, run: Callable[[Before, int], Awaitable[list[str]]]) -> None:
    """Run it once to know the steps, then once for each of them."""
    steps = await run(before.copy("0"), 0)
    check_steps(steps)
    for step, name in enumerate(steps, 1):
        try:
            await run(before.copy(str(step)), step)
        except Exception as error:
            error.add_note(f"at step {step} of {len(steps)}: {name}")
            raise


@dataclass
class Leaves(Commits):
    """At its step a safe goes away, another one at each step."""

    safes: MemorySafes = field(default_factory=MemorySafes.of)

    def __call__(self, name: str) -> None:
        self.taken.append(name)
        if len(self.taken) == self.crash_at:
            self.safes.take_down(self.crash_at % len(self.safes.all) + 1)


class TestTheRoot:
    """`kura reseed --root`."""

    async def test_everything_is_bound_to_a_new_root(self, folder: Path) -> None:
        """The thief, the second wallet and the old root are of no use any more."""
        before = await prepared(folder, 5, 3)
        async with first_wallet(folder, before.safes, "again") as wallet:
            old = (await secrets_of(wallet)).root
            done = await reseed_root(wallet, by_pin(PIN))
            assert (done.left, done.waiting, done.ended, done.failed) == ({}, 0, True, {})
            await has_one_root(wallet, before)
            assert (await secrets_of(wallet)).root != old
        async with another_wallet(folder, before.safes) as second:
            with pytest.raises(TooFewSafes) as caught:
                await continue_recovery(second)
            assert {type(one) for one in caught.value.failed.values()} == {WalletRevoked}
        lose(folder)
        async with another_wallet(folder, before.safes, "third") as third:
            assert (await come_back(third)).left == {}
            assert contents(third) == named()

    @pytest.mark.no_cover
    async def test_dying_at_any_step_loses_nothing_and_the_same_command_ends_it(self, folder: Path) -> None:
        """Every value opens where it stopped, in this wallet and in a new one; then there is one root."""
        before = await prepared(folder, 2, 2)
        wrecks = await wrecks_of(_reseed, folder / "first", before.safes, "dies", GUESSING)
        check_steps(wreck.step.partition(" (")[0] for wreck in wrecks)
        for wreck in wrecks:
            try:
                await self._goes_on(wreck.home, replace(before, safes=wreck.safes))
            except Exception as error:
                error.add_note(f"at {wreck.step}")
                raise

    @pytest.mark.no_cover
    async def test_a_safe_that_goes_away_at_any_step_is_waited_for(self, folder: Path) -> None:
        """Every value opens meanwhile; when it is back the same command ends it."""
        before = await prepared(folder, 3, 2, under_root=0)
        await at_every_step(before, self._loses_a_safe)

    async def _loses_a_safe(self, before: Before, step: int) -> list[str]:
        steps = Leaves(step or None, passes_over=GUESSING, safes=before.safes)
        async with first_wallet(before.folder, before.safes, "loses a safe") as wallet:
            steps.watch(wallet, before.safes)
            with suppress(TooFewSafes):
                await reseed_root(wallet, by_pin(PIN))
            before.safes.calm_down()
            assert await everything(wallet) == named()
            before.safes.take_down()
        await self._goes_on(before.folder / "first", before)
        return steps.taken

    async def _goes_on(self, home: Path, before: Before) -> None:
        async with opened(home, before.safes, seed="goes on") as wallet:
            assert await everything(wallet) == named()
            assert (await reseed_root(wallet, by_pin(PIN))).ended
            await has_one_root(wallet, before)

    async def test_only_the_pin_begins_it(self, folder: Path) -> None:
        """A thief's unlocked wallet does not have it: nobody is revoked, and no record is staged."""
        before = await prepared(folder, 3, 2)
        async with first_wallet(folder, before.safes, "again") as wallet:
            with pytest.raises(OwnerNotUnlocked):
                await reseed_root(wallet, by_pin(OTHER_PIN))
        for half in before.safes.owners.values():
            (owner,) = half.owners.values()
            assert (owner.staged, owner.old, half.revoked) == (None, (), {})

    async def test_a_wallet_of_nobody_has_no_root_to_change(self, folder: Path) -> None:
        """It is told how to become an owner's."""
        async with another_wallet(folder, MemorySafes.of(3, 2)) as wallet:
            with pytest.raises(WalletWithoutOwner):
                await reseed_root(wallet, by_pin(PIN))

    async def test_a_thief_is_shut_out_although_the_rest_waits_for_a_safe(self, folder: Path) -> None:
        """A safe is away: the root stays, and the other wallets are revoked where it can be said."""
        before = await prepared(folder, 3, 2)
        async with first_wallet(folder, before.safes, "again") as wallet:
            before.safes.take_down(3)
            with pytest.raises(TooFewSafes, match="2 of the 3 safes needed"):
                await reseed_root(wallet, by_pin(PIN))
            bound = wallet.keys.ownership
            before.safes.take_down()
            assert [len(half.revoked) for half in before.safes.owners.values()] == [1, 1, 0]
            assert bound is not None
            assert {one.read_manifest().ownership for one in receipts(wallet)} == {bound}
            assert (await reseed_root(wallet, by_pin(PIN))).ended
            await has_one_root(wallet, before)

    @pytest.mark.parametrize("call", ["stage", "commit"])
    async def test_a_safe_that_does_not_take_the_record_is_named(self, folder: Path, call: str) -> None:
        """Nothing is bound to a root that not any k safes would give back."""
        before = await prepared(folder, 3, 2)
        async with first_wallet(folder, before.safes, "again") as wallet:
            before.safes.owners_at(2).faults = Faults(refuses={call: StorageFull()})
            with pytest.raises(TooFewSafes) as caught:
                await reseed_root(wallet, by_pin(PIN))
            assert {name: type(one) for name, one in caught.value.failed.items()} == {"safe-2": StorageFull}
            assert await everything(wallet) == named()
            before.safes.owners_at(2).faults = Faults()
            assert (await reseed_root(wallet, by_pin(PIN))).ended
            await has_one_root(wallet, before)

    async def test_a_safe_that_does_not_tell_what_it_has_keeps_it_from_ending(self, folder: Path) -> None:
        """What it alone keeps would be lost with the old root."""
        before = await prepared(folder, 3, 2)
        async with another_wallet(folder, before.safes) as second:
            await away(second, "plain", [small_value("of the second")])
        async with first_wallet(folder, before.safes, "again") as wallet:
            before.safes.owners_at(1).faults = Faults(refuses={"catalogue": StorageFull()})
            done = await reseed_root(wallet, by_pin(PIN))
            assert (done.left, done.waiting, done.ended) == ({}, 0, False)
            assert [type(one) for one in done.failed.values()] == [StorageFull]
            before.safes.owners_at(1).faults = Faults()
            done = await reseed_root(wallet, by_pin(PIN))
            assert (len(done.resealed), done.ended) == (1, True)
            assert small_value("of the second") in await everything(wallet)
            assert LEAVING_ROOT not in wallet.store.keys.names()

    async def test_a_new_wallet_that_comes_back_meanwhile_has_everything_and_ends_it(
        self, folder: Path
    ) -> None:
        """The wallet that began it is lost: what comes from the old root comes back all the same."""
        before = await prepared(folder, 3, 2)
        async with first_wallet(folder, before.safes, "again") as wallet:
            for safe in before.safes:
                safe.refuses = StorageFull()
            done = await reseed_root(wallet, by_pin(PIN))
            assert (len(done.left), done.ended) == (2, False)
            assert (await resume(wallet)).root_changing
            for safe in before.safes:
                safe.refuses = None
        lose(folder)
        async with another_wallet(folder, before.safes, "third") as third:
            assert (await come_back(third)).left == {}
            assert contents(third) == named()
            assert LEAVING_ROOT in third.store.keys.names()
            assert (await reseed_root(third, by_pin(PIN))).ended
            assert not (await resume(third)).root_changing
            assert opened_by_thief(before.stolen, before.safes) == []
            assert LEAVING_ROOT not in third.store.keys.names()
            assert (await secrets_of(third)).leaving_root == NO_ROOT

    async def test_a_record_that_lacks_a_root_in_use_is_not_gone_on_from(self, folder: Path) -> None:
        """All safes were rolled back to the record before: the root in use would be lost with the next."""
        before = await prepared(folder, 3, 2)
        records = {safe_id: dict(half.owners) for safe_id, half in before.safes.owners.items()}
        async with first_wallet(folder, before.safes, "again") as wallet:
            await reseed_root(wallet, by_pin(PIN))
            for safe_id, half in before.safes.owners.items():
                half.owners = dict(records[safe_id])
            for change in (reseed_root(wallet, by_pin(PIN)), change_pin(wallet, by_pin(PIN), OTHER_PIN)):
                with pytest.raises(RecordBehind):
                    await change
            assert {safe_id: half.owners for safe_id, half in before.safes.owners.items()} == records
            assert await everything(wallet) == named()

    async def test_a_key_that_was_derived_and_stored_stays_of_use(self, folder: Path) -> None:
        """The new root does not give it: what it seals still opens, whether it was here or away."""
        before = await prepared(folder, 3, 2)
        made = policy("office", value=Division("shamir", 1, 1), key=KeyRule("kept"), key_name="office")
        async with first_wallet(folder, before.safes, "again") as wallet:
            key = await recover_from_root(wallet, "shared", "office")
            add_policy(wallet.store, policy_toml(made), "office.toml", wallet.roster)
            await away(wallet, "office", [small_value("in the office")])
            await forget_key(wallet, key.id)
            assert (await reseed_root(wallet, by_pin(PIN))).ended
            assert wallet.store.keyring.entry(key.id).algorithm == ""
            assert small_value("in the office") in await everything(wallet)
            assert opened_by_thief(before.stolen, before.safes) == []

    async def test_what_is_sealed_under_a_key_that_is_nowhere_keeps_the_old_root(self, folder: Path) -> None:
        """The key may be found: then the old binding is needed."""
        before = await prepared(folder, 3, 2)
        async with another_wallet(folder, before.safes) as second:
            (lost,) = await away(second, "sealed", [small_value("sealed")])
        async with first_wallet(folder, before.safes, "again") as wallet:
            done = await reseed_root(wallet, by_pin(PIN))
            assert {name: type(one) for name, one in done.left.items()} == {lost: KeyNotInWallet}
            assert not done.ended
            assert len(wallet.keys.bindings) == 2

    async def test_what_no_root_opens_does_not_keep_the_old_one(self, folder: Path) -> None:
        """A thief made it while the wallet was unlocked, to have the change never end."""
        before = await prepared(folder, 3, 2)
        async with another_wallet(folder, before.safes) as second:
            bind(second, Binding(draw("a root of nobody", 32)))
            (forged,) = await away(second, "threshold", [small_value("forged")])
        async with first_wallet(folder, before.safes, "again") as wallet:
            done = await reseed_root(wallet, by_pin(PIN))
            assert {name: type(one) for name, one in done.left.items()} == {forged: BindingUnknown}
            assert done.ended
            assert len(wallet.keys.bindings) == 1
