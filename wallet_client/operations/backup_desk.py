"""Backups of single values, gathered: whoever calls while one batch is under way joins the next.

A program with many tasks backs up one value in each. Every registration costs a call to every safe and
a commit there, whatever it carries, so calls under the same policy travel together. One value's trouble
stays its own; too few safes is everybody's.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

from trust.manifest import MAX_ITEMS
from wallet_client.errors import WalletError
from wallet_client.network.coalescer import Coalescer
from wallet_client.operations.backup import BackupReport, back_up
from wallet_client.operations.errors import TooFewSafes
from wallet_client.operations.progress import Progress, silent
from wallet_client.pipeline.plan import MAX_PARCEL_BYTES
from wallet_client.policies.errors import PolicyUnfit
from wallet_client.storage.errors import KeyAway, UnknownKey, WalletBusy
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet

LANES: Final = 1
"""Batches under way at once: with two, each is half as full, and the safes have twice the work."""

_EVERYBODYS = (TooFewSafes, PolicyUnfit, WalletBusy, KeyAway, UnknownKey)


class _Wanted(NamedTuple):
    value_id: ValueId
    progress: Progress


class BackupDesk:
    """Takes single values of one wallet; keep one for as long as the wallet is open.

    Args:
        wallet: The open wallet; it stays its owner's to close, after the desk.
    """

    def __init__(self, wallet: Wallet) -> None:
        self._wallet = wallet
        self._queues: dict[str, Coalescer[_Wanted, BackupReport]] = {}
        self._sizes = Coalescer(self._look_up, max_entries=MAX_ITEMS, max_weight=MAX_ITEMS)

    async def back_up(self, value_id: ValueId, policy_name: str, progress: Progress = silent) -> BackupReport:
        """Register one value at the safes, together with those of other callers; a large one alone.

        A caller who is cancelled leaves; a batch that is under way with its value is not stopped by that.

        Args:
            value_id: The value.
            policy_name: How.
            progress: Told about the whole batch it travels in.

        Returns:
            A report with one entry; `failed` holds for the batch.

        Raises:
            As `operations.backup.back_up`.
        """
        self._wallet.policy(policy_name)
        size = await self._sizes.submit(value_id)
        if size > MAX_PARCEL_BYTES:
            return await back_up(self._wallet, [value_id], policy_name, progress)
        return await self._queue(policy_name).submit(_Wanted(value_id, progress), size)

    async def close(self) -> None:
        """Cancel what is under way and what waits; `resume` ends what was begun."""
        await self._sizes.close()
        for queue in self._queues.values():
            await queue.close()

    async def _look_up(self, value_ids: Sequence[ValueId]) -> list[int | Exception]:
        """Sizes of values, or what stands in their way; one hop to a thread for all who ask at once."""
        return await asyncio.to_thread(lambda: [self._size_of(value_id) for value_id in value_ids])

    def _size_of(self, value_id: ValueId) -> int | Exception:
        try:
            return self._wallet.store.values.summary(value_id).size_bytes
        except WalletError as error:
            return error

    def _queue(self, policy_name: str) -> Coalescer[_Wanted, BackupReport]:
        queue = self._queues.get(policy_name)
        if queue is None:
            queue = self._queues[policy_name] = Coalescer(
                partial(self._send, policy_name),
                max_entries=MAX_ITEMS,
                max_weight=MAX_PARCEL_BYTES,
                lanes=LANES,
            )
        return queue

    async def _send(self, policy_name: str, wanted: Sequence[_Wanted]) -> list[BackupReport | Exception]:
        """One batch; if a value in it makes trouble of its own, each goes alone."""
        watchers = {one.progress for one in wanted}

        def tell(stage: str, done: int, total: int) -> None:
            for progress in watchers:
                progress(stage, done, total)

        try:
            report = await back_up(self._wallet, [one.value_id for one in wanted], policy_name, tell)
        except WalletError as error:
            if len(wanted) == 1 or isinstance(error, _EVERYBODYS):
                raise
            return [await self._alone(policy_name, one) for one in wanted]
        entries = {entry.value_id: entry for entry in report.entries}
        return [BackupReport((entries[one.value_id],), report.failed) for one in wanted]

    async def _alone(self, policy_name: str, wanted: _Wanted) -> BackupReport | Exception:
        try:
            return await back_up(self._wallet, [wanted.value_id], policy_name, wanted.progress)
        except WalletError as error:
            return error
