"""Everything is gone but a name and a PIN: whatever was backed up comes back, whole, into a new wallet."""

import asyncio
import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from support import odd_policies
from support.commits import Commits
from support.memory_safes import Crash, MemorySafes
from support.odd_policies import ODD
from support.owners_wallets import (
    OTHER_PIN,
    VALUES,
    another_wallet,
    away,
    bind,
    come_back,
    contents,
    enrolled,
    first_wallet,
    keep,
    lose,
    named,
    quick_stretch,
    receipts,
)
from support.sample_documents import draw
from support.wallet_samples import small_value
from trust.digest import Digest, DigestFields
from trust.ids import OwnerId
from trust.policy import KeyRule
from wallet_client.operations.backup import back_up
from wallet_client.operations.errors import KeyNotInWallet, TooFewSafes
from wallet_client.operations.key_backup import back_up_key
from wallet_client.operations.keys import make_key
from wallet_client.operations.owner_errors import (
    OwnerNotUnlocked,
    OwnerOutOfReach,
    WalletHasAnotherRoot,
    WalletHasOwnerAlready,
)
from wallet_client.operations.owner_recovery import OwnerRecovered, continue_recovery
from wallet_client.operations.policies import add_policy
from wallet_client.operations.recover_in_room import Waiting, recover_suspended, waiting_in
from wallet_client.operations.resume import resume
from wallet_client.pipeline import batch as batches
from wallet_client.pipeline.binding import Binding
from wallet_client.pipeline.errors import BindingUnknown
from wallet_client.policies.policy_print import policy_toml
from wallet_client.policies.presets import policy_names
from wallet_client.receipts.receipt import verify_receipt
from wallet_client.values.errors import ValueDamaged
from wallet_client.values.value import stored_size
from wallet_client.wallet import Wallet

__all__ = ["quick_stretch"]

pytestmark = pytest.mark.usefixtures("quick_stretch")

KEPT = ["sealed", "sealed-pair", "divided"]
"""Presets whose key is in the wallet alone, until it is backed up."""

WITHIN_OWNER = [name for name in policy_names() if name not in KEPT] + [
    one.name
    for one in ODD
    if one.key.mode != "kept" and "wallet" not in (*one.value_at, *one.key_at)  # pieces in the lost wallet
]
HIDING: dict[str, dict[str, Any]] = {
    "nothing-shown": {"digest": "vacant"},
    "nothing-shown-coupled": {"digest": "vacant", "coupling": "couple-then-seal"},
    "class-shown": {"digest": "public", "shown": ("class",)},
    "all-shown": {"digest": "public"},
}


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which any three bring back."""
    return MemorySafes.of(5, 3)


def is_whole(wallet: Wallet, done: OwnerRecovered) -> None:
    """All values are there with all their fields, each with a receipt that holds; nothing is left to do."""
    assert contents(wallet) == named()
    assert (done.left, done.failed, done.lacking, done.suspended) == ({}, {}, {}, ())
    assert done.found == done.recovered
    for receipt in receipts(wallet):
        assert set(verify_receipt(receipt, wallet.roster).values()) == {None}
        holding = wallet.store.holding(receipt.kind)
        assert {holding.summary(one).receipt_id for one in receipt.value_ids} == {receipt.receipt_id}
    settings = wallet.store.settings.get()
    assert settings.owner is not None
    assert (settings.owner.name, settings.owner.recovering) == ("anna", False)
    assert wallet.store.suspended.entries() == []


class TestEveryPolicy:
    """What a first wallet backed up, and put away, and a second one brings back."""

    @pytest.mark.parametrize("policy", WITHIN_OWNER)
    async def test_all_values_come_back_byte_for_byte(
        self, folder: Path, safes: MemorySafes, policy: str
    ) -> None:
        """With all their fields, and receipts that hold."""
        async with first_wallet(folder, safes) as first:
            odd_policies.use(first, policy)
            await away(first, policy)
        lose(folder)
        async with another_wallet(folder, safes) as second:
            is_whole(second, await come_back(second))

    @pytest.mark.parametrize("policy", KEPT)
    async def test_under_a_key_that_was_backed_up_too(
        self, folder: Path, safes: MemorySafes, policy: str
    ) -> None:
        """The key comes back first."""
        async with first_wallet(folder, safes) as first:
            await away(first, policy)
            (key,) = [one for one in first.store.keyring.entries() if one.kind != "root"]
            await back_up_key(first, key.id, "threshold")
        lose(folder)
        async with another_wallet(folder, safes) as second:
            done = await come_back(second)
            is_whole(second, done)
            assert second.store.keyring.has(key.id)
            assert done.found == len(VALUES) + 1

    async def test_under_a_key_that_needs_another_key_first(self, folder: Path, safes: MemorySafes) -> None:
        """In whatever order the catalogue names them."""
        async with first_wallet(folder, safes) as first:
            inner, outer = [await make_key(first, "shared", name) for name in ("a-inner", "main")]
            add_policy(
                first.store,
                policy_toml(odd_policies.policy("inner", key=KeyRule("kept"), key_name="a-inner")),
                "inner.toml",
                first.roster,
            )
            await away(first, "inner")
            await back_up_key(first, inner.id, "sealed")
            await back_up_key(first, outer.id, "threshold")
        lose(folder)
        async with another_wallet(folder, safes) as second:
            is_whole(second, await come_back(second))

    @pytest.mark.parametrize("policy", KEPT)
    async def test_what_only_the_lost_wallet_could_open_is_left_and_named(
        self, folder: Path, safes: MemorySafes, policy: str
    ) -> None:
        """The enrolment said so; everything else comes back."""
        async with another_wallet(folder, safes, "first") as first:
            lost = await away(first, policy, VALUES[:1])
            await away(first, "threshold", VALUES[1:])
            beyond = [one.receipt_id for one in (await enrolled(first)).beyond]
            assert beyond == lost
        lose(folder)
        async with another_wallet(folder, safes) as second:
            done = await come_back(second)
            assert contents(second) == named(VALUES[1:])
            assert {name: type(error) for name, error in done.left.items()} == {lost[0]: KeyNotInWallet}
            assert (done.found, done.recovered, done.suspended) == (3, 2, ())

    async def test_pieces_that_the_lost_wallet_kept_are_left_and_named(
        self, folder: Path, safes: MemorySafes
    ) -> None:
        """The enrolment said so."""
        async with another_wallet(folder, safes, "first") as first:
            odd_policies.use(first, "some-key-shares-in-the-wallet")
            lost = await away(first, "some-key-shares-in-the-wallet", VALUES[:1])
            assert [one.receipt_id for one in (await enrolled(first)).beyond] == lost
        lose(folder)
        async with another_wallet(folder, safes) as second:
            done = await come_back(second)
            assert {name: type(error) for name, error in done.left.items()} == {lost[0]: TooFewSafes}

    @pytest.mark.parametrize("policy", HIDING)
    async def test_what_the_digest_hides_is_learnt(
        self, folder: Path, safes: MemorySafes, policy: str
    ) -> None:
        """Receipts say afterwards what they are for."""
        made = odd_policies.policy(policy, **HIDING[policy])
        async with first_wallet(folder, safes) as first:
            add_policy(first.store, policy_toml(made), "policy.toml", first.roster)
            await away(first, policy)
        lose(folder)
        async with another_wallet(folder, safes) as second:
            is_whole(second, await come_back(second))
            told = [member.fields.name for receipt in receipts(second) for member in receipt.members]
            assert sorted(told) == [value.name for value in named()]


class TestNotAllSafes:
    """Whoever is away."""

    async def test_any_three_safes_are_enough(self, folder: Path, safes: MemorySafes) -> None:
        """The two that are away are named, and told of the new wallet when they are back."""
        async with first_wallet(folder, safes) as first:
            await away(first, "threshold")
        lose(folder)
        safes.take_down(1, 4)
        async with another_wallet(folder, safes) as second:
            done = await come_back(second)
            assert contents(second) == named()
            assert set(done.failed) == {"safe-1", "safe-4"}
            assert done.left == {}
            safes.take_down()
            report = await resume(second)
            assert (report.still_owed, report.failed) == ({}, {})
            assert report.owner is not None
            is_whole(second, report.owner)
            assert {len(half.authorised) for half in safes.owners.values()} == {2}
            assert {len(receipt.certificates) for receipt in receipts(second)} == {5}

    async def test_two_are_not_and_no_guess_is_spent(self, folder: Path, safes: MemorySafes) -> None:
        """The error says so; the same wallet is used when they are back."""
        async with first_wallet(folder, safes) as first:
            await away(first, "threshold")
            owner = OwnerId(first.store.settings.get().owner.owner_id)  # type: ignore[union-attr]
        lose(folder)
        safes.take_down(2, 3, 5)
        async with another_wallet(folder, safes) as second:
            with pytest.raises(OwnerOutOfReach, match="No guess was spent") as caught:
                await come_back(second)
            assert (caught.value.good, caught.value.needed) == (2, 3)
            assert set(caught.value.failed) == {"safe-2", "safe-3", "safe-5"}
            safes.take_down()
            assert {half.spent(owner) for half in safes.owners.values()} == {0}
            assert second.store.settings.get().owner is None
            is_whole(second, await come_back(second))

    async def test_what_is_only_at_a_safe_that_is_away_comes_when_it_is_back(
        self, folder: Path, safes: MemorySafes
    ) -> None:
        """Nobody knows of it until then; `resume` asks again, and brings nothing back that was put away."""
        async with first_wallet(folder, safes) as first:
            await away(first, "plain", VALUES[:1])
            await away(first, "threshold", VALUES[1:])
        lose(folder)
        safes.take_down(1)
        async with another_wallet(folder, safes) as second:
            assert (await come_back(second)).found == 2
            (put_away, *_) = second.store.values.summaries()
            second.store.values.remove(put_away.id)
            safes.take_down()
            report = await resume(second)
            assert report.owner is not None
            assert (report.owner.found, report.owner.recovered) == (3, 2)
            assert VALUES[0] in contents(second)
            assert (await resume(second)).owner is None

    async def test_a_wrong_pin_changes_nothing(self, folder: Path, safes: MemorySafes) -> None:
        """Nor does the right one of nobody."""
        async with first_wallet(folder, safes):
            pass
        async with another_wallet(folder, safes) as second:
            with pytest.raises(OwnerNotUnlocked):
                await come_back(second, OTHER_PIN)
            assert second.store.settings.get().owner is None
            assert second.store.keyring.entries() == []


async def test_what_is_most_urgent_comes_first_and_the_rest_waits_for_room(
    folder: Path, safes: MemorySafes
) -> None:
    """A value without an end is the least urgent; `kura recover --suspended` goes on."""
    days = {"never": None, "late": date(2031, 1, 1), "soon": date(2030, 1, 1), "now": date(2029, 1, 1)}
    values = [small_value(name, valid_until=day, payload=bytes(2000)) for name, day in days.items()]
    async with first_wallet(folder, safes) as first:
        await away(first, "threshold", values)
    lose(folder)
    async with another_wallet(folder, safes) as second:
        second.store.settings.set_capacity(2 * stored_size(values[1]) + 100)
        done = await come_back(second)
        assert [value.name for value in contents(second)] == ["now", "soon"]
        assert (done.found, done.recovered, len(done.suspended), done.left) == (4, 2, 2, {})
        assert second.store.settings.get().owner.recovering is False  # type: ignore[union-attr]
        second.store.settings.set_capacity(None)
        await recover_suspended(second)
        assert contents(second) == named(values)
        is_over = await continue_recovery(second)
        assert (is_over.recovered, is_over.suspended) == (4, ())


async def test_an_item_that_is_lost_holds_up_nothing_that_waits_for_room(
    folder: Path, safes: MemorySafes
) -> None:
    """It stays suspended, and is told; alone it is the reason why nothing came back."""
    async with first_wallet(folder, safes) as first:
        await away(first, "threshold", VALUES[1:])
        (lost,) = await away(first, "sealed", VALUES[:1])
    lose(folder)
    async with another_wallet(folder, safes) as second:
        second.store.settings.set_capacity(1)
        assert (await come_back(second)).recovered == 0
        assert waiting_in(second) == Waiting(for_key=1, for_room=2)
        second.store.settings.set_capacity(None)
        assert waiting_in(second) == Waiting(for_key=1, for_nothing=2)
        done = await recover_suspended(second)
        assert contents(second) == named(VALUES[1:])
        assert {name: type(error) for name, error in done.left.items()} == {lost: KeyNotInWallet}
        assert (done.suspended, done.shortage) == ((), None)
        with pytest.raises(KeyNotInWallet):
            await recover_suspended(second)
        assert waiting_in(second) == Waiting(for_key=1)


class TestSpoiltItems:
    """One item that does not come back costs no other."""

    async def test_one_of_which_too_few_pieces_are_left(self, folder: Path, safes: MemorySafes) -> None:
        """It is tried again by `resume`, and by `kura recover --suspended`."""
        async with first_wallet(folder, safes) as first:
            await away(first, "threshold", VALUES[1:])
            (lost,) = await away(first, "threshold", VALUES[:1])
            item_id = next(one for one in receipts(first) if one.receipt_id == lost).read_leaf().item_id
        lose(folder)
        taken = copy.deepcopy(safes)
        for number in (1, 2, 3):
            safes[number].pieces = {
                name: piece for name, piece in safes[number].pieces.items() if name[0] != item_id
            }
        async with another_wallet(folder, safes) as second:
            done = await come_back(second)
            assert contents(second) == named(VALUES[1:])
            assert {name: type(error) for name, error in done.left.items()} == {lost: TooFewSafes}
            assert done.lacking == {"safe-1": 1, "safe-2": 1, "safe-3": 1}
            for number in (1, 2, 3):
                safes[number].pieces = taken[number].pieces
            report = await resume(second)
            assert report.owner is not None
            is_whole(second, report.owner)

    async def test_one_that_is_bound_to_a_root_of_nobody(self, folder: Path, safes: MemorySafes) -> None:
        """A thief's wallet can make such items until it is revoked."""
        async with first_wallet(folder, safes) as first:
            await away(first, "threshold", VALUES[1:])
            bind(first, Binding(draw("a root of nobody", 32)))
            (lost,) = await away(first, "threshold", VALUES[:1])
        await self.is_left(folder, safes, lost, BindingUnknown)

    async def test_one_that_does_not_open(self, folder: Path, safes: MemorySafes) -> None:
        """It says that it is bound to the owner's root, and is not."""
        async with first_wallet(folder, safes) as first:
            await away(first, "threshold", VALUES[1:])
            ownership = first.keys.ownership
            assert ownership is not None
            forged = Binding(draw("a root of nobody", 32))
            object.__setattr__(forged, "id", ownership.binding_id)
            bind(first, forged)
            (lost,) = await away(first, "threshold", VALUES[:1])
        await self.is_left(folder, safes, lost, ValueDamaged)

    async def test_one_whose_digest_shows_more_values_than_there_are(
        self, folder: Path, safes: MemorySafes
    ) -> None:
        """What it says is not taken for what it holds."""
        async with first_wallet(folder, safes) as first:
            await away(first, "threshold", VALUES[1:])
            with digests_altered(lambda entries: entries * 2):
                (lost,) = await away(first, "threshold", VALUES[:1])
        await self.is_left(folder, safes, lost, ValueDamaged)

    async def test_one_whose_digest_shows_what_no_value_can_have_comes_back_as_what_it_is(
        self, folder: Path, safes: MemorySafes
    ) -> None:
        """It is opened before anything is said of it."""
        async with first_wallet(folder, safes) as first:
            with digests_altered(lambda _: (DigestFields(name="x", valid_until="no day"),)):
                await away(first, "threshold")
        lose(folder)
        async with another_wallet(folder, safes) as second:
            is_whole(second, await come_back(second))

    async def is_left(self, folder: Path, safes: MemorySafes, lost: str, kind: type[Exception]) -> None:
        """All others come back, and there is nothing to be gained by asking again."""
        lose(folder)
        async with another_wallet(folder, safes) as second:
            done = await come_back(second)
            assert contents(second) == named(VALUES[1:])
            assert {name: type(error) for name, error in done.left.items()} == {lost: kind}
            assert (await resume(second)).owner is None


Entries = tuple[DigestFields, ...]


@contextmanager
def digests_altered(alter: Callable[[Entries], Entries]) -> Iterator[None]:
    """What is registered meanwhile says something else of itself."""
    honest: Any = vars(batches)["make_digest"]

    def altered(mode: Any, entries: Entries, *rest: Any) -> Digest:
        changed: Digest = honest(mode, alter(entries), *rest)
        return changed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "make_digest", altered)
        yield


@pytest.mark.no_cover
class TestDyingOnTheWay:
    """The process may die at any step; no guess is spent, and nothing is lost or doubled."""

    async def test_it_goes_on_from_every_step(self, folder: Path) -> None:
        """By the same command until the wallet is the owner's, by `resume` from then on."""
        safes = MemorySafes.of(2, 2)
        async with first_wallet(folder, safes) as first:
            await away(first, "seed", VALUES[:1])
            await away(first, "sealed", VALUES[1:2])
            await away(first, "coupled", VALUES[2:])
            (key,) = [one for one in first.store.keyring.entries() if one.kind == "shared"]
            await back_up_key(first, key.id, "threshold")
        lose(folder)
        async with another_wallet(folder, safes, "prepared"):
            pass
        steps = await self._die(folder, copy.deepcopy(safes), 0)
        assert {"evaluate", "unlock", "authorise_wallet", "change"} <= set(steps.taken)
        for step, name in enumerate(steps.taken, 1):
            try:
                await self._die(folder, copy.deepcopy(safes), step)
            except AssertionError as error:
                error.add_note(f"died at step {step} of {len(steps.taken)}: {name}")
                raise

    async def _die(self, folder: Path, safes: MemorySafes, step: int) -> Commits:
        shutil.copytree(folder / "prepared", folder / str(step))
        steps = Commits(step or None)
        async with another_wallet(folder, safes, str(step)) as wallet:
            steps.watch(wallet, safes)
            with suppress(Crash):
                await come_back(wallet)
        safes.calm_down()
        async with another_wallet(folder, safes, str(step)) as wallet:
            owner = wallet.store.settings.get().owner
            report = await resume(wallet) if owner else None
            done = await come_back(wallet) if report is None else report.owner
            is_whole(wallet, done or await continue_recovery(wallet))
            assert (wallet.store.journal.entries(), wallet.store.outbox.entries()) == ([], [])
            assert {half.spent(id_) for half in safes.owners.values() for id_ in half.owners} == {0}
            again = await continue_recovery(wallet)
            assert (again.found, again.recovered) == (5, 5)
        lose(folder, str(step))
        return steps


class TestIntoAWalletThatIsThere:
    """A new device that was used a little before."""

    async def test_what_it_had_is_bound_to_the_owner(self, folder: Path, safes: MemorySafes) -> None:
        """As enrolment does it; three safes together read nothing of it any more."""
        async with first_wallet(folder, safes) as first:
            await away(first, "threshold", VALUES[:1])
        lose(folder)
        async with another_wallet(folder, safes) as second:
            await back_up(second, keep(second, VALUES[1:]), "threshold")
            is_whole(second, await come_back(second))
            owner = second.keys.ownership
            assert owner is not None
            bound = {receipt.read_manifest().ownership for receipt in receipts(second)}
            assert {one.binding_id for one in bound if one} == {owner.binding_id}
            assert None not in bound

    async def test_one_with_a_root_of_its_own_is_refused(self, folder: Path, safes: MemorySafes) -> None:
        """What comes from that root would be lost; nothing is changed, and the guess comes back."""
        async with first_wallet(folder, safes):
            pass
        async with another_wallet(folder, safes) as second:
            root = await make_key(second, "root", "mine")
            with pytest.raises(WalletHasAnotherRoot):
                await come_back(second)
            assert [one.id for one in second.store.keyring.entries()] == [root.id]
            assert second.store.settings.get().owner is None
            assert {half.spent(id_) for half in safes.owners.values() for id_ in half.owners} == {0}

    async def test_one_that_acts_for_an_owner_is_refused_and_goes_on_without_the_pin(
        self, folder: Path, safes: MemorySafes
    ) -> None:
        """The same name or another."""
        async with first_wallet(folder, safes) as first:
            await away(first, "threshold")
            with pytest.raises(WalletHasOwnerAlready):
                await come_back(first, OTHER_PIN)
            assert (await continue_recovery(first)).found == 3
            assert contents(first) == []  # they were put away

    async def test_two_keys_of_one_name_come_back_under_two(self, folder: Path, safes: MemorySafes) -> None:
        """Each wallet called its key `main`, as every wallet does."""
        async with first_wallet(folder, safes) as first, another_wallet(folder, safes) as second:
            await come_back(second)
            for wallet, values in ((first, VALUES[:1]), (second, VALUES[1:])):
                await away(wallet, "sealed", values)
                (key,) = [one for one in wallet.store.keyring.entries() if one.kind == "shared"]
                await back_up_key(wallet, key.id, "threshold")
        lose(folder, "first")
        lose(folder, "second")
        async with another_wallet(folder, safes, "third") as third:
            is_whole(third, await come_back(third))
            names = [one.name for one in third.store.keyring.entries() if one.kind == "shared"]
            assert names == ["main", "main-2"]


async def test_two_wallets_come_back_at_once(folder: Path, safes: MemorySafes) -> None:
    """Neither takes anything from the other."""
    async with first_wallet(folder, safes) as first:
        await away(first, "seed")
    lose(folder)
    async with another_wallet(folder, safes, "one") as one, another_wallet(folder, safes, "two") as two:
        done = await asyncio.gather(come_back(one), come_back(two))
        is_whole(one, done[0])
        is_whole(two, done[1])
        assert {len(half.authorised) for half in safes.owners.values()} == {3}
