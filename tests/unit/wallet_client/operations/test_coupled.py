"""Several values in one item: each can be recovered, edited, registered otherwise and forgotten by itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, check_books, opened
from support.odd_policies import use
from support.sample_documents import draw
from support.wallet_samples import FULL_VALUE, small_value
from trust.wallet_refusals import CertificateUnknown
from wallet_client.operations import backup
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import NotSafeYet, TooFewSafes
from wallet_client.operations.forget import forget
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.operations.settle import changing
from wallet_client.receipts.receipt import Receipt, ReceiptId, state_of
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.errors import WalletFull
from wallet_client.values.value import Value, ValueId, stored_size
from wallet_client.wallet import Wallet

VALUES = [FULL_VALUE, small_value("B", payload=b"b"), small_value("C", item_class="card", payload=b"")]
NEW = small_value("new", payload=b"new content")


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


async def coupled(
    wallet: Wallet, values: list[Value] | None = None, policy: str = "coupled"
) -> tuple[ReceiptId, list[ValueId]]:
    """The one receipt of values that are in the wallet too, and their ids."""
    with wallet.store.transaction():
        ids = [wallet.store.values.add(value) for value in values or VALUES]
    report = await back_up(wallet, ids, policy)
    (receipt_id,) = {entry.receipt_id for entry in report.entries}
    return receipt_id, ids


async def away(wallet: Wallet) -> tuple[ReceiptId, list[ValueId]]:
    """The same, and the values are no longer in the wallet."""
    receipt_id, ids = await coupled(wallet)
    await drop_backed_up(wallet, ids, accept_fewer=False)
    return receipt_id, ids


def receipts(wallet: Wallet) -> list[Receipt]:
    """All there are."""
    return [get_receipt(wallet.store, ReceiptId(entry.id)) for entry in wallet.store.receipts.entries()]


def here(wallet: Wallet) -> list[ValueId]:
    """The values in the wallet."""
    return [summary.id for summary in wallet.store.values.summaries()]


async def test_several_values_are_one_item_with_all_their_fields(wallet: Wallet, safes: MemorySafes) -> None:
    """One piece at each safe, one receipt, and each value keeps its own class, validity and rules."""
    receipt_id, ids = await coupled(wallet)
    receipt = get_receipt(wallet.store, receipt_id)
    assert [(one.value_id, one.position, one.fields) for one in receipt.members] == [
        (value_id, position, value.fields)
        for position, (value_id, value) in enumerate(zip(ids, VALUES, strict=True))
    ]
    assert [len(pieces) for pieces in safes.kept()] == [1] * 5
    check_books(wallet, safes)


@pytest.mark.parametrize("chosen", [[0], [1], [2], [2, 0]], ids=str)
async def test_some_of_them_can_be_recovered_alone(
    wallet: Wallet, safes: MemorySafes, chosen: list[int]
) -> None:
    """The others stay where they are, and can be brought back later."""
    receipt_id, ids = await away(wallet)
    report = await recover(wallet, [receipt_id], only=[ids[place] for place in chosen])
    assert set(report.recovered) == {ids[place] for place in chosen} == set(here(wallet))
    report = await recover(wallet, [receipt_id])
    assert set(report.already) == {ids[place] for place in chosen}
    assert [wallet.store.values.get(value_id) for value_id in ids] == VALUES
    check_books(wallet, safes)


async def test_room_is_needed_only_for_those_that_are_wanted(wallet: Wallet) -> None:
    """Before anything is fetched."""
    receipt_id, ids = await away(wallet)
    wallet.store.settings.set_capacity(stored_size(VALUES[1]))
    with pytest.raises(WalletFull):
        await recover(wallet, [receipt_id])
    await recover(wallet, [receipt_id], only=[ids[1]])
    assert here(wallet) == [ids[1]]


async def test_one_that_is_edited_leaves_the_item_for_one_of_its_own(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """What the safes keep of the old item stays for the others."""
    receipt_id, ids = await coupled(wallet)
    await edit(wallet, ids[1], NEW)
    assert [one.value_id for one in get_receipt(wallet.store, receipt_id).members] == [ids[0], ids[2]]
    check_books(wallet, safes)
    await drop_backed_up(wallet, ids, accept_fewer=False)
    await recover(wallet, [receipt.receipt_id for receipt in receipts(wallet)])
    assert [wallet.store.values.get(value_id) for value_id in ids] == [VALUES[0], NEW, VALUES[2]]


async def test_an_edit_below_the_quorum_leaves_the_item_whole(wallet: Wallet, safes: MemorySafes) -> None:
    """The old content stands with the others."""
    receipt_id, ids = await coupled(wallet)
    safes.take_down(1, 2)
    with pytest.raises(TooFewSafes):
        await edit(wallet, ids[1], NEW)
    safes.take_down()
    await resume(wallet)
    assert get_receipt(wallet.store, receipt_id).value_ids == tuple(ids)
    assert wallet.store.values.get(ids[1]) == VALUES[1]
    check_books(wallet, safes)


async def test_the_last_to_leave_takes_the_item_with_it(wallet: Wallet, safes: MemorySafes) -> None:
    """One by one under another policy: the old pieces go with the last."""
    receipt_id, ids = await coupled(wallet)
    old = get_receipt(wallet.store, receipt_id).read_leaf()
    for left in (2, 1, 0):
        await back_up(wallet, [ids[2 - left]], "threshold")
        check_books(wallet, safes)
        assert ((old.item_id, old.generation) in safes[1].kept_items()) == (left > 0)
    assert sorted(receipt.value_ids for receipt in receipts(wallet)) == sorted((one,) for one in ids)


async def test_values_of_single_items_may_be_coupled_later(wallet: Wallet, safes: MemorySafes) -> None:
    """Their items go."""
    with wallet.store.transaction():
        ids = [wallet.store.values.add(value) for value in VALUES]
    await back_up(wallet, ids, "threshold")
    report = await back_up(wallet, ids, "coupled")
    assert len({entry.receipt_id for entry in report.entries}) == 1
    (receipt,) = receipts(wallet)
    assert (receipt.value_ids, receipt.read_leaf().generation) == (tuple(ids), 1)
    check_books(wallet, safes)


async def test_what_is_coupled_already_stays_as_it_is(wallet: Wallet, safes: MemorySafes) -> None:
    """All of it, or a part; a value that is added gets an item of its own."""
    receipt_id, ids = await coupled(wallet)
    report = await back_up(wallet, [*ids, added := wallet.store.values.add(NEW)], "coupled")
    assert [entry.already for entry in report.entries] == [True, True, True, False]
    assert [receipt.value_ids for receipt in receipts(wallet)] == [tuple(ids), (added,)]
    assert receipt_id == receipts(wallet)[0].receipt_id
    check_books(wallet, safes)


async def test_receipts_are_deleted_value_by_value(wallet: Wallet, safes: MemorySafes) -> None:
    """The pieces stay as long as a value needs them."""
    receipt_id, ids = await away(wallet)
    await recover(wallet, [receipt_id], only=ids[:1], delete_receipts=True)
    assert get_receipt(wallet.store, receipt_id).value_ids == tuple(ids[1:])
    assert wallet.store.values.summary(ids[0]).receipt_id is None
    with pytest.raises(NotSafeYet):
        await drop_backed_up(wallet, ids[:1], accept_fewer=True)
    check_books(wallet, safes)
    await recover(wallet, [receipt_id], delete_receipts=True)
    assert receipts(wallet) == []
    assert safes.kept() == [set()] * 5
    assert [wallet.store.values.get(value_id) for value_id in ids] == VALUES
    check_books(wallet, safes)


async def test_a_receipt_that_is_forgotten_unlinks_all_its_values(wallet: Wallet, safes: MemorySafes) -> None:
    """Those that are in the wallet."""
    receipt_id, ids = await coupled(wallet)
    await drop_backed_up(wallet, ids[:1], accept_fewer=False)
    async with changing(wallet):
        await forget(wallet, [receipt_id])
    assert [wallet.store.values.summary(value_id).receipt_id for value_id in ids[1:]] == [None, None]
    assert safes.kept() == [set()] * 5
    check_books(wallet, safes)


async def test_a_lost_piece_of_a_coupled_item_is_made_up_for_by_the_next_backup(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """The same values together become the next generation of the same item."""
    receipt_id, ids = await away(wallet)
    safes[2].pieces.clear()
    report = await recover(wallet, [receipt_id], only=ids[:1])
    assert {name: type(failure) for name, failure in report.failed.items()} == {"safe-2": CertificateUnknown}
    assert state_of(get_receipt(wallet.store, receipt_id)).word == "registered"
    await recover(wallet, [receipt_id])
    report_of_backup = await back_up(wallet, ids, "coupled")
    assert {(entry.receipt_id, entry.already) for entry in report_of_backup.entries} == {(receipt_id, False)}
    assert get_receipt(wallet.store, receipt_id).read_leaf().generation == 2
    check_books(wallet, safes)


async def test_after_a_loss_one_value_may_be_saved_alone(wallet: Wallet, safes: MemorySafes) -> None:
    """It gets an item of its own; the others keep what is left of the old one."""
    receipt_id, ids = await away(wallet)
    safes[2].pieces.clear()
    await recover(wallet, [receipt_id], only=ids[:1])
    (entry,) = (await back_up(wallet, ids[:1], "coupled")).entries
    assert entry.state.word == "safe"
    left = get_receipt(wallet.store, receipt_id)
    assert (left.value_ids, left.has_lost_pieces) == (tuple(ids[1:]), True)
    await recover(wallet, [receipt_id])
    await back_up(wallet, ids[1:], "coupled")
    assert [receipt.read_leaf().generation for receipt in receipts(wallet)] == [2, 1]
    check_books(wallet, safes)


async def test_a_lost_item_loses_all_its_values_and_no_others(wallet: Wallet, safes: MemorySafes) -> None:
    """Three safes lost it: what lies in other items comes back."""
    receipt_id, _ = await away(wallet)
    for number in (1, 2, 3):
        safes[number].pieces.clear()
    other = wallet.store.values.add(NEW)
    (entry,) = (await back_up(wallet, [other], "coupled")).entries
    await drop_backed_up(wallet, [other], accept_fewer=False)
    with pytest.raises(TooFewSafes):
        await recover(wallet, [receipt_id, entry.receipt_id])
    assert here(wallet) == [other]


@pytest.mark.parametrize(
    ("limit", "most", "expected"), [("MAX_MEMBERS", 2, [2, 1]), ("MAX_COUPLED_BYTES", 200, [1, 1, 1])]
)
async def test_an_item_holds_only_so_much(
    wallet: Wallet,
    safes: MemorySafes,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    most: int,
    expected: list[int],
) -> None:
    """So many values, and so many bytes unless one alone has more."""
    monkeypatch.setattr(backup, limit, most)
    with wallet.store.transaction():
        ids = [wallet.store.values.add(small_value(name, payload=bytes(150))) for name in "ABC"]
    await back_up(wallet, ids, "coupled")
    assert [len(receipt.members) for receipt in receipts(wallet)] == expected


@pytest.mark.parametrize(
    "policy", ["seal-then-couple", "couple-then-divide-then-seal", "couple-compactly", "coupled-unsealed"]
)
async def test_one_of_several_comes_back_however_they_were_coupled(
    wallet: Wallet, safes: MemorySafes, policy: str
) -> None:
    """From any three safes, a streamed one among them."""
    use(wallet, policy)
    large = small_value("large", payload=draw("large", 2_500_000))
    receipt_id, ids = await coupled(wallet, [VALUES[0], large, VALUES[1]], policy)
    await drop_backed_up(wallet, ids, accept_fewer=False)
    safes.take_down(1, 4)
    await recover(wallet, [receipt_id], only=[ids[2]])
    assert wallet.store.values.get(ids[2]) == VALUES[1]
    await recover(wallet, [receipt_id])
    assert wallet.store.values.get(ids[1]) == large
