"""What is owed to a safe: in order, once, and whatever it says to one message, it gets the next."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from rpc_edge.errors import NoAnswer, NothingListens, UnexpectedStatus
from support.memory_safes import MemorySafe, MemorySafes, check_books, opened
from support.sample_documents import draw
from support.wallet_samples import small_value
from trust.errors import SignatureInvalid
from trust.manifest import ItemLeaf
from trust.owner_refusals import TooManyRevocations
from trust.refusals import (
    CallTooLarge,
    InternalError,
    Malformed,
    Refusal,
    RequestStale,
    ShuttingDown,
    StorageFull,
)
from trust.wallet_refusals import (
    KeyShareMismatch,
    ManifestInvalid,
    NotPlacedHere,
    NotYourItem,
    PieceConflict,
    PieceMismatch,
    PieceNeedsStream,
    QuotaExceeded,
    RosterUnknown,
)
from wallet_client.network.safe_link import SignedBytes
from wallet_client.operations.backup import back_up
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.forget import forget
from wallet_client.operations.outbox import deliver
from wallet_client.operations.resume import resume
from wallet_client.operations.settle import changing
from wallet_client.pipeline.parcel import Parcel
from wallet_client.receipts.receipt import ReceiptId, state_of
from wallet_client.receipts.shelf import get_receipt
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

FOR_NOW: list[Exception] = [
    StorageFull(),
    QuotaExceeded(1, 2, 3),
    RosterUnknown(2),
    InternalError("1f"),
    UnexpectedStatus("ABORTED"),
]
FOR_GOOD: list[Exception] = [
    TooManyRevocations(256),
    PieceConflict(),
    ManifestInvalid("x"),
    PieceMismatch("x"),
    KeyShareMismatch("x"),
    NotPlacedHere(),
    NotYourItem(),
    Malformed("x"),
    CallTooLarge("x", 1),
    PieceNeedsStream(),
]
OF_THE_CALL: list[Exception] = [
    NothingListens(),
    NoAnswer(5.0),
    ShuttingDown(),
    RequestStale(1),
    SignatureInvalid("certificates"),
]


def by_name(failure: object) -> str:
    """A test's id."""
    return type(failure).__name__


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


async def backed_up(wallet: Wallet, *names: str) -> list[ReceiptId]:
    """Values of these names, in one batch."""
    with wallet.store.transaction():
        ids = [wallet.store.values.add(small_value(name)) for name in names]
    return [entry.receipt_id for entry in (await back_up(wallet, ids, "threshold")).entries]


async def owed(wallet: Wallet, safes: MemorySafes, number: int, *names: str) -> list[ReceiptId]:
    """One batch for each name, which this safe did not take; it is back now."""
    safes.take_down(number)
    receipts = [receipt for name in names for receipt in await backed_up(wallet, name)]
    safes.take_down()
    return receipts


def refuse_first(safe: MemorySafe, failure: Exception) -> list[Parcel]:
    """The first parcel from now on, and only that one however often it comes, is answered so."""
    first: list[Parcel] = []
    honest = safe.register

    async def register(parcel: Parcel):  # type: ignore[no-untyped-def]
        if not first:
            first.append(parcel)
        if parcel.manifest == first[0].manifest:
            raise failure
        return await honest(parcel)

    safe.register = register  # type: ignore[method-assign]
    return first


def waiting(wallet: Wallet) -> int:
    """How many entries wait."""
    return len(wallet.store.outbox.entries())


@pytest.mark.parametrize("failure", FOR_NOW + FOR_GOOD, ids=by_name)
async def test_a_parcel_that_is_refused_does_not_block_those_behind_it(
    wallet: Wallet, safes: MemorySafes, failure: Exception
) -> None:
    """It waits on and is named; the others are delivered."""
    await owed(wallet, safes, 4, "a", "b", "c")
    refuse_first(safes[4], failure)
    report = await resume(wallet)
    assert (report.delivered, report.still_owed, report.failed) == (2, {"safe-4": 1}, {"safe-4": failure})
    assert len(safes[4].pieces) == 2


@pytest.mark.parametrize("failure", OF_THE_CALL, ids=by_name)
async def test_a_safe_that_cannot_be_dealt_with_now_is_not_tried_again_and_again(
    wallet: Wallet, safes: MemorySafes, failure: Exception
) -> None:
    """The rest of its queue waits for the next time; what was delivered before counts."""
    await owed(wallet, safes, 4, "a", "b", "c")
    honest, calls = safes[4].register, 0

    async def second_fails(parcel: Parcel):  # type: ignore[no-untyped-def]
        nonlocal calls
        calls += 1
        if calls > 1:
            raise failure
        return await honest(parcel)

    safes[4].register = second_fails  # type: ignore[method-assign]
    report = await resume(wallet)
    assert (report.delivered, report.still_owed, report.failed) == (1, {"safe-4": 2}, {"safe-4": failure})
    assert calls == 2


async def test_a_full_safe_gets_the_tombstones_that_make_room(wallet: Wallet, safes: MemorySafes) -> None:
    """Though a parcel that it has no room for waits before them."""
    (old,) = await backed_up(wallet, "old")
    await owed(wallet, safes, 4, "new")
    safes[4].refuses = StorageFull()
    async with changing(wallet):
        delivered = await forget(wallet, [old])
    assert isinstance(delivered.failed[safes[4].entry.safe_id], StorageFull)
    assert safes[4].kept_items() == set()
    safes[4].refuses = None
    assert (await resume(wallet)).still_owed == {}
    check_books(wallet, safes)


async def test_tombstones_never_overtake_the_parcel_they_concern(wallet: Wallet, safes: MemorySafes) -> None:
    """The safe would refuse the other items of that parcel for ever."""
    safes.take_down(4)
    receipts = await backed_up(wallet, "a", "b", "c")
    safes.take_down()
    safes[4].refuses = StorageFull()
    async with changing(wallet):
        await forget(wallet, receipts[:1])
    assert safes[4].tombstones == set()
    assert waiting(wallet) == 2
    safes[4].refuses = None
    assert (await resume(wallet)).still_owed == {}
    assert len(safes[4].pieces) == 2
    check_books(wallet, safes)


async def test_what_is_refused_for_good_goes_when_its_item_is_deleted(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Until then it is seen at every resume."""
    receipts = await owed(wallet, safes, 4, "a")
    refuse_first(safes[4], PieceConflict())
    for _ in range(2):
        report = await resume(wallet)
        assert isinstance(report.failed["safe-4"], PieceConflict)
    async with changing(wallet):
        await forget(wallet, receipts)
    safes[4].__dict__.pop("register")  # now it says ITEM_DELETED, as it must
    assert (await resume(wallet)).still_owed == {}
    check_books(wallet, safes)


async def test_a_parcel_whose_item_was_deleted_there_is_done(wallet: Wallet, safes: MemorySafes) -> None:
    """ITEM_DELETED is the end of it, not a failure."""
    receipts = await owed(wallet, safes, 4, "a", "b")
    leaf = get_receipt(wallet.store, receipts[0]).read_leaf()
    safes[4].tombstones.add((leaf.item_id, leaf.generation))
    report = await resume(wallet)
    assert (report.delivered, report.still_owed, report.failed) == (2, {}, {})
    assert state_of(get_receipt(wallet.store, receipts[0])).word == "registered"
    assert state_of(get_receipt(wallet.store, receipts[1])).word == "safe"


@pytest.mark.parametrize("failure", [StorageFull(), NotYourItem(), Malformed("tombstone")], ids=by_name)
async def test_a_refused_tombstone_does_not_block_what_comes_after(
    wallet: Wallet, safes: MemorySafes, failure: Refusal
) -> None:
    """It waits on."""
    (old,) = await backed_up(wallet, "old")
    safes[2].refuses_deletion = failure
    async with changing(wallet):
        await forget(wallet, [old])
    await owed(wallet, safes, 2, "new")
    report = await resume(wallet)
    assert (report.delivered, report.still_owed) == (1, {"safe-2": 1})
    assert report.failed["safe-2"] is failure
    safes[2].refuses_deletion = None
    assert (await resume(wallet)).still_owed == {}
    check_books(wallet, safes)


async def test_each_safe_gets_its_queue_in_order(wallet: Wallet, safes: MemorySafes) -> None:
    """First generation, its tombstone, second generation: each in its turn after a long absence."""
    safes.take_down(3)
    (receipt,) = await backed_up(wallet, "first")
    (value_id,) = get_receipt(wallet.store, receipt).value_ids
    for name in ("second", "third"):
        await edit(wallet, value_id, small_value(name))
    assert waiting(wallet) == 5
    safes.take_down()
    assert (await resume(wallet)).delivered == 5
    assert safes[3].calls == ["register", "delete", "register", "delete", "register"]
    check_books(wallet, safes)


async def test_tombstones_that_follow_one_another_go_together(wallet: Wallet, safes: MemorySafes) -> None:
    """So that the link joins them into few messages; one that is refused holds up no other."""
    receipts = [receipt for name in "abc" for receipt in await backed_up(wallet, name)]
    safes.take_down(4)
    for receipt in receipts:
        async with changing(wallet):
            await forget(wallet, [receipt])
    safes.take_down()
    all_there, honest = asyncio.Barrier(3), safes[4].delete

    async def together(tombstones: Sequence[tuple[bytes, bytes]]) -> Sequence[SignedBytes | Exception]:
        if await all_there.wait() == 0:
            return [StorageFull()]
        return await honest(tombstones)

    safes[4].delete = together  # type: ignore[method-assign]
    async with asyncio.timeout(10):
        report = await resume(wallet)
    assert (report.delivered, report.still_owed) == (2, {"safe-4": 1})
    assert isinstance(report.failed["safe-4"], StorageFull)


async def test_two_deliveries_at_once_deliver_everything_once(wallet: Wallet, safes: MemorySafes) -> None:
    """They take turns at each safe."""
    await owed(wallet, safes, 4, "a", "b", "c")
    safes[4].calls.clear()
    reports = await asyncio.gather(*(deliver(wallet) for _ in range(4)))
    assert sorted(report.entries for report in reports) == [0, 0, 0, 3]
    assert safes[4].calls == ["register"] * 3
    check_books(wallet, safes)


async def test_a_slow_safe_does_not_hold_up_the_others(wallet: Wallet, safes: MemorySafes) -> None:
    """Queues are served side by side."""
    safes.take_down(4)
    await backed_up(wallet, "a")
    safes.take_down(5)
    await backed_up(wallet, "b")
    safes.take_down()
    released, taken, honest = asyncio.Event(), asyncio.Event(), safes[4].register
    safes[5].step = lambda name: taken.set() if name == "registered" else None

    async def slow(parcel: Parcel):  # type: ignore[no-untyped-def]
        await released.wait()
        return await honest(parcel)

    safes[4].register = slow  # type: ignore[method-assign]
    delivering = asyncio.create_task(deliver(wallet))
    await taken.wait()
    assert len(safes[5].pieces) == 2
    released.set()
    assert (await delivering).entries == 2
    check_books(wallet, safes)


async def test_only_some_safes_may_be_served(wallet: Wallet, safes: MemorySafes) -> None:
    """The queues of others wait."""
    await owed(wallet, safes, 4, "a")
    await owed(wallet, safes, 5, "b")
    delivered = await deliver(wallet, only=[safes[5].entry.safe_id, safes[1].entry.safe_id])
    assert delivered.entries == 1
    assert [entry.safe_id for entry in wallet.store.outbox.entries()] == [safes[4].entry.safe_id]


async def test_nothing_owed_asks_nobody(wallet: Wallet, safes: MemorySafes) -> None:
    """And reports nothing."""
    assert await deliver(wallet) == await deliver(wallet)
    assert [safe.calls for safe in safes] == [[]] * 5


async def test_forgetting_many_receipts_takes_one_message_to_each_safe(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Not one for each receipt."""
    receipts = await backed_up(wallet, *(f"value {number}" for number in range(50)))
    for safe in safes:
        safe.calls.clear()
    async with changing(wallet):
        await forget(wallet, receipts)
    assert [safe.calls for safe in safes] == [["delete"]] * 5
    check_books(wallet, safes)
    assert [one.receipt_id for one in wallet.store.values.summaries()] == [None] * 50


async def test_a_new_generation_of_many_takes_one_message_of_tombstones(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """To each safe that had the old one."""
    receipts = await backed_up(wallet, *(f"value {number}" for number in range(50)))
    ids = [get_receipt(wallet.store, receipt).value_ids[0] for receipt in receipts]
    await back_up(wallet, ids, "apart")
    assert [safe.calls.count("delete") for safe in safes] == [1] * 5
    check_books(wallet, safes)


async def test_a_safe_that_left_the_roster_is_named_by_its_id(wallet: Wallet, safes: MemorySafes) -> None:
    """What is owed to it stays owed; nothing fails because of it."""
    stranger = draw("a former safe", 16)
    wallet.store.outbox.put("cause", stranger, b"never read")
    report = await _resumed_without(wallet, safes)
    assert report == {f"former safe {stranger.hex()}": 1}


async def _resumed_without(wallet: Wallet, safes: MemorySafes) -> dict[str, int]:
    async with changing(wallet):
        await deliver(wallet, only=[safe.entry.safe_id for safe in safes])
    names = [
        wallet.safe_name(type(safes[1].entry.safe_id)(one.safe_id)) for one in wallet.store.outbox.entries()
    ]
    return {name: names.count(name) for name in names}


async def test_certificates_of_an_old_generation_do_not_enter_the_new_receipt(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """They come late, for a leaf that is no longer the receipt's."""
    safes.take_down(3)
    (receipt,) = await backed_up(wallet, "first")
    await edit(wallet, get_receipt(wallet.store, receipt).value_ids[0], small_value("second"))
    safes.take_down()
    honest = safes[3].register

    async def only_the_old(parcel: Parcel):  # type: ignore[no-untyped-def]
        if ItemLeaf.from_bytes(parcel.leaves[0]).generation == 2:
            raise StorageFull
        return await honest(parcel)

    safes[3].register = only_the_old  # type: ignore[method-assign]
    assert (await resume(wallet)).still_owed == {"safe-3": 1}
    assert safes[3].counter == 1
    assert len(get_receipt(wallet.store, receipt).certificates) == 4
    safes[3].register = honest  # type: ignore[method-assign]
    await resume(wallet)
    certificates = get_receipt(wallet.store, receipt).certificates
    assert {one.read().generation for one in certificates} == {2}
    assert sorted(one.read().index for one in certificates) == [1, 2, 3, 4, 5]


async def test_a_lost_answer_costs_nothing(wallet: Wallet, safes: MemorySafes) -> None:
    """The safe took the piece, the wallet did not hear of it: the same certificate comes the next time."""
    honest = safes[4].register

    async def takes_and_is_silent(parcel: Parcel):  # type: ignore[no-untyped-def]
        await honest(parcel)
        raise NoAnswer(5.0)

    safes[4].register = takes_and_is_silent  # type: ignore[method-assign]
    await backed_up(wallet, "a", "b")
    safes[4].register = honest  # type: ignore[method-assign]
    assert safes[4].counter == 2
    assert (await resume(wallet)).delivered == 1
    assert safes[4].counter == 2
    check_books(wallet, safes)


async def test_a_withdrawal_reaches_the_safes_that_are_there_at_once(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """The others hear of it when they are back, and refuse what comes late."""
    safes.take_down(1, 2)
    with pytest.raises(TooFewSafes):
        await backed_up(wallet, "a", "b")
    assert [len(safe.tombstones) for safe in safes] == [0, 0, 2, 2, 2]
    assert safes.kept() == [set()] * 5
    assert ValueId("v-nobody") not in {one.id for one in wallet.store.values.summaries()}
