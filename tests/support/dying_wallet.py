"""A wallet that kills itself (SIGKILL) at an exact point of an operation.

It dies when the N-th piece, or the N-th chunk of a streamed one, has been reported as done: after the
safe's answer came and before the wallet wrote anything about it down. `delete` recovers, deletes the
receipts, and dies before the N-th write about the deletion: the first is the wallet's decision, each later
one what a safe answered. `reseed` dies when the N-th batch has its next generation beside the old one.
"""

import asyncio
import os
import signal
import sys
from itertools import count
from pathlib import Path

from support.forked import run
from support.kura import environment
from wallet_client.operations.backup import back_up
from wallet_client.operations.progress import Progress
from wallet_client.operations.recover import recover
from wallet_client.operations.reseed import reseed
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.storage.keyfile import NoPassphrase
from wallet_client.wallet import Wallet


def dying_at(number: int) -> Progress:
    """A progress that nobody survives."""
    reports = count(1)

    def report(stage: str, done: int, total: int) -> None:
        if next(reports) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return report


def _die_before_write(wallet: Wallet, number: int) -> None:
    writes, honest = count(1), wallet.store.deletions.put

    def put(deletion_id: str, content: bytes) -> None:
        if next(writes) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        honest(deletion_id, content)

    wallet.store.deletions.put = put  # type: ignore[method-assign]


async def _work(home: Path, number: int, operation: str, policy: str) -> None:
    async with await Wallet.open(home, NoPassphrase()) as wallet:
        if operation == "backup":
            values = [summary.id for summary in wallet.store.values.summaries()]
            await back_up(wallet, values, policy, dying_at(number))
            return
        receipts = [ReceiptId(entry.id) for entry in wallet.store.receipts.entries()]
        if operation == "reseed":
            await reseed(wallet, progress=dying_at(number))
        elif operation == "delete":
            _die_before_write(wallet, number)
            await recover(wallet, receipts, delete_receipts=True)
        else:
            await recover(wallet, receipts, progress=dying_at(number))


def die(home: Path, number: int, operation: str, policy: str = "threshold") -> None:
    """Run an operation in a process that is killed at that point."""
    words = (str(home), str(number), operation, policy)
    assert run("support.dying_wallet", *words, environment=environment()).code == -signal.SIGKILL


def main(home: str, number: str, operation: str, policy: str) -> None:
    """Be that process."""
    asyncio.run(_work(Path(home), int(number), operation, policy))


if __name__ == "__main__":
    main(*sys.argv[1:])
