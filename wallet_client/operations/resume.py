"""Finish or withdraw what a crash interrupted, and deliver what waits in the outbox."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from trust.ids import SafeId
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.backup import send_root_away
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.outbox import Delivered, deliver
from wallet_client.operations.owner_errors import names_of
from wallet_client.operations.owner_recovery import OwnerRecovered, continue_recovery
from wallet_client.operations.settle import changing
from wallet_client.operations.superseded import finish_superseded
from wallet_client.storage.keys import LEAVING_ROOT
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
        older: Old generations that wait until the new ones were read back from all their safes.
        root_changing: A new root is not brought in everywhere yet, which needs the PIN.
        owner: What came back of an owner's whose recovery was interrupted; None where none was.
    """

    finished: int
    withdrawn: int
    delivered: int
    still_owed: Mapping[str, int]
    failed: Mapping[str, SafeFailure]
    older: int = 0
    root_changing: bool = False
    owner: OwnerRecovered | None = None


async def resume(wallet: Wallet) -> ResumeReport:
    """Bring everything to its end that can be.

    Raises:
        WalletBusy: Another process is changing the wallet.
    """
    async with changing(wallet) as settled:
        delivered = await deliver(wallet)
        owner = await _go_on_recovering(wallet)
        finished = await finish_superseded(wallet)
        again = await deliver(wallet) if finished.gone else Delivered(0, {})
        await send_root_away(wallet)
        waiting = await asyncio.to_thread(wallet.store.outbox.entries)
    owed = Counter(wallet.safe_name(SafeId(entry.safe_id)) for entry in waiting)
    return ResumeReport(
        settled.finished,
        settled.withdrawn,
        delivered.entries + again.entries,
        owed,
        names_of(wallet.roster, {**delivered.failed, **finished.failed, **again.failed}),
        finished.waiting,
        LEAVING_ROOT in wallet.store.keys.names(),
        owner,
    )


async def _go_on_recovering(wallet: Wallet) -> OwnerRecovered | None:
    """Where no safe answers, what was begun waits for them as everything else does."""
    owner = wallet.store.settings.get().owner
    if owner is None or not owner.recovering:
        return None
    try:
        return await continue_recovery(wallet)
    except TooFewSafes:
        return None
