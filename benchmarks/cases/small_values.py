"""Values of 1 KiB: one after the other, from 64 callers at once, a thousand together, and back by receipt."""

import asyncio
import os
from collections.abc import Sequence

from benchmarks.figure import Figure, at_least, at_most_times
from benchmarks.timing import take_turns
from benchmarks.workbench import Workbench
from wallet_client.operations.backup import BackupReport, back_up, drop_backed_up
from wallet_client.operations.backup_desk import BackupDesk
from wallet_client.operations.recover import recover
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.values.value import Value, ValueId
from wallet_client.wallet import Wallet

PAYLOAD_BYTES = 1024
POLICY = "threshold"
CALLERS = 64
CALLERS_FIRST_STEP = 1_000
BATCH_FIRST_STEP = 1_000
BATCH = 1_000


def fill(wallet: Wallet, count: int) -> list[ValueId]:
    """Put so many values into the wallet."""
    with wallet.store.transaction():
        return [
            wallet.store.values.add(Value(item_class="file", name=f"v{n}", payload=os.urandom(PAYLOAD_BYTES)))
            for n in range(count)
        ]


async def one_at_a_time(bench: Workbench) -> list[Figure]:
    """p50 of a backup, beside a bare durable fan-out of the same bytes."""
    turns = bench.turns(60)
    bare, wallet = await bench.bare(), await bench.new_wallet()
    values = iter(fill(wallet, turns + 5))
    content = os.urandom(PAYLOAD_BYTES)
    taken = await take_turns(
        turns, lambda: _back_up(wallet, [next(values)]), lambda: bare.put(content), warm_up=5
    )
    return [
        at_most_times(
            "backup of 1 KiB, one at a time",
            taken.ours_median * 1e3,
            "ms p50",
            1.5,
            "durable fan-out",
            taken.bare_median * 1e3,
        )
    ]


async def many_callers(bench: Workbench) -> list[Figure]:
    """Backups a second with 64 callers at once, beside bare fan-outs of one value each, 64 at once."""
    rounds, each = bench.turns(5), 5
    bare, wallet = await bench.bare(), await bench.new_wallet()
    desk, values = BackupDesk(wallet), iter(fill(wallet, (rounds + 1) * CALLERS * each))
    content = os.urandom(PAYLOAD_BYTES)

    async def caller() -> None:
        for _ in range(each):
            _require_safe(await desk.back_up(next(values), POLICY))

    async def bare_caller() -> None:
        for _ in range(each):
            await bare.put(content)

    taken = await take_turns(
        rounds,
        lambda: asyncio.gather(*(caller() for _ in range(CALLERS))),
        lambda: asyncio.gather(*(bare_caller() for _ in range(CALLERS))),
    )
    work = CALLERS * each
    ceiling = ("fan-outs, 64 at once", work / taken.bare_median)
    rate = work / taken.ours_median
    return [at_least("backup of 1 KiB, 64 callers at once", rate, "values/s", CALLERS_FIRST_STEP, ceiling)]


async def whole_wallet(bench: Workbench) -> list[Figure]:
    """Values a second of a batch of 1,000, beside a bare fan-out of one message with 1,000 rows."""
    rounds = bench.turns(5)
    bare, wallet = await bench.bare(), await bench.new_wallet()
    batches = iter([fill(wallet, BATCH) for _ in range(rounds + 1)])
    rows = [os.urandom(PAYLOAD_BYTES) for _ in range(BATCH)]
    taken = await take_turns(rounds, lambda: _back_up(wallet, next(batches)), lambda: bare.put_many(rows))
    ceiling = ("1,000 rows a message", BATCH / taken.bare_median)
    rate = BATCH / taken.ours_median
    return [at_least("backup --all of 1,000 values of 1 KiB", rate, "values/s", BATCH_FIRST_STEP, ceiling)]


async def by_receipt(bench: Workbench) -> list[Figure]:
    """p50 of a recovery, beside a bare fan-out that reads one row of each server."""
    turns = bench.turns(60)
    bare, wallet = await bench.bare(), await bench.new_wallet()
    values = fill(wallet, turns + 5)
    receipts: list[ReceiptId] = []
    for value_id in values:
        report = await back_up(wallet, [value_id], POLICY)
        receipts.append(report.entries[0].receipt_id)
    await drop_backed_up(wallet, values, accept_fewer=False)
    keys = await bare.put(os.urandom(PAYLOAD_BYTES))
    left = iter(receipts)
    taken = await take_turns(turns, lambda: _recover(wallet, next(left)), lambda: bare.get(keys), warm_up=5)
    return [
        at_most_times(
            "recovery of 1 KiB by receipt",
            taken.ours_median * 1e3,
            "ms p50",
            1.3,
            "fan-out get",
            taken.bare_median * 1e3,
        )
    ]


async def _back_up(wallet: Wallet, values: Sequence[ValueId]) -> None:
    _require_safe(await back_up(wallet, values, POLICY))


def _require_safe(report: BackupReport) -> None:
    if report.failed or any(entry.already or entry.state.word != "safe" for entry in report.entries):
        raise RuntimeError(f"the backup is not what was to be measured: {report.failed}")


async def _recover(wallet: Wallet, receipt_id: ReceiptId) -> None:
    report = await recover(wallet, [receipt_id])
    if report.failed or len(report.recovered) != 1:
        raise RuntimeError(f"the recovery is not what was to be measured: {report.failed}")
