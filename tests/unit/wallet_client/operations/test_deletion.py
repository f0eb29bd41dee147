"""Deletions that the wallet decided: every safe's signed word is kept, and owed until it came."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.memory_safes import MemorySafes, check_books, check_deletions, opened
from support.wallet_samples import small_value
from trust.wallet_refusals import PieceConflict, QuotaExceeded
from wallet_client.operations.backup import back_up
from wallet_client.operations.edit import edit
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.forget import forget
from wallet_client.operations.recover import recover
from wallet_client.operations.resume import resume
from wallet_client.operations.settle import changing
from wallet_client.receipts.deletion import DeletedGeneration, generations_of
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import all_deletions
from wallet_client.wallet import Wallet


@pytest.fixture
def safes() -> MemorySafes:
    """Five, of which three bring a value back."""
    return MemorySafes.of(5, 3)


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    """An empty wallet."""
    async with opened(folder, safes) as made:
        yield made


async def backed_up(wallet: Wallet, *names: str, policy: str = "threshold") -> list[ReceiptId]:
    """Values of these names, in one batch."""
    with wallet.store.transaction():
        ids = [wallet.store.values.add(small_value(name)) for name in names]
    return [entry.receipt_id for entry in (await back_up(wallet, ids, policy)).entries]


async def forgotten(wallet: Wallet, receipts: list[ReceiptId]) -> None:
    """Receipts and pieces deleted."""
    async with changing(wallet):
        await forget(wallet, receipts)


def deleted(wallet: Wallet) -> list[DeletedGeneration]:
    """Everything that the wallet knows to be deleted."""
    return [one for deletion in all_deletions(wallet.store) for one in generations_of(deletion)]


def owing(wallet: Wallet, safes: MemorySafes) -> list[list[int]]:
    """For each deleted generation, the numbers of the safes that have not confirmed."""
    numbers = {safe.entry.safe_id: number for number, safe in enumerate(safes, 1)}
    return [[numbers[safe_id] for safe_id in one.owed_to] for one in deleted(wallet)]


async def test_a_deletion_is_kept_with_the_word_of_every_safe(wallet: Wallet, safes: MemorySafes) -> None:
    """By its receipt's id, with generation and policy; the signatures hold."""
    receipts = await backed_up(wallet, "a", "b", policy="apart")
    await recover(wallet, receipts, delete_receipts=True)
    found = deleted(wallet)
    assert [one.receipt_id for one in found] == receipts
    assert {(one.generation, one.policy_name, one.deleted_at) for one in found} == {
        (1, "apart", wallet.now())
    }
    assert owing(wallet, safes) == [[], []]
    check_books(wallet, safes)


async def test_what_was_deleted_is_not_named(wallet: Wallet) -> None:
    """Neither its class nor its name is read of for ever."""
    receipts = await backed_up(wallet, "A telling name")
    await forgotten(wallet, receipts)
    (entry,) = wallet.store.deletions.entries()
    content = wallet.store.deletions.get(entry.id)
    assert b"threshold" in content
    assert b"telling" not in content
    assert b"movie-ticket" not in content


async def test_a_safe_that_was_away_is_owed_until_it_gave_its_word(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """And is asked no more afterwards."""
    receipts = await backed_up(wallet, "a", "b")
    safes.take_down(2, 4)
    await forgotten(wallet, receipts)
    assert owing(wallet, safes) == [[2, 4], [2, 4]]
    safes.take_down(4)
    assert (await resume(wallet)).still_owed == {"safe-4": 1}
    assert owing(wallet, safes) == [[4], [4]]
    check_deletions(wallet, safes)
    safes.take_down()
    await resume(wallet)
    assert owing(wallet, safes) == [[], []]
    check_books(wallet, safes)
    assert (await resume(wallet)).delivered == 0


async def test_what_a_safe_confirmed_is_kept_although_it_refused_the_rest(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Only the rest is sent again."""
    receipts = await backed_up(wallet, "a", "b", "c")
    honest, asked = safes[3]._bury, []

    def takes_one(body: bytes, signature: bytes):  # type: ignore[no-untyped-def]
        asked.append(body)
        return honest(body, signature) if len(asked) == 2 else QuotaExceeded(1, 2, 3)

    safes[3]._bury = takes_one  # type: ignore[method-assign]
    await forgotten(wallet, receipts)
    assert owing(wallet, safes) == [[3], [], [3]]
    safes[3]._bury = honest  # type: ignore[method-assign]
    assert (await resume(wallet)).failed == {}
    assert owing(wallet, safes) == [[], [], []]
    assert len(asked) == 3
    check_books(wallet, safes)


async def test_old_generations_and_withdrawn_backups_are_deletions_too(
    wallet: Wallet, safes: MemorySafes
) -> None:
    """Whatever the safes may have is accounted for."""
    (receipt,) = await backed_up(wallet, "first")
    (value,) = wallet.store.values.summaries()
    await edit(wallet, value.id, small_value("second"))
    safes.take_down(1, 2, 3)
    with pytest.raises(TooFewSafes):
        await edit(wallet, value.id, small_value("third"))
    safes.take_down()
    await resume(wallet)
    assert [(one.receipt_id, one.generation) for one in deleted(wallet)] == [(receipt, 1), (receipt, 3)]
    assert owing(wallet, safes) == [[], []]
    check_books(wallet, safes)


async def test_a_deletion_that_concerns_no_safe_is_none(wallet: Wallet, safes: MemorySafes) -> None:
    """A backup that another copy of the wallet was ahead of everywhere left nothing of ours."""
    for safe in safes:
        safe.refuses = PieceConflict()
    with pytest.raises(TooFewSafes):
        await backed_up(wallet, "a")
    assert wallet.store.deletions.entries() == []
    assert wallet.store.outbox.entries() == []


async def test_many_deletions_take_few_statements(
    wallet: Wallet, safes: MemorySafes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipts of a safe are one write, however many they are."""
    few, many = await backed_up(wallet, "one"), await backed_up(wallet, *map(str, range(100)))
    writes: list[str] = []
    honest = wallet.store.deletions.put

    def put(deletion_id: str, content: bytes) -> None:
        writes.append(deletion_id)
        honest(deletion_id, content)

    monkeypatch.setattr(wallet.store.deletions, "put", put)
    for receipts in (few, many):
        writes.clear()
        await forgotten(wallet, receipts)
        assert len(writes) == 1 + 5
    assert len(deleted(wallet)) == 101
