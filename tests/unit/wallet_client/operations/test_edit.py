"""New content in the place of the old: one of them always stands, in the wallet and at the safes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, check_books, opened
from support.sample_documents import draw
from support.wallet_samples import small_value
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.receipts.shelf import get_receipt
from wallet_client.storage.errors import WalletFull
from wallet_client.values.errors import UnknownValue
from wallet_client.values.value import ValueId, stored_size
from wallet_client.wallet import Wallet

OLD, NEW = small_value("old", payload=b"old"), small_value("new", payload=b"new content")


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """A wallet with one value."""
    async with opened(folder, safes) as made:
        made.store.values.add(OLD)
        yield made


def the_value(wallet: Wallet) -> ValueId:
    """The one there is."""
    (summary,) = wallet.store.values.summaries()
    return summary.id


async def test_a_value_that_is_not_backed_up_is_simply_replaced(wallet: Wallet, safes: MemorySafes) -> None:
    """No safe is asked."""
    report = await edit(wallet, the_value(wallet), NEW)
    assert (report.state, report.failed) == (None, {})
    assert wallet.store.values.get(the_value(wallet)) == NEW
    assert [safe.calls for safe in safes] == [[]] * 5


@pytest.mark.parametrize("policy", ["threshold", "apart", "sealed", "plain"])
async def test_the_new_content_is_registered_and_the_old_erased(
    wallet: Wallet, safes: MemorySafes, policy: str
) -> None:
    """Under the same policy, as the next generation of the same receipt."""
    (entry,) = (await back_up(wallet, [the_value(wallet)], policy)).entries
    report = await edit(wallet, the_value(wallet), NEW)
    assert report.state is not None
    assert (report.state.word, report.failed) == ("safe", {})
    check_books(wallet, safes)
    receipt = get_receipt(wallet.store, entry.receipt_id)
    assert (receipt.policy_name, receipt.read_leaf().generation) == (policy, 2)
    (member,) = receipt.members
    assert (member.fields, member.size_bytes) == (NEW.fields, stored_size(NEW))
    await drop_backed_up(wallet, [entry.value_id], accept_fewer=False)
    await recover(wallet, [entry.receipt_id])
    assert wallet.store.values.get(entry.value_id) == NEW


async def test_content_may_grow_over_the_line_of_dispersal_and_back(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Each generation is planned anew."""
    await back_up(wallet, [the_value(wallet)], "threshold")
    for size in (70_000, 4_000_000, 10):
        await edit(wallet, the_value(wallet), small_value("grown", payload=draw("grown", size)))
        check_books(wallet, safes)


async def test_below_the_quorum_the_old_content_stands_everywhere(wallet: Wallet, safes: MemorySafes) -> None:
    """And the same edit succeeds when the safes are back."""
    await back_up(wallet, [the_value(wallet)], "threshold")
    safes.take_down(1, 2)
    for _ in range(2):
        with pytest.raises(TooFewSafes):
            await edit(wallet, the_value(wallet), NEW)
        assert wallet.store.values.get(the_value(wallet)) == OLD
    safes.take_down()
    await resume(wallet)
    check_books(wallet, safes)
    report = await edit(wallet, the_value(wallet), NEW)
    assert report.failed == {}
    check_books(wallet, safes)
    assert wallet.store.values.get(the_value(wallet)) == NEW


async def test_a_safe_that_is_down_is_named_and_hears_of_both_later(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Of the new piece and of the old one's deletion."""
    await back_up(wallet, [the_value(wallet)], "threshold")
    safes.take_down(5)
    report = await edit(wallet, the_value(wallet), NEW)
    assert set(report.failed) == {"safe-5"}
    assert report.state is not None
    assert report.state.may_still_be_lost == 1
    assert len(safes[5].pieces) == 1
    safes.take_down()
    assert (await resume(wallet)).delivered == 2
    check_books(wallet, safes)


async def test_content_that_does_not_fit_is_refused_before_anything_is_sent(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """The room of the old content counts as free."""
    await back_up(wallet, [the_value(wallet)], "threshold")
    calls = [len(safe.calls) for safe in safes]
    wallet.store.settings.set_capacity(stored_size(NEW))
    with pytest.raises(WalletFull):
        await edit(wallet, the_value(wallet), NEW.with_fields(remarks="x"))
    assert [len(safe.calls) for safe in safes] == calls
    check_books(wallet, safes)
    await edit(wallet, the_value(wallet), NEW)
    assert wallet.store.values.get(the_value(wallet)) == NEW


async def test_a_value_that_is_not_there_cannot_be_edited(wallet: Wallet) -> None:
    """A typed error."""
    with pytest.raises(UnknownValue):
        await edit(wallet, ValueId("v-nobody"), NEW)
