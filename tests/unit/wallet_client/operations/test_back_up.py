"""What a backup leaves at the safes and in the wallet, whoever answers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rpc_edge.errors import NothingListens
from support.memory_safes import MemorySafes, check_books, opened
from support.sample_documents import draw
from support.wallet_samples import FULL_VALUE, small_value
from trust.refusals import StorageFull
from trust.wallet_refusals import ItemDeleted
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.errors import NotSafeYet, PiecesWaitHere, TooFewSafes
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.policies.errors import UnknownPolicy
from wallet_client.policies.presets import policy_names
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt, read_summary
from wallet_client.values.errors import UnknownValue
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

MIB = 1024 * 1024


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


def added(wallet: Wallet, count: int = 1, size: int = 100) -> list[ValueId]:
    """Some values in the wallet."""
    with wallet.store.transaction():
        return [
            wallet.store.values.add(small_value(f"value {i}", payload=draw(f"payload {i}", size)))
            for i in range(count)
        ]


@pytest.mark.parametrize("policy", policy_names())
@pytest.mark.parametrize("size", [0, 100, 70_000, 3 * MIB + 1])
async def test_a_value_comes_back_whole(wallet: Wallet, safes: MemorySafes, policy: str, size: int) -> None:
    """Every field and every byte, after the wallet's copy is gone."""
    value = FULL_VALUE.with_fields(payload=draw("payload", size))
    value_id = wallet.store.values.add(value)
    (entry,) = (await back_up(wallet, [value_id], policy)).entries
    assert (entry.value_id, entry.state.word, entry.already) == (value_id, "safe", False)
    check_books(wallet, safes)
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    report = await recover(wallet, [entry.receipt_id])
    assert (report.recovered, report.already, report.failed) == ((value_id,), (), {})
    assert wallet.store.values.get(value_id) == value
    assert wallet.store.values.summary(value_id).receipt_id == entry.receipt_id


async def test_many_values_go_in_batches_and_in_the_order_asked_for(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Small and large together; the report follows the question."""
    ids = added(wallet, 30) + added(wallet, 2, 70_000)
    asked = [*ids[::-1], ids[0]]
    report = await back_up(wallet, asked, "threshold")
    assert [entry.value_id for entry in report.entries] == ids[::-1]
    assert len({entry.receipt_id for entry in report.entries}) == 32
    assert [safe.calls.count("register") for safe in safes] == [3] * 5
    check_books(wallet, safes)


async def test_a_backup_may_be_repeated(wallet: Wallet, safes: MemorySafes) -> None:
    """What is registered under the same policy stays, and no safe is asked."""
    ids = added(wallet, 2)
    first = await back_up(wallet, ids[:1], "threshold")
    calls = [len(safe.calls) for safe in safes]
    again = await back_up(wallet, ids[:1], "threshold")
    assert [entry.already for entry in again.entries] == [True]
    assert again.entries[0].receipt_id == first.entries[0].receipt_id
    assert [len(safe.calls) for safe in safes] == calls
    both = await back_up(wallet, ids, "threshold")
    assert [entry.already for entry in both.entries] == [True, False]


async def test_another_policy_makes_a_new_generation_and_deletes_the_old(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """One receipt, the same name, and nothing of the old at any safe."""
    (value_id,) = added(wallet)
    names = set()
    for generation, policy in enumerate(["threshold", "plain", "apart", "sealed", "threshold"], 1):
        (entry,) = (await back_up(wallet, [value_id], policy)).entries
        assert get_receipt(wallet.store, entry.receipt_id).read_leaf().generation == generation
        names.add(entry.receipt_id)
        check_books(wallet, safes)
    assert len(names) == 1


@pytest.mark.parametrize("down", [(5,), (1,), (3,)])
async def test_a_safe_that_is_down_is_named_and_owed_its_piece(
    wallet: Wallet, safes: MemorySafes, down: tuple[int, ...]
) -> None:
    """Registered with the number that may still be lost; `resume` delivers when it is back."""
    ids = added(wallet, 3)
    safes.take_down(*down)
    report = await back_up(wallet, ids, "threshold")
    assert {name: type(failure) for name, failure in report.failed.items()} == {
        f"safe-{number}": NothingListens for number in down
    }
    assert {(entry.state.word, entry.state.may_still_be_lost) for entry in report.entries} == {
        ("registered", 1)
    }
    owed = wallet.store.outbox.entries()
    assert [entry.safe_id for entry in owed] == [safes[down[0]].entry.safe_id]
    safes.take_down()
    resumed = await resume(wallet)
    assert (resumed.delivered, resumed.still_owed, resumed.failed) == (1, {}, {})
    check_books(wallet, safes)
    assert {read_summary(entry).state.word for entry in wallet.store.receipts.entries()} == {"safe"}


async def test_a_large_piece_that_is_owed_is_streamed_when_the_safe_is_back(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """The outbox has the whole blob."""
    (value_id,) = added(wallet, 1, 4 * MIB)
    safes.take_down(2)
    (entry,) = (await back_up(wallet, [value_id], "threshold")).entries
    safes.take_down()
    await resume(wallet)
    assert safes[2].calls == ["register_stream"]
    check_books(wallet, safes)
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    safes.take_down(4, 5)
    assert (await recover(wallet, [entry.receipt_id])).recovered == (value_id,)


async def test_a_safe_that_refuses_is_owed_too(wallet: Wallet, safes: MemorySafes) -> None:
    """A full disk is not for ever."""
    ids = added(wallet)
    safes[4].refuses = StorageFull()
    report = await back_up(wallet, ids, "threshold")
    assert isinstance(report.failed["safe-4"], StorageFull)
    safes[4].refuses = None
    assert (await resume(wallet)).delivered == 1
    check_books(wallet, safes)


async def test_below_the_quorum_nothing_is_backed_up_and_nothing_stays_behind(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Each safe is named with its reason; those that took it erase it, the others hear of it later."""
    ids = added(wallet, 2)
    safes.take_down(1, 2)
    safes[3].refuses = StorageFull()
    with pytest.raises(TooFewSafes) as caught:
        await back_up(wallet, ids, "threshold")
    assert str(caught.value).splitlines() == [
        "Nothing was backed up: 2 of the 4 safes needed answered well.",
        "  safe-1: nothing listens there (its operator must bring it back)",
        "  safe-2: nothing listens there (its operator must bring it back)",
        "  safe-3: The server's storage is full. Nothing was written (tell its operator)",
    ]
    assert safes.kept() == [set()] * 5
    assert wallet.store.journal.entries() == []
    assert wallet.store.receipts.entries() == []
    assert len(wallet.store.outbox.entries()) == 2
    assert [wallet.store.values.summary(value_id).receipt_id for value_id in ids] == [None, None]
    safes.take_down()
    assert (await resume(wallet)).still_owed == {}
    check_books(wallet, safes)
    assert [len(safe.tombstones) for safe in safes] == [2] * 5


async def test_a_late_piece_of_a_withdrawn_batch_is_refused(wallet: Wallet, safes: MemorySafes) -> None:
    """Tombstones dominate: nothing comes to life behind the wallet's back."""
    ids = added(wallet)
    safes.take_down(1, 2)
    late = []
    original = safes[5].register

    async def keep(parcel):  # type: ignore[no-untyped-def]
        late.append(parcel)
        return await original(parcel)

    safes[5].register = keep  # type: ignore[method-assign]
    with pytest.raises(TooFewSafes):
        await back_up(wallet, ids, "threshold")
    with pytest.raises(ItemDeleted):
        await original(late[0])


async def test_a_batch_before_the_one_that_fails_stands(wallet: Wallet, safes: MemorySafes) -> None:
    """And the same command finishes the rest later."""
    ids = added(wallet, 3, 70_000)

    async def refuse_from_now_on() -> None:
        safes.take_down(1, 2, 3)

    calls = 0
    original = safes[1].register

    async def count(parcel):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        if calls == 3:
            await refuse_from_now_on()
            raise NothingListens
        return await original(parcel)

    safes[1].register = count  # type: ignore[method-assign]
    with pytest.raises(TooFewSafes):
        await back_up(wallet, ids, "threshold")
    assert len(wallet.store.receipts.entries()) == 2
    safes.take_down()
    report = await back_up(wallet, ids, "threshold")
    assert [entry.already for entry in report.entries].count(True) == 2
    await resume(wallet)
    check_books(wallet, safes)


async def test_after_a_withdrawn_generation_the_next_try_takes_another(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Safes refuse a withdrawn generation for ever; that must not be the end of the item."""
    ids = added(wallet, 2)
    first = await back_up(wallet, ids, "threshold")
    safes.take_down(1, 2, 3)
    for _ in range(2):
        with pytest.raises(TooFewSafes):
            await back_up(wallet, ids, "apart")
    safes.take_down()
    report = await back_up(wallet, ids, "apart")
    assert [entry.receipt_id for entry in report.entries] == [entry.receipt_id for entry in first.entries]
    receipts = [get_receipt(wallet.store, entry.receipt_id) for entry in report.entries]
    assert [receipt.read_leaf().generation for receipt in receipts] == [4, 4]
    await resume(wallet)
    check_books(wallet, safes)


async def test_under_apart_a_quorum_without_key_safes_is_too_few(wallet: Wallet, safes: MemorySafes) -> None:
    """Three of three answered, and the value could not be opened: one more is needed at least."""
    (value_id,) = added(wallet)
    safes.take_down(4, 5)
    with pytest.raises(TooFewSafes, match="3 of the 4 safes needed answered well"):
        await back_up(wallet, [value_id], "apart")
    safes.take_down(2, 3, 5)
    with pytest.raises(TooFewSafes, match="2 of the 3 safes needed answered well"):
        await back_up(wallet, [value_id], "apart")


async def test_two_backups_of_one_value_at_once_make_one_receipt(wallet: Wallet, safes: MemorySafes) -> None:
    """The second waits, and finds it done."""
    ids = added(wallet, 3)
    reports = await asyncio.gather(
        back_up(wallet, ids, "threshold"),
        back_up(wallet, ids[:2], "threshold"),
        back_up(wallet, ids[1:], "threshold"),
    )
    assert [[entry.already for entry in report.entries] for report in reports] == [
        [False] * 3,
        [True] * 2,
        [True] * 2,
    ]
    assert len(wallet.store.receipts.entries()) == 3
    check_books(wallet, safes)


async def test_two_backups_under_two_policies_at_once_leave_one_of_them(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """One after the other, as new generations."""
    ids = added(wallet, 2)
    await asyncio.gather(*(back_up(wallet, ids, policy) for policy in ("threshold", "plain", "apart")))
    check_books(wallet, safes)
    assert len(wallet.store.receipts.entries()) == 2


async def test_many_backups_at_once_all_end_well(wallet: Wallet, safes: MemorySafes) -> None:
    """Each of its own value, with a safe that is away and back in the middle of it."""
    ids = added(wallet, 24)
    safes.take_down(3)
    await asyncio.gather(*(back_up(wallet, [value_id], "threshold") for value_id in ids[:12]))
    safes.take_down()
    await asyncio.gather(
        *(back_up(wallet, [value_id], "threshold") for value_id in ids[12:]),
        *(resume(wallet) for _ in range(3)),
    )
    check_books(wallet, safes)
    assert len(wallet.store.receipts.entries()) == 24
    assert max(safe.counter for safe in safes) == 24


async def test_unknown_values_and_policies_are_refused_before_anything_is_done(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """No journal entry, no call."""
    ids = added(wallet)
    with pytest.raises(UnknownValue):
        await back_up(wallet, [*ids, ValueId("v-nobody")], "threshold")
    with pytest.raises(UnknownPolicy):
        await back_up(wallet, ids, "nonsense")
    assert [safe.calls for safe in safes] == [[]] * 5
    check_books(wallet, safes)


async def test_nothing_to_back_up_is_no_error(wallet: Wallet) -> None:
    """An empty report."""
    report = await back_up(wallet, [], "threshold")
    assert (report.entries, report.failed) == ((), {})


class TestDrop:
    """Erasing values that receipts can bring back."""

    async def test_a_value_at_all_its_safes_is_erased(self, wallet: Wallet) -> None:
        """Named twice or once; the receipt stays."""
        (value_id,) = added(wallet)
        await back_up(wallet, [value_id], "threshold")
        await drop_backed_up(wallet, [value_id, value_id], accept_fewer=False)
        with pytest.raises(UnknownValue):
            wallet.store.values.get(value_id)
        assert len(wallet.store.receipts.entries()) == 1

    async def test_a_value_that_is_nowhere_else_is_not_erased(self, wallet: Wallet) -> None:
        """Whatever the user accepts."""
        (value_id,) = added(wallet)
        for accept_fewer in (False, True):
            with pytest.raises(NotSafeYet, match="the safes could not bring it back"):
                await drop_backed_up(wallet, [value_id], accept_fewer=accept_fewer)
        assert wallet.store.values.summary(value_id).receipt_id is None

    async def test_while_a_safe_is_missing_it_takes_the_users_word(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """With the number in view of which they decide."""
        (value_id,) = added(wallet)
        safes.take_down(2)
        await back_up(wallet, [value_id], "threshold")
        with pytest.raises(NotSafeYet) as caught:
            await drop_backed_up(wallet, [value_id], accept_fewer=False)
        assert (caught.value.may_still_be_lost, caught.value.missing) == (1, ("safe-2",))
        assert "safe-2 did not take it yet, and only 1 more safe(s) may be lost" in str(caught.value)
        await drop_backed_up(wallet, [value_id], accept_fewer=True)
        assert wallet.store.values.summaries() == []

    async def test_of_several_values_all_are_erased_or_none(self, wallet: Wallet, safes: MemorySafes) -> None:
        """One that is not safe keeps the others."""
        one, other = added(wallet, 2)
        await back_up(wallet, [one], "threshold")
        safes.take_down(2)
        await back_up(wallet, [other], "threshold")
        with pytest.raises(NotSafeYet):
            await drop_backed_up(wallet, [one, other], accept_fewer=False)
        assert len(wallet.store.values.summaries()) == 2

    @pytest.mark.parametrize(
        ("down", "erased"),
        [((1,), True), ((1, 2), True), ((4,), True), ((1, 4), False)],
        ids=["a value share", "two value shares", "a key share", "value and key"],
    )
    async def test_what_the_outbox_could_bring_back_alone_is_not_erased(
        self, wallet: Wallet, safes: MemorySafes, down: tuple[int, ...], erased: bool
    ) -> None:
        """Under `apart` one value share and one key share are enough: erased would not be erased."""
        (value_id,) = added(wallet)
        safes.take_down(*down)
        await back_up(wallet, [value_id], "apart")
        if erased:
            await drop_backed_up(wallet, [value_id], accept_fewer=True)
        else:
            with pytest.raises(PiecesWaitHere):
                await drop_backed_up(wallet, [value_id], accept_fewer=True)
        assert len(wallet.store.values.summaries()) == (0 if erased else 1)

    async def test_after_delivery_it_is_erased_without_further_words(
        self, wallet: Wallet, safes: MemorySafes
    ) -> None:
        """The outbox is empty and all safes have it."""
        (value_id,) = added(wallet)
        safes.take_down(1, 4)
        await back_up(wallet, [value_id], "apart")
        safes.take_down()
        await resume(wallet)
        await drop_backed_up(wallet, [value_id], accept_fewer=False)
        assert wallet.store.values.summaries() == []

    async def test_what_is_not_in_the_wallet_is_unknown(self, wallet: Wallet) -> None:
        """A typed error."""
        with pytest.raises(UnknownValue):
            await drop_backed_up(wallet, [ValueId("v-nobody")], accept_fewer=True)


async def test_a_receipt_id_is_shown_by_the_summary_of_its_value(wallet: Wallet) -> None:
    """Both ways."""
    (value_id,) = added(wallet)
    (entry,) = (await back_up(wallet, [value_id], "threshold")).entries
    summary = wallet.store.values.summary(value_id)
    assert summary.receipt_id == entry.receipt_id
    assert get_receipt(wallet.store, ReceiptId(summary.receipt_id or "")).value_ids == (value_id,)
