"""Every way of coupling, sealing, dividing and placing brings the same values back, from the safes it needs.

The pipeline is one; these tests walk its fields. What coalitions of real safes read is tested in tests/fault.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, check_books, opened
from support.odd_policies import ODD, use
from support.sample_documents import draw
from support.wallet_samples import FULL_VALUE, small_value
from trust.ids import SafeId
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.recover import recover
from wallet_client.policies.presets import policy_names
from wallet_client.receipts.receipt import ReceiptId, ReceiptState, state_of
from wallet_client.receipts.shelf import get_receipt
from wallet_client.wallet import Wallet

pytestmark = pytest.mark.no_cover

VALUES = [
    FULL_VALUE,
    small_value("empty"),
    small_value("short", payload=b"x"),
    small_value("long", payload=draw("long", 70_000)),
]
LARGE = small_value("large", payload=draw("large", 2_500_000))


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


ALL = [*policy_names(), *(one.name for one in ODD if not one.key_name)]


@pytest.mark.parametrize("name", ALL)
async def test_every_policy_brings_all_values_back(wallet: Wallet, safes: MemorySafes, name: str) -> None:
    """All fields and every byte, with all safes up, and the books are in order."""
    use(wallet, name)
    with wallet.store.transaction():
        ids = [wallet.store.values.add(value) for value in [*VALUES, LARGE]]
    report = await back_up(wallet, ids, name)
    assert {entry.state.word for entry in report.entries} == {"safe"}
    await drop_backed_up(wallet, ids, accept_fewer=False)
    assert wallet.store.values.summaries() == []
    await recover(wallet, list(dict.fromkeys(entry.receipt_id for entry in report.entries)))
    assert [wallet.store.values.get(value_id) for value_id in ids] == [*VALUES, LARGE]
    check_books(wallet, safes)


@pytest.mark.parametrize("name", ALL)
async def test_as_many_safes_may_be_gone_as_the_receipt_says(
    wallet: Wallet, safes: MemorySafes, name: str
) -> None:
    """Whichever they are; with one more there is some set of safes without which nothing comes back.

    The receipt counts a key that is kept and divided as away: then it is.
    """
    use(wallet, name)
    ids = [wallet.store.values.add(value) for value in VALUES[:3]]
    report = await back_up(wallet, ids, name)
    receipts = list(dict.fromkeys(entry.receipt_id for entry in report.entries))
    state = state_of(get_receipt(wallet.store, receipts[0]))
    for gone in combinations(state.placed, state.may_still_be_lost):
        await drop_backed_up(wallet, ids, accept_fewer=False)
        await recovered_without(gone, wallet, safes, receipts)
        assert [wallet.store.values.get(value_id) for value_id in ids] == VALUES[:3]
    with pytest.raises(TooFewSafes):
        await each_loss(state, wallet, safes, receipts)
    assert replace(report.entries[0], already=True).state == state


async def each_loss(
    state: ReceiptState, wallet: Wallet, safes: MemorySafes, receipts: list[ReceiptId]
) -> None:
    """Lose one safe too many, in every way in turn."""
    for gone in combinations(state.placed, state.may_still_be_lost + 1):
        await drop_backed_up(wallet, [one.id for one in wallet.store.values.summaries()], accept_fewer=False)
        forget_divided_keys(wallet, receipts[0])
        await recovered_without(gone, wallet, safes, receipts)


async def recovered_without(
    gone: Sequence[SafeId], wallet: Wallet, safes: MemorySafes, receipts: list[ReceiptId]
) -> None:
    """Recover while these safes are down."""
    for safe_id in gone:
        safes.all[safe_id].is_down = True
    try:
        await recover(wallet, receipts)
    finally:
        for safe_id in gone:
            safes.all[safe_id].is_down = False


def forget_divided_keys(wallet: Wallet, receipt: ReceiptId) -> None:
    """A key whose shares the safes have leaves the wallet."""
    if get_receipt(wallet.store, receipt).read_manifest().terms.key.mode == "kept-and-shared":
        for entry in wallet.store.keyring.entries():
            wallet.store.keyring.send_away(entry.id)
