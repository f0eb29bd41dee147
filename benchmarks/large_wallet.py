"""One wallet process that backs up or recovers one large value, so that its peak memory is its own.

    python -m benchmarks.large_wallet add HOME                  a value of 64 MiB; prints its id
    python -m benchmarks.large_wallet backup HOME POLICY ID     prints seconds, peak and receipt
    python -m benchmarks.large_wallet drop HOME ID              erases the value
    python -m benchmarks.large_wallet recover HOME ID RECEIPT   prints seconds and peak

The clock runs from the open wallet to the report: the value is read from the wallet's disk and, on the
way back, written to it.
"""

import asyncio
import dataclasses
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest import mock

import msgspec

from benchmarks.processes import peak_mb
from rpc_edge.process_memory import keep_freed_memory
from trust.roster import Roster
from wallet_client.operations.backup import back_up, drop_backed_up
from wallet_client.operations.recover import recover
from wallet_client.policies import presets
from wallet_client.policies.policy import Policy
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.values.value import Value, ValueId
from wallet_client.wallet import Wallet

ALL_SHAMIR = "threshold-shamir"
"""The default policy without its line at 64 KiB: the value is Shamir-divided however large."""


class Outcome(msgspec.Struct, frozen=True):
    """What one process measured; zeroes and empty where it measured nothing."""

    seconds: float = 0.0
    peak_mb: float = 0.0
    name: str = ""


def _all_shamir(roster: Roster) -> Policy:
    threshold = presets._PRESETS["threshold"](roster)
    return dataclasses.replace(threshold, name=ALL_SHAMIR, compact_above=None)


async def _add(wallet: Wallet, size: str) -> Outcome:
    value = Value(item_class="file", name="large", payload=os.urandom(int(size)))
    return Outcome(name=wallet.store.values.add(value))


async def _back_up(wallet: Wallet, policy: str, value_id: str) -> Outcome:
    started = time.perf_counter()
    report = await back_up(wallet, [ValueId(value_id)], policy)
    seconds = time.perf_counter() - started
    if report.failed or report.entries[0].state.word != "safe":
        raise RuntimeError(f"the backup is not what was to be measured: {report.failed}")
    return Outcome(seconds, peak_mb(os.getpid()), report.entries[0].receipt_id)


async def _drop(wallet: Wallet, value_id: str) -> Outcome:
    await drop_backed_up(wallet, [ValueId(value_id)], accept_fewer=False)
    return Outcome()


async def _recover(wallet: Wallet, receipt_id: str) -> Outcome:
    started = time.perf_counter()
    report = await recover(wallet, [ReceiptId(receipt_id)])
    seconds = time.perf_counter() - started
    if report.failed or not report.recovered:
        raise RuntimeError(f"the recovery is not what was to be measured: {report.failed}")
    return Outcome(seconds, peak_mb(os.getpid()))


_STEPS: dict[str, Callable[..., Awaitable[Outcome]]] = {
    "add": _add,
    "backup": _back_up,
    "drop": _drop,
    "recover": _recover,
}


async def _main(step: str, home: str, *rest: str) -> Outcome:
    with mock.patch.dict(presets._PRESETS, {ALL_SHAMIR: _all_shamir}):
        async with await Wallet.open(Path(home), NoPassphrase()) as wallet:
            return await _STEPS[step](wallet, *rest)


if __name__ == "__main__":
    keep_freed_memory()  # as the command line does
    print(msgspec.json.encode(asyncio.run(_main(*sys.argv[1:]))).decode())
