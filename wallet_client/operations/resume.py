"""Finish or withdraw what a crash interrupted, and deliver what waits in the outbox."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from trust.ids import SafeId
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.backup import send_root_away
from wallet_client.operations.outbox import deliver
from wallet_client.operations.settle import changing
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class ResumeReport:
    """What a resume came to.

    Args:
        finished: Interrupted batches that are registered now.
        withdrawn: Interrupted batches that were taken back.
        delivered: Outbox entries that reached their safes.
        still_owed: Entries that wait on, by the safe's name.
        failed: What went wrong, by the safe's name.
    """

    finished: int
    withdrawn: int
    delivered: int
    still_owed: Mapping[str, int]
    failed: Mapping[str, SafeFailure]


async def resume(wallet: Wallet) -> ResumeReport:
    """Bring everything to its end that can be.

    Raises:
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet) as settled:
        delivered = await deliver(wallet)
        await send_root_away(wallet)
        waiting = await asyncio.to_thread(wallet.store.outbox.entries)
    owed = Counter(wallet.safe_name(SafeId(entry.safe_id)) for entry in waiting)
    failed = {wallet.safe_name(safe_id): failure for safe_id, failure in delivered.failed.items()}
    return ResumeReport(settled.finished, settled.withdrawn, delivered.entries, owed, failed)
