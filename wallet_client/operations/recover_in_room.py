"""Recover into a wallet that may be too small: what fits comes back at once, the rest is suspended.

A suspended recovery is a row in the wallet. It goes on when the same command is said again, by
`kura recover --suspended`, or by a trigger that starts `recover suspended`; then its row goes. Values come
back in the order asked for; one that does not fit holds up none behind it that does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import partial

from trust.manifest import Manifest
from wallet_client.errors import WalletError
from wallet_client.operations.look_again import UNOPENED, as_wallet_error
from wallet_client.operations.progress import Progress, silent
from wallet_client.operations.put_away import PutAway
from wallet_client.operations.recover import RecoveryReport, recover
from wallet_client.operations.room import MakeRoom, RoomShort, local_time, make_room, room_short
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.operations.wallet_keys import KeyFinder
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.receipt import ReceiptId
from wallet_client.receipts.shelf import get_receipt, read_summary
from wallet_client.storage.errors import WalletFull
from wallet_client.storage.store import WalletStore
from wallet_client.storage.suspended import Suspension
from wallet_client.values.value import ValueId
from wallet_client.wallet import Wallet


@dataclass(frozen=True, slots=True)
class RoomyRecovery:
    """What a recovery came to.

    Args:
        report: What came back.
        moved: What left to make room.
        suspended: Values that wait for room.
        shortage: What would help them; None where nothing waits.
        left: Items that were suspended and did not come back although there is room, and why; they stay so.
    """

    report: RecoveryReport = field(default_factory=lambda: RecoveryReport((), (), {}))
    moved: tuple[PutAway, ...] = ()
    suspended: tuple[ValueId, ...] = ()
    shortage: RoomShort | None = None
    left: Mapping[ReceiptId, WalletError] = field(default_factory=dict)


async def recover_in_room(
    wallet: Wallet,
    value_ids: Sequence[ValueId],
    *,
    delete_receipts: bool | None = False,
    ways: Sequence[MakeRoom] = (),
    zone: tzinfo | None = None,
    progress: Progress = silent,
) -> RoomyRecovery:
    """Bring back what fits, after making room if there are ways to, and suspend the rest.

    Args:
        wallet: Where to.
        value_ids: Values that have receipts.
        delete_receipts: As `operations.recover.recover` has it.
        ways: How to make room, in order.
        zone: Whose days the conditions count; None for this machine's.

    Raises:
        UnknownReceipt: A value has none; nothing was done.
        TooFewSafes: As `operations.recover.recover`; what did not fit is suspended all the same.
        WalletBusy: Another process is changing the wallet.
    """
    wanted = await asyncio.to_thread(_wanted, wallet.store, value_ids)
    # Values that are asked for and are here must not leave to make room for the others.
    moved = await make_room(wallet, sum(one.needed for one in wanted), ways, {one.value_id for one in wanted})
    fitting = await asyncio.to_thread(_fitting, wallet.store, wanted)
    rest = [one for one in wanted if one not in fitting]
    await to_the_end(_suspend, wallet, rest, delete_receipts)
    try:
        report = await recover(
            wallet,
            [one.receipt_id for one in fitting],
            only={one.value_id for one in fitting},
            delete_receipts=delete_receipts,
            progress=progress,
        )
    except WalletFull:
        # Somebody else took the room meanwhile.
        await to_the_end(_suspend, wallet, fitting, delete_receipts)
        fitting, rest, report = [], wanted, RecoveryReport((), (), {})
    await to_the_end(_finish, wallet, fitting)
    whole = RoomyRecovery(report, moved, tuple(one.value_id for one in rest))
    return await asyncio.to_thread(_with_shortage, wallet, whole, zone)


async def recover_suspended(
    wallet: Wallet,
    *,
    ways: Sequence[MakeRoom] = (),
    zone: tzinfo | None = None,
    progress: Progress = silent,
) -> RoomyRecovery:
    """Go on with everything that is suspended, as far as it fits; an item that is lost costs no other.

    Raises:
        As `recover_in_room`, where nothing came back.
    """
    entries = await asyncio.to_thread(suspended_in, wallet.store)
    whole = RoomyRecovery()
    for delete in (None, False, True):
        ids = [one.value_id for one in entries if one.delete_receipt is delete]
        if ids:
            way = partial(recover_in_room, delete_receipts=delete, ways=ways, zone=zone, progress=progress)
            whole = _joined(whole, await _as_far_as_it_goes(wallet, ids, way))
    if whole.left and not (whole.report.recovered or whole.report.already):
        raise next(iter(whole.left.values()))
    return await asyncio.to_thread(_with_shortage, wallet, whole, zone)


async def _as_far_as_it_goes(
    wallet: Wallet, ids: Sequence[ValueId], way: Callable[..., Awaitable[RoomyRecovery]]
) -> RoomyRecovery:
    """In one go; where that fails, item by item."""
    try:
        return await way(wallet, ids)
    except UNOPENED as error:
        as_wallet_error(error)
    whole = RoomyRecovery()
    left: dict[ReceiptId, WalletError] = {}
    for receipt_id, value_ids in (await asyncio.to_thread(_by_receipt, wallet.store, ids)).items():
        try:
            whole = _joined(whole, await way(wallet, value_ids))
        except UNOPENED as error:
            left[receipt_id] = as_wallet_error(error)
    return replace(whole, left=left)


def _by_receipt(store: WalletStore, ids: Sequence[ValueId]) -> dict[ReceiptId, list[ValueId]]:
    found: dict[ReceiptId, list[ValueId]] = {}
    for one in _wanted(store, ids):
        found.setdefault(one.receipt_id, []).append(one.value_id)
    return found


def suspended_in(store: WalletStore) -> list[Suspension]:
    """The suspended recoveries whose receipts still are there, in the order suspended."""
    known = {value_id for entry in store.receipts.entries() for value_id in entry.value_ids}
    return [one for one in store.suspended.entries() if one.value_id in known]


def suspended_that_fit(store: WalletStore) -> list[ValueId]:
    """Those that would come back now."""
    waiting = _wanted(store, [one.value_id for one in suspended_in(store)])
    return [one.value_id for one in _fitting(store, waiting)]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What suspended recoveries wait for; each counts once.

    Args:
        for_key: A key of the wallet that is not in it: room brings none of these back.
        for_room: They do not fit.
        for_nothing: They would fit; nobody tried since, or the safes could not give them.
    """

    for_key: int = 0
    for_room: int = 0
    for_nothing: int = 0

    @property
    def total(self) -> int:
        """All that are suspended."""
        return self.for_key + self.for_room + self.for_nothing


def waiting_in(wallet: Wallet) -> Waiting:
    """Why the suspended recoveries are suspended still, as far as the wallet knows by itself."""
    finder = KeyFinder(wallet)
    by_receipt = _by_receipt(wallet.store, [one.value_id for one in suspended_in(wallet.store)])
    locked = {
        value_id
        for receipt_id, value_ids in by_receipt.items()
        if finder.is_away(Manifest.from_bytes(get_receipt(wallet.store, receipt_id).manifest))
        for value_id in value_ids
    }
    others = [one for ids in by_receipt.values() for one in ids if one not in locked]
    fitting = len(_fitting(wallet.store, _wanted(wallet.store, others)))
    return Waiting(len(locked), len(others) - fitting, fitting)


def give_up(store: WalletStore, value_ids: Sequence[ValueId]) -> list[ValueId]:
    """Suspend these recoveries no longer; call it inside a transaction. Gives those that were suspended."""
    return [value_id for value_id in value_ids if store.suspended.discard(value_id)]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A value that is asked for, its receipt, and the bytes it takes; none where it is here."""

    value_id: ValueId
    receipt_id: ReceiptId
    needed: int


def _wanted(store: WalletStore, value_ids: Sequence[ValueId]) -> list[_Wanted]:
    asked = dict.fromkeys(value_ids)
    found: dict[ValueId, _Wanted] = {}
    for entry in store.receipts.entries():
        if asked.keys().isdisjoint(entry.value_ids):
            continue
        summary = read_summary(entry)
        for one in summary.members:
            # Keys take no room.
            takes_none = summary.kind == "key" or store.values.has(one.value_id)
            found[one.value_id] = _Wanted(
                one.value_id, ReceiptId(entry.id), 0 if takes_none else one.size_bytes
            )
    for value_id in asked:
        if value_id not in found:
            raise UnknownReceipt(value_id)
    return [found[value_id] for value_id in asked]


def _fitting(store: WalletStore, wanted: Sequence[_Wanted]) -> list[_Wanted]:
    """Those that fit, each after those before it."""
    free = store.usage().free
    found = []
    for one in wanted:
        if free is None or one.needed <= free:
            found.append(one)
            free = None if free is None else free - one.needed
    return found


def _suspend(wallet: Wallet, rest: Sequence[_Wanted], delete_receipts: bool | None) -> None:
    with wallet.store.transaction():
        for one in rest:
            wallet.store.suspended.put(
                Suspension(value_id=one.value_id, delete_receipt=delete_receipts, since=wallet.now())
            )


def _finish(wallet: Wallet, done: Sequence[_Wanted]) -> None:
    with wallet.store.transaction():
        give_up(wallet.store, [one.value_id for one in done])


def _with_shortage(wallet: Wallet, whole: RoomyRecovery, zone: tzinfo | None) -> RoomyRecovery:
    """With what would help, where something waits."""
    if not whole.suspended:
        return whole
    needed = sum(one.needed for one in _wanted(wallet.store, whole.suspended))
    when = local_time(wallet.now(), zone)
    shortage = room_short(wallet.store, needed, when, whole.moved, len(whole.suspended))
    return replace(whole, shortage=shortage)


def _joined(first: RoomyRecovery, second: RoomyRecovery) -> RoomyRecovery:
    report = RecoveryReport(
        first.report.recovered + second.report.recovered,
        first.report.already + second.report.already,
        {**first.report.failed, **second.report.failed},
        first.report.forgotten + second.report.forgotten,
    )
    return RoomyRecovery(
        report,
        first.moved + second.moved,
        first.suspended + second.suspended,
        left={**first.left, **second.left},
    )
