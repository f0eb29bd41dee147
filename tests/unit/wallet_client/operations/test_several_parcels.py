"""A large item with several pieces at one safe goes there in several parcels, and waits in as many."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rpc_edge.errors import NoAnswer
from support.memory_safes import MemorySafe, MemorySafes, check_books, opened
from support.odd_policies import use
from support.sample_documents import draw
from support.wallet_samples import small_value
from trust.certificate import SignedCertificate
from trust.refusals import StorageFull
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.forget import forget
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.operations.settle import changing
from wallet_client.pipeline.parcel import Parcel
from wallet_client.receipts.receipt import ReceiptId, state_of
from wallet_client.receipts.shelf import get_receipt
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

POLICY = "several-at-one-of-five"
"""safe-2 keeps value and key shares 2 and 3, and key share 7; the others one piece each; any four suffice."""
LARGE = small_value("large", payload=draw("large", 1_200_000))


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """A wallet that knows the policy."""
    async with opened(folder, safes) as made:
        use(made, POLICY)
        yield made


async def backed_up(wallet: Wallet) -> tuple[ValueId, ReceiptId]:
    """A large value under the policy."""
    value_id = wallet.store.values.add(LARGE)
    (entry,) = (await back_up(wallet, [value_id], POLICY)).entries
    return value_id, entry.receipt_id


def waiting(wallet: Wallet) -> int:
    """How many entries wait."""
    return len(wallet.store.outbox.entries())


def interrupt_second(safe: MemorySafe, failure: Exception) -> None:
    """The safe takes the first streamed parcel and answers the next so, once."""
    honest, calls = safe.register_stream, 0

    async def register_stream(parcel: Parcel, chunks: Iterator[bytes]) -> tuple[SignedCertificate, ...]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise failure
        return await honest(parcel, chunks)

    safe.register_stream = register_stream  # type: ignore[method-assign]


async def test_each_piece_travels_by_itself_and_the_key_shares_behind(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """And all of it comes back."""
    value_id, receipt_id = await backed_up(wallet)
    assert [safe.calls for safe in safes] == [
        ["register_stream"],
        ["register_stream", "register_stream", "register"],
        ["register_stream"],
        ["register_stream"],
        ["register_stream"],
    ]
    check_books(wallet, safes)
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    await recover(wallet, [receipt_id])
    assert wallet.store.values.get(value_id) == LARGE


async def test_parcels_for_a_safe_that_is_away_wait_each_by_itself(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """And `resume` delivers them in order."""
    safes.take_down(2)
    value_id, receipt_id = await backed_up(wallet)
    assert waiting(wallet) == 3
    state = state_of(get_receipt(wallet.store, receipt_id))
    assert (state.word, len(state.holding), state.may_still_be_lost) == ("registered", 4, 1)
    safes.take_down()
    report = await resume(wallet)
    assert (report.delivered, report.still_owed, report.failed) == (3, {}, {})
    assert safes[2].calls == ["register_stream", "register_stream", "register"]
    check_books(wallet, safes)
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    safes.take_down(3, 4, 5)
    await recover(wallet, [receipt_id])
    assert wallet.store.values.get(value_id) == LARGE


@pytest.mark.parametrize("failure", [NoAnswer(5.0), StorageFull()], ids=lambda one: type(one).__name__)
async def test_a_safe_that_took_one_of_three_does_not_count_until_it_has_all(
    wallet: Wallet, safes: MemorySafes, failure: Exception
) -> None:
    """All wait; the one it has already gives the same certificate again."""
    interrupt_second(safes[2], failure)
    _, receipt_id = await backed_up(wallet)
    assert waiting(wallet) == 3
    receipt = get_receipt(wallet.store, receipt_id)
    assert sorted(one.read().index for one in receipt.certificates) == [1, 4, 5, 6]
    assert safes[2].counter == 1
    assert (await resume(wallet)).delivered == 3
    assert safes[2].counter == 3
    assert state_of(get_receipt(wallet.store, receipt_id)).word == "safe"
    check_books(wallet, safes)


async def test_one_parcel_that_is_refused_holds_back_what_follows_of_its_item(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """They wait on together, and the receipt says that the safe has not all of it."""
    safes.take_down(2)
    _, receipt_id = await backed_up(wallet)
    safes.take_down()
    interrupt_second(safes[2], StorageFull())
    report = await resume(wallet)
    assert (report.delivered, report.still_owed) == (1, {"safe-2": 2})
    state = state_of(get_receipt(wallet.store, receipt_id))
    assert (state.word, len(state.holding)) == ("registered", 4)
    assert (await resume(wallet)).still_owed == {}
    assert state_of(get_receipt(wallet.store, receipt_id)).word == "safe"
    check_books(wallet, safes)


async def test_tombstones_come_behind_all_parcels_of_the_item(wallet: Wallet, safes: MemorySafes) -> None:
    """Nothing of it is left at the safe that was away."""
    safes.take_down(2)
    _, receipt_id = await backed_up(wallet)
    async with changing(wallet):
        await forget(wallet, [receipt_id])
    assert waiting(wallet) == 4
    safes.take_down()
    assert (await resume(wallet)).still_owed == {}
    assert safes[2].calls[-1] == "delete"
    assert safes.kept() == [set()] * 5
    check_books(wallet, safes)


async def test_below_the_quorum_no_parcel_is_left_anywhere(wallet: Wallet, safes: MemorySafes) -> None:
    """Also not at the safe that took one of its pieces."""
    safes.take_down(1, 3)
    interrupt_second(safes[2], StorageFull())
    value_id = wallet.store.values.add(LARGE)
    with pytest.raises(TooFewSafes):
        await back_up(wallet, [value_id], POLICY)
    safes.take_down()
    await resume(wallet)
    assert safes.kept() == [set()] * 5
    check_books(wallet, safes)
