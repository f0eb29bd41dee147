"""The process dies at any step of any operation; whoever changes the wallet next makes it whole.

A step is a write of the wallet, before and after, or a call to a safe, before it and after it took effect.
Of an operation that goes well, what each step would have left behind is kept; each of these wrecks is then
opened anew and resumed. Cancelling is another thing: there the operation is run again for every step.
"""

import asyncio
import copy
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.memory_safes import Crash, MemorySafes, Steps, check_books, lock_is_free, opened
from support.wallet_samples import small_value
from support.wrecks import Operation, Wreck, wrecks_of
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.forget import forget
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.operations.settle import changing
from wallet_client.receipts.deletion import generations_of
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import all_deletions, get_receipt
from wallet_client.values.errors import UnknownValue
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

pytestmark = pytest.mark.no_cover

OLD = small_value("old", payload=b"old content")
NEW = small_value("new", payload=b"new content, longer than the old one")
OTHER = small_value("other", payload=b"other")

Prepare = Callable[[Wallet, MemorySafes], Awaitable[object]]
Check = Callable[[Wallet, MemorySafes], Awaitable[None]]


def ids(wallet: Wallet) -> list[ValueId]:
    """All values, in the order added."""
    return [one.id for one in wallet.store.values.summaries()]


def receipt_ids(wallet: Wallet, kind: str = "value") -> list[ReceiptId]:
    """The receipts of values, or of keys."""
    found = [ReceiptId(entry.id) for entry in wallet.store.receipts.entries()]
    return [one for one in found if get_receipt(wallet.store, one).kind == kind]


async def two_values(wallet: Wallet, safes: MemorySafes) -> None:
    """In the wallet, not backed up."""
    with wallet.store.transaction():
        wallet.store.values.add(OLD)
        wallet.store.values.add(OTHER)


async def two_receipts(wallet: Wallet, safes: MemorySafes) -> None:
    """In the wallet and at all safes."""
    await two_values(wallet, safes)
    await back_up(wallet, ids(wallet), "threshold")


async def two_receipts_alone(wallet: Wallet, safes: MemorySafes) -> None:
    """At all safes, and not in the wallet."""
    await two_receipts(wallet, safes)
    await drop_backed_up(wallet, ids(wallet), accept_fewer=False)


async def two_under_the_root(wallet: Wallet, safes: MemorySafes) -> None:
    """At all safes under a key that comes from the root; neither they nor the root are in the wallet."""
    await two_values(wallet, safes)
    await back_up(wallet, ids(wallet), "seed")
    await drop_backed_up(wallet, ids(wallet), accept_fewer=False)


async def one_coupled_receipt(wallet: Wallet, safes: MemorySafes) -> None:
    """Both are one item, in the wallet and at all safes."""
    await two_values(wallet, safes)
    await back_up(wallet, ids(wallet), "coupled")


async def one_coupled_receipt_alone(wallet: Wallet, safes: MemorySafes) -> None:
    """Both are one item, at all safes and not in the wallet."""
    await one_coupled_receipt(wallet, safes)
    await drop_backed_up(wallet, ids(wallet), accept_fewer=False)


async def one_safe_short(wallet: Wallet, safes: MemorySafes) -> None:
    """Registered, with a parcel in the outbox for a safe that is back."""
    await two_values(wallet, safes)
    safes.take_down(4)
    await back_up(wallet, ids(wallet), "threshold")
    safes.take_down()


async def withdrawn(wallet: Wallet, safes: MemorySafes) -> None:
    """A backup below the quorum, whose tombstones wait for three safes that are back."""
    await two_values(wallet, safes)
    safes.take_down(1, 2, 3)
    with pytest.raises(TooFewSafes):
        await back_up(wallet, ids(wallet), "threshold")
    safes.take_down()


async def deleted_but_for_two_safes(wallet: Wallet, safes: MemorySafes) -> None:
    """Recovered, and the receipts deleted while two safes were away that are back."""
    await two_receipts_alone(wallet, safes)
    safes.take_down(2, 4)
    await recover(wallet, receipt_ids(wallet), delete_receipts=True)
    safes.take_down()


async def all_or_no_receipts(wallet: Wallet, safes: MemorySafes) -> None:
    """Both values are registered or neither; what is there comes back whole."""
    assert len(receipt_ids(wallet)) in {0, 2}
    assert [wallet.store.values.get(one) for one in ids(wallet)] == [OLD, OTHER]
    await both_come_back(wallet, safes)


async def both_come_back(wallet: Wallet, safes: MemorySafes) -> None:
    """From three safes, whatever receipts there are."""
    before = {one: wallet.store.values.get(one) for one in ids(wallet)}
    for value_id in before:
        if wallet.store.values.summary(value_id).receipt_id:
            await drop_backed_up(wallet, [value_id], accept_fewer=False)
    safes.take_down(1, 5)
    await recover(wallet, receipt_ids(wallet))
    safes.take_down()
    assert {one: wallet.store.values.get(one) for one in ids(wallet)} == before


async def one_generation(wallet: Wallet, safes: MemorySafes) -> None:
    """The old content or the new, the same in the wallet and at the safes, and two receipts."""
    contents = [wallet.store.values.get(one) for one in ids(wallet)]
    assert contents in ([OLD, OTHER], [NEW, OTHER])
    assert len(receipt_ids(wallet)) == 2
    await both_come_back(wallet, safes)


async def values_or_receipts(wallet: Wallet, safes: MemorySafes) -> None:
    """Both values are in the wallet or none; the receipts stand."""
    assert len(ids(wallet)) in {0, 2}
    assert len(receipt_ids(wallet)) == 2
    await recover(wallet, receipt_ids(wallet))
    assert sorted(wallet.store.values.get(one).name for one in ids(wallet)) == ["old", "other"]


async def root_before_values(wallet: Wallet, safes: MemorySafes) -> None:
    """Nothing hangs on a root that is not registered, and whatever was registered comes back."""
    assert len(receipt_ids(wallet)) in {0, 2}
    roots = [entry for entry in wallet.store.keyring.entries() if entry.kind == "root"]
    assert len(roots) <= 1
    if receipt_ids(wallet):
        assert [root.receipt_id for root in roots] == receipt_ids(wallet, "key")
    assert all(root.is_here or root.receipt_id for root in roots)
    assert [wallet.store.values.get(one) for one in ids(wallet)] == [OLD, OTHER]
    await both_come_back(wallet, safes)


async def coupled_or_not(wallet: Wallet, safes: MemorySafes) -> None:
    """One receipt of both, or none."""
    receipts = [get_receipt(wallet.store, one) for one in receipt_ids(wallet)]
    assert [receipt.value_ids for receipt in receipts] in ([], [tuple(ids(wallet))])
    await both_come_back(wallet, safes)


async def each_in_one_item(wallet: Wallet, safes: MemorySafes) -> None:
    """Each of both values stands in exactly one receipt, and comes back from it."""
    named = [id for one in receipt_ids(wallet) for id in get_receipt(wallet.store, one).value_ids]
    assert sorted(named) == sorted(ids(wallet))
    contents = [wallet.store.values.get(one) for one in ids(wallet)]
    assert contents in ([OLD, OTHER], [NEW, OTHER])
    await both_come_back(wallet, safes)


async def nothing_lost(wallet: Wallet, safes: MemorySafes) -> None:
    """A value is in the wallet or has its receipt."""
    kept = {id for one in receipt_ids(wallet) for id in get_receipt(wallet.store, one).value_ids}
    assert len(kept | set(ids(wallet))) == 2


async def receipts_or_deletions(wallet: Wallet, safes: MemorySafes) -> None:
    """A value has its receipt, or all safes' word is kept that its pieces are gone."""
    await nothing_lost(wallet, safes)
    deleted = [one for deletion in all_deletions(wallet.store) for one in generations_of(deletion)]
    assert len(receipt_ids(wallet)) + len(deleted) == 2
    assert [(len(one.erased_at), one.owed_to) for one in deleted] == [(5, ())] * len(deleted)


async def no_receipts(wallet: Wallet, safes: MemorySafes) -> None:
    """Both values are in the wallet, nothing is anywhere else."""
    assert receipt_ids(wallet) == []
    assert len(ids(wallet)) == 2
    assert safes.kept() == [set()] * 5


async def two_safe_receipts(wallet: Wallet, safes: MemorySafes) -> None:
    """As if nothing had happened."""
    assert len(receipt_ids(wallet)) == 2
    await both_come_back(wallet, safes)


CASES: dict[str, tuple[Prepare, Operation, Check]] = {
    "back up two values": (
        two_values,
        lambda wallet, safes: back_up(wallet, ids(wallet), "threshold"),
        all_or_no_receipts,
    ),
    "back up under another policy": (
        two_receipts,
        lambda wallet, safes: back_up(wallet, ids(wallet), "apart"),
        two_safe_receipts,
    ),
    "edit a value that is backed up": (
        two_receipts,
        lambda wallet, safes: edit(wallet, ids(wallet)[0], NEW),
        one_generation,
    ),
    "erase values that are backed up": (
        two_receipts,
        lambda wallet, safes: drop_backed_up(wallet, ids(wallet), accept_fewer=False),
        values_or_receipts,
    ),
    "recover": (
        two_receipts_alone,
        lambda wallet, safes: recover(wallet, receipt_ids(wallet)),
        values_or_receipts,
    ),
    "recover and delete the receipts": (
        two_receipts_alone,
        lambda wallet, safes: recover(wallet, receipt_ids(wallet), delete_receipts=True),
        receipts_or_deletions,
    ),
    "deliver a deletion": (
        deleted_but_for_two_safes,
        lambda wallet, safes: resume(wallet),
        receipts_or_deletions,
    ),
    "back up under a key from the root": (
        two_values,
        lambda wallet, safes: back_up(wallet, ids(wallet), "seed"),
        root_before_values,
    ),
    "recover under a root that is away": (
        two_under_the_root,
        lambda wallet, safes: recover(wallet, receipt_ids(wallet)),
        values_or_receipts,
    ),
    "back up two values as one item": (
        two_values,
        lambda wallet, safes: back_up(wallet, ids(wallet), "coupled"),
        coupled_or_not,
    ),
    "back up one of two coupled values under another policy": (
        one_coupled_receipt,
        lambda wallet, safes: back_up(wallet, ids(wallet)[:1], "threshold"),
        each_in_one_item,
    ),
    "edit one of two coupled values": (
        one_coupled_receipt,
        lambda wallet, safes: edit(wallet, ids(wallet)[0], NEW),
        each_in_one_item,
    ),
    "recover two coupled values and delete their receipt": (
        one_coupled_receipt_alone,
        lambda wallet, safes: recover(wallet, receipt_ids(wallet), delete_receipts=True),
        nothing_lost,
    ),
    "deliver what a safe is owed": (one_safe_short, lambda wallet, safes: resume(wallet), two_safe_receipts),
    "deliver tombstones": (withdrawn, lambda wallet, safes: resume(wallet), no_receipts),
}


@dataclass
class Prepared:
    """A wallet's folder and its safes as an operation finds them, and the steps it takes if all goes well."""

    home: Path
    safes: MemorySafes
    steps: list[str]

    def copy(self, number: int) -> tuple[Path, MemorySafes]:
        """A folder and safes of one's own."""
        home = self.home.with_name(f"step {number}")
        shutil.copytree(self.home, home)
        return home, copy.deepcopy(self.safes)


async def prepared(folder: Path, case: str) -> Prepared:
    """Prepare once, and count the steps in a copy."""
    prepare, operation, check = CASES[case]
    found = Prepared(folder / "prepared", MemorySafes.of(5, 3), [])
    async with opened(found.home, found.safes) as wallet:
        await prepare(wallet, found.safes)
    home, safes = found.copy(0)
    steps = Steps()
    async with opened(home, safes, seed="operation") as wallet:
        steps.watch(wallet, safes)
        await operation(wallet, safes)
        found.steps += steps.taken
        check_books(wallet, safes)
        await check(wallet, safes)
    return found


async def mended(wreck: Wreck, check: Check) -> None:
    """Open the wallet anew, resume, and look."""
    async with opened(wreck.home, wreck.safes, seed="after the crash") as wallet:
        report = await resume(wallet)
        assert (report.still_owed, report.failed) == ({}, {})
        check_books(wallet, wreck.safes)
        await check(wallet, wreck.safes)
        again = await resume(wallet)
        assert (again.finished, again.withdrawn, again.delivered) == (0, 0, 0)


async def all_mended(wrecks: Sequence[Wreck], check: Check) -> None:
    """Each by itself."""
    for wreck in wrecks:
        try:
            await mended(wreck, check)
        except AssertionError as error:
            error.add_note(f"died at {wreck.step}")
            raise


@pytest.mark.parametrize("case", CASES)
async def test_dying_at_any_step_leaves_nothing_half_done(case: str, folder: Path) -> None:
    """Exactly one receipt or none, no stray pieces, the value whole: after every single step."""
    prepare, operation, check = CASES[case]
    home, safes = folder / "wallet", MemorySafes.of(5, 3)
    async with opened(home, safes) as wallet:
        await prepare(wallet, safes)
    await all_mended(await wrecks_of(operation, home, safes), check)


@pytest.mark.parametrize("case", CASES)
async def test_being_cancelled_at_any_step_leaves_nothing_half_done(case: str, folder: Path) -> None:
    """Ctrl-C in a program that lives on, such as the wallet service: no lock, claim or turn stays taken."""
    found = await prepared(folder, case)
    _, operation, check = CASES[case]
    for step, name in enumerate(found.steps, 1):
        if name.endswith(" done"):
            continue  # in the same thread as the step before, which no cancellation can come between
        home, safes = found.copy(step)
        async with opened(home, safes, seed="operation") as wallet:
            running = _cancelled_at(step, wallet, safes, operation)
            await asyncio.wait((running,), timeout=30)
            assert running.done(), name
            safes.calm_down()
            assert lock_is_free(home), name
            assert wallet.changers == 0, name
            report = await asyncio.wait_for(resume(wallet), 30)
            assert (report.still_owed, report.failed) == ({}, {}), name
            check_books(wallet, safes)
            await check(wallet, safes)
            async with asyncio.timeout(30), wallet.claim(ids(wallet)):
                pass


def _cancelled_at(
    step: int, wallet: Wallet, safes: MemorySafes, operation: Operation
) -> "asyncio.Task[object]":
    """Run an operation that is cancelled at this step; steps happen in the loop and in threads."""
    loop = asyncio.get_running_loop()

    class Cancels(Steps):
        def __call__(self, name: str) -> None:
            self.taken.append(name)
            if len(self.taken) == step:
                loop.call_soon_threadsafe(running.cancel)

    async def run() -> object:
        return await operation(wallet, safes)

    running: asyncio.Task[object] = asyncio.create_task(run())
    Cancels().watch(wallet, safes)
    return running


async def test_a_second_crash_while_mending_the_first_is_mended_too(folder: Path) -> None:
    """Die in the middle of a backup, then at every step of the resume."""
    home, safes = folder / "wallet", MemorySafes.of(5, 3)
    async with opened(home, safes) as wallet:
        await two_values(wallet, safes)
    backup, _ = CASES["back up two values"][1:]
    wrecks = await wrecks_of(backup, home, safes)
    half = wrecks[len(wrecks) // 2]
    assert 0 < sum(map(len, half.safes.kept())) < 10
    again = await wrecks_of(lambda wallet, _: resume(wallet), half.home, half.safes, "the second")
    await all_mended(again, all_or_no_receipts)


async def test_what_a_crash_left_is_withdrawn_where_too_few_safes_answer(folder: Path) -> None:
    """Nothing stays begun for ever; tombstones wait for those that are away."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder, safes) as wallet:
        await two_values(wallet, safes)
        Steps(6).watch(wallet, safes)
        with pytest.raises(Crash):
            await back_up(wallet, ids(wallet), "threshold")
    safes.calm_down()
    safes.take_down(1, 2)
    async with opened(folder, safes, seed="after the crash") as wallet:
        report = await resume(wallet)
        assert (report.finished, report.withdrawn) == (0, 1)
        assert report.still_owed == {"safe-1": 1, "safe-2": 1}
        safes.take_down()
        assert (await resume(wallet)).still_owed == {}
        check_books(wallet, safes)
        await no_receipts(wallet, safes)


async def test_what_a_crash_left_is_withdrawn_when_the_value_was_removed_since(folder: Path) -> None:
    """By a command that asks no safe."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder, safes) as wallet:
        await two_values(wallet, safes)
        Steps(9).watch(wallet, safes)
        with pytest.raises(Crash):
            await back_up(wallet, ids(wallet), "threshold")
    safes.calm_down()
    async with opened(folder, safes, seed="after the crash") as wallet:
        wallet.store.values.remove(ids(wallet)[0])
        report = await resume(wallet)
        assert (report.finished, report.withdrawn) == (0, 1)
        check_books(wallet, safes)
        assert safes.kept() == [set()] * 5
        (entry,) = (await back_up(wallet, ids(wallet), "threshold")).entries
        assert entry.state.word == "safe"


async def test_an_edit_that_no_longer_fits_is_withdrawn_and_blocks_nothing(folder: Path) -> None:
    """The wallet was filled after the crash: the old content stands, and the wallet can be used."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder, safes) as wallet:
        await two_receipts(wallet, safes)
        Steps(5).watch(wallet, safes)
        with pytest.raises(Crash):
            await edit(wallet, ids(wallet)[0], NEW)
    safes.calm_down()
    async with opened(folder, safes, seed="after the crash") as wallet:
        wallet.store.settings.set_capacity(wallet.store.usage().used)
        report = await resume(wallet)
        assert (report.finished, report.withdrawn) == (0, 1)
        check_books(wallet, safes)
        assert wallet.store.values.get(ids(wallet)[0]) == OLD
        await drop_backed_up(wallet, ids(wallet), accept_fewer=False)


async def test_a_value_that_changed_under_its_plan_is_not_sent_and_the_plan_is_withdrawn(
    folder: Path,
) -> None:
    """Its pieces would not be those that some safes have already."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder, safes) as wallet:
        await two_values(wallet, safes)
        Steps(6).watch(wallet, safes)
        with pytest.raises(Crash):
            await back_up(wallet, ids(wallet), "threshold")
    safes.calm_down()
    async with opened(folder, safes, seed="after the crash") as wallet:
        wallet.store.values.replace(ids(wallet)[0], NEW)
        assert (await resume(wallet)).withdrawn == 1
        check_books(wallet, safes)
        await back_up(wallet, ids(wallet), "threshold")
        check_books(wallet, safes)


async def test_any_operation_mends_first_what_it_finds(folder: Path) -> None:
    """Not only `resume`."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder, safes) as wallet:
        await two_values(wallet, safes)
        Steps(9).watch(wallet, safes)
        with pytest.raises(Crash):
            await back_up(wallet, ids(wallet), "threshold")
    safes.calm_down()
    async with opened(folder, safes, seed="after the crash") as wallet:
        async with changing(wallet) as settled:
            assert (settled.finished, settled.withdrawn) == (1, 0)
        report = await back_up(wallet, ids(wallet), "threshold")
        assert [entry.already for entry in report.entries] == [True, True]


async def test_forgetting_a_receipt_twice_is_an_error_that_deletes_nothing(folder: Path) -> None:
    """The second finds it gone."""
    safes = MemorySafes.of(5, 3)
    async with opened(folder, safes) as wallet:
        await two_receipts(wallet, safes)
        first, second = receipt_ids(wallet)
        async with changing(wallet):
            await forget(wallet, [first, first])
        check_books(wallet, safes)
        with pytest.raises(Exception, match="keeps no receipt"):
            async with changing(wallet):
                await forget(wallet, [second, first])
        check_books(wallet, safes)
        assert receipt_ids(wallet) == [second]
        with pytest.raises(UnknownValue):
            wallet.store.values.summary(ValueId("v-nobody"))
