"""What a trigger has to do now, and doing it: the only part that touches values and safes."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from wallet_client.errors import WalletError
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.put_away import PutAway, put_away
from wallet_client.operations.recover_in_room import (
    RoomyRecovery,
    recover_in_room,
    recover_suspended,
    suspended_that_fit,
)
from wallet_client.operations.room import MakeRoom, local_time
from wallet_client.operations.select import select
from wallet_client.receipts.shelf import read_summary
from wallet_client.storage.store import WalletStore
from wallet_client.storage.triggers import TriggerEntry
from wallet_client.triggers.phrases import RecoverUsable, Start, StartBackup
from wallet_client.triggers.reading import Away, approaching
from wallet_client.triggers.schedule import local_day
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


@dataclass(eq=False)
class ValuesStay(WalletError):
    """Values that were to leave the wallet are not at all their safes yet.

    Args:
        count: How many.
    """

    count: int
    sentence = "{count} value(s) were backed up and stay in the wallet: not all of their safes have them yet."
    hint = "Bring the safes back; it is tried again by itself."


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done.

    Args:
        start: What the trigger starts.
        policy: For values without a receipt; "" for the default.
        ids: The values to back up, or to recover.
    """

    start: Start
    policy: str
    ids: tuple[ValueId, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """What was done.

    Args:
        put_away: What a backup came to.
        recovery: What a recovery came to; None for a backup.
        brought_back: Values that need not be brought back again for the same reason.
    """

    put_away: PutAway = field(default_factory=PutAway)
    recovery: RoomyRecovery | None = None
    brought_back: tuple[str, ...] = ()

    @property
    def failed(self) -> dict[str, SafeFailure]:
        """What went wrong, by the safe's name, although it was done."""
        moved = self.recovery.moved if self.recovery else ()
        failed = dict(self.recovery.report.failed) if self.recovery else {}
        for part in (self.put_away, *moved):
            failed |= part.failed
        return failed

    def __str__(self) -> str:
        """In one line, with figures."""
        if self.recovery is not None:
            report = self.recovery.report
            text = f"{len(report.recovered)} value(s) recovered"
            return text + (f", {len(self.recovery.suspended)} suspended" if self.recovery.suspended else "")
        entries, left = self.put_away.backed_up, self.put_away.left
        already = sum(entry.already for entry in entries)
        text = f"{len(entries) - already} value(s) backed up"
        text += f", {already} were already" if already else ""
        return text + (f"; {len(left)} erased from the wallet" if left else "")


def work_of(wallet: Wallet, entry: TriggerEntry, zone: tzinfo | None, staying: Collection[ValueId]) -> Work:
    """What a trigger has to do now.

    Args:
        zone: Whose local time is meant; None for this machine's.
        staying: Values that must not leave the wallet.
    """
    start, store = entry.trigger.read().start, wallet.store
    if isinstance(start, StartBackup):
        ids = _to_back_up(wallet, zone, staying, delete=start.delete)
    elif isinstance(start, RecoverUsable):
        ids = _becoming_usable(wallet, entry, zone, start.days)
    else:
        ids = suspended_that_fit(store)
    return Work(start, entry.trigger.policy, tuple(ids))


def _to_back_up(
    wallet: Wallet, zone: tzinfo | None, staying: Collection[ValueId], *, delete: bool
) -> list[ValueId]:
    """What the conditions select and is not `safe`, or is to leave."""
    states = {entry.id: entry.state for entry in wallet.store.receipts.entries()}
    return [
        one.summary.id
        for one in select(wallet.store, now=local_time(wallet.now(), zone))
        if one.selected and one.summary.id not in staying
        if delete or states.get(one.summary.receipt_id or "") != "safe"
    ]


def _becoming_usable(wallet: Wallet, entry: TriggerEntry, zone: tzinfo | None, days: int) -> list[ValueId]:
    near = approaching(
        away_in(wallet.store, zone),
        today=local_day(wallet.now(), zone),
        days=days,
        since=local_day(entry.trigger.made_at, zone),
        brought_back=entry.history.brought_back,
    )
    return [ValueId(one.value_id) for one in near]


def away_in(store: WalletStore, zone: tzinfo | None) -> tuple[Away, ...]:
    """Values that are backed up, not in the wallet, and have a first day, in the order registered."""
    found = []
    for summary in map(read_summary, store.receipts.entries()):
        put_away_on = local_day(summary.created_at, zone)
        for one in summary.members:
            first = one.fields.valid_from
            if summary.kind == "value" and first is not None and not store.values.has(one.value_id):
                found.append(Away(one.value_id, first, one.fields.valid_until, put_away_on))
    return tuple(found)


async def do(wallet: Wallet, work: Work, *, way: MakeRoom, zone: tzinfo | None) -> Done:
    """Do it; with nothing to be done, nothing is asked of anybody.

    Args:
        way: How room is made for what becomes usable.
        zone: Whose local time is meant; None for this machine's.

    Raises:
        ValuesStay: Not everything that was to leave could; it is backed up.
        As `put_away` and `recover_in_room`.
    """
    if isinstance(work.start, StartBackup):
        return await _back_up(wallet, work, delete=work.start.delete)
    if isinstance(work.start, RecoverUsable):
        recovery = await recover_in_room(wallet, work.ids, ways=(way,), zone=zone)
        return Done(recovery=recovery, brought_back=work.ids)
    return Done(recovery=await recover_suspended(wallet, zone=zone))


async def _back_up(wallet: Wallet, work: Work, *, delete: bool) -> Done:
    done = await put_away(wallet, work.ids, delete=delete, policy_name=work.policy)
    if done.staying:
        raise ValuesStay(len(done.staying))
    return Done(done)


async def still_kept(wallet: Wallet, value_ids: Sequence[str]) -> list[str]:
    """Those of these values that have a receipt: what is remembered never outgrows the receipts."""
    entries = await asyncio.to_thread(wallet.store.receipts.entries)
    known = {value_id for entry in entries for value_id in entry.value_ids}
    return [one for one in value_ids if one in known]
