"""Callers who come while a batch is under way join the next; each answers for its own value."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.memory_safes import MemorySafes, opened
from support.wallet_samples import small_value
from wallet_client.operations import backup_desk
from wallet_client.operations.backup import BackupReport, back_up
from wallet_client.operations.backup_desk import LANES, BackupDesk
from wallet_client.operations.errors import TooFewSafes
from wallet_client.policies.errors import UnknownPolicy
from wallet_client.storage.errors import WalletDamaged
from wallet_client.values.errors import UnknownValue
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


class Counter:
    """Counts the batches, and lets values of a test's choice make trouble."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches: list[tuple[ValueId, ...]] = []
        self.damaged: set[ValueId] = set()
        monkeypatch.setattr(backup_desk, "back_up", self.back_up)

    async def back_up(self, wallet: Wallet, value_ids: Any, policy: str, progress: Any) -> BackupReport:
        self.batches.append(tuple(value_ids))
        if self.damaged & set(value_ids):
            raise WalletDamaged("the content of a value does not open")
        return await back_up(wallet, value_ids, policy, progress)


@pytest.fixture
def safes() -> MemorySafes:
    return MemorySafes.of()


@pytest.fixture
async def wallet(folder: Path, safes: MemorySafes) -> AsyncIterator[Wallet]:
    async with opened(folder, safes) as one:
        yield one


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch)


def add(wallet: Wallet, count: int) -> list[ValueId]:
    """New tickets."""
    with wallet.store.transaction():
        return [wallet.store.values.add(small_value(str(number))) for number in range(count)]


async def test_many_callers_travel_in_few_batches(wallet: Wallet, counter: Counter) -> None:
    """The first few go at once; all others wait for a lane and go together."""
    ids = add(wallet, 64)
    desk = BackupDesk(wallet)
    reports = await asyncio.gather(*(desk.back_up(one, "threshold") for one in ids))
    assert [report.entries[0].value_id for report in reports] == ids
    assert {report.entries[0].state.word for report in reports} == {"safe"}
    assert {len(report.entries) for report in reports} == {1}
    assert sum(map(len, counter.batches)) == 64
    assert len(counter.batches) < 32


async def test_a_large_value_keeps_nobody_waiting(
    wallet: Wallet, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes by itself, beside the batches of the small ones."""
    monkeypatch.setattr(backup_desk, "MAX_PARCEL_BYTES", 1000)
    small, large = [*add(wallet, 1), wallet.store.values.add(small_value(payload=bytes(2000)))]
    desk = BackupDesk(wallet)
    reports = await asyncio.gather(*(desk.back_up(one, "threshold") for one in (large, small)))
    assert [report.entries[0].value_id for report in reports] == [large, small]
    assert sorted(counter.batches) == sorted([(large,), (small,)])


async def test_policies_do_not_mix(wallet: Wallet, counter: Counter) -> None:
    """Each has a queue of its own."""
    one, other = add(wallet, 2)
    desk = BackupDesk(wallet)
    await asyncio.gather(desk.back_up(one, "plain"), desk.back_up(other, "threshold"))
    assert sorted(counter.batches) == sorted([(one,), (other,)])


async def test_the_same_value_twice_is_one_item(wallet: Wallet) -> None:
    """Both callers get the one receipt."""
    (value_id,) = add(wallet, 1)
    desk = BackupDesk(wallet)
    one, other = await asyncio.gather(*(desk.back_up(value_id, "threshold") for _ in range(2)))
    assert one.entries[0].receipt_id == other.entries[0].receipt_id
    assert len(wallet.store.receipts.entries()) == 1


async def test_what_is_not_there_is_refused_before_it_joins(wallet: Wallet, counter: Counter) -> None:
    """An unknown value or policy costs no batch."""
    (value_id,) = add(wallet, 1)
    desk = BackupDesk(wallet)
    with pytest.raises(UnknownValue):
        await desk.back_up(ValueId("v-unknown"), "threshold")
    with pytest.raises(UnknownPolicy):
        await desk.back_up(value_id, "unknown")
    assert counter.batches == []


async def test_a_value_that_makes_trouble_fails_alone(wallet: Wallet, counter: Counter) -> None:
    """The others of its batch go each by itself and are safe."""
    ids = add(wallet, 8)
    counter.damaged = {ids[-1]}
    desk = BackupDesk(wallet)
    outcomes = await asyncio.gather(*(desk.back_up(one, "threshold") for one in ids), return_exceptions=True)
    assert isinstance(outcomes[-1], WalletDamaged)
    assert all(isinstance(outcome, BackupReport) for outcome in outcomes[:-1])


async def test_too_few_safes_is_told_to_all_of_the_batch_at_once(
    wallet: Wallet, safes: MemorySafes, counter: Counter
) -> None:
    """Asking again for each alone would only take longer."""
    safes.take_down(1, 2, 3)
    ids = add(wallet, LANES + 5)
    desk = BackupDesk(wallet)
    outcomes = await asyncio.gather(*(desk.back_up(one, "threshold") for one in ids), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TooFewSafes] * len(ids)
    assert len(counter.batches) <= LANES + 1
    assert wallet.store.receipts.entries() == []


async def test_everybody_in_a_batch_is_told_how_far_it_is(wallet: Wallet) -> None:
    """A watcher of several values in one batch is told once."""
    ids = add(wallet, LANES + 2)
    told: list[tuple[str, int, int]] = []

    def progress(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))

    desk = BackupDesk(wallet)
    await asyncio.gather(*(desk.back_up(one, "threshold", progress) for one in ids))
    ends = [(stage, done) for stage, done, total in told if done == total]
    assert {stage for stage, _ in ends} == {"register"}
    assert len(ends) <= len(ids)


async def test_a_caller_who_leaves_does_not_stop_the_others(wallet: Wallet) -> None:
    """A desk that closes does: what waits is cancelled."""
    ids = add(wallet, 4)
    desk = BackupDesk(wallet)
    callers = [asyncio.create_task(desk.back_up(one, "threshold")) for one in ids]
    await asyncio.sleep(0)
    callers[0].cancel()
    outcomes = await asyncio.gather(*callers, return_exceptions=True)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert all(isinstance(outcome, BackupReport) for outcome in outcomes[1:])
    await desk.close()
