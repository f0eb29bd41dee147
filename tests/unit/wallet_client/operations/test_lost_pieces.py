"""A safe that lost what it certified no longer counts, and the next backup puts the value there again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, check_books, opened
from support.sample_documents import draw
from support.wallet_samples import small_value
from trust.wallet_refusals import CertificateUnknown
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.recover import recover
from wallet_client.receipts.receipt import state_of
from wallet_client.receipts.shelf import get_receipt
from wallet_client.values.value import Value
from wallet_client.wallet import Wallet

SMALL = small_value("small", payload=b"a ticket")
LARGE = small_value("large", payload=draw("large", 4_000_000))


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


@pytest.mark.parametrize("value", [SMALL, LARGE], ids=["in one message", "streamed"])
async def test_a_wiped_safe_stops_counting_and_the_next_backup_restores_it(
    wallet: Wallet, safes: MemorySafes, value: Value
) -> None:
    """The receipt says how it stands in between, and the old generation goes everywhere."""
    value_id = wallet.store.values.add(value)
    (entry,) = (await back_up(wallet, [value_id], "threshold")).entries
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    safes[2].pieces.clear()

    report = await recover(wallet, [entry.receipt_id])
    assert {name: type(failure) for name, failure in report.failed.items()} == {"safe-2": CertificateUnknown}
    state = state_of(get_receipt(wallet.store, entry.receipt_id))
    assert (state.word, len(state.holding), state.may_still_be_lost) == ("registered", 4, 1)

    (again,) = (await back_up(wallet, [value_id], "threshold")).entries
    assert (again.already, again.state.word, again.state.may_still_be_lost) == (False, "safe", 2)
    assert [{name[1] for name in pieces} for pieces in safes.kept()] == [{2}] * 5
    check_books(wallet, safes)


async def test_a_receipt_is_left_as_it_is_when_the_value_does_not_come_back(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Nothing is changed by a recovery that fails."""
    value_id = wallet.store.values.add(SMALL)
    (entry,) = (await back_up(wallet, [value_id], "threshold")).entries
    await drop_backed_up(wallet, [value_id], accept_fewer=False)
    before = get_receipt(wallet.store, entry.receipt_id)
    for number in (1, 2, 3):
        safes[number].pieces.clear()
    with pytest.raises(TooFewSafes):
        await recover(wallet, [entry.receipt_id])
    assert get_receipt(wallet.store, entry.receipt_id) == before
