"""Old generations that stand until the next one was read back from all its safes.

Their receipts wait in the journal. Each goes with its tombstones in one transaction, so that a stop anywhere
leaves either both generations readable, or the new one.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby

from trust.documents import SigningKey
from trust.ids import SafeId
from wallet_client.network.failures import SafeFailure
from wallet_client.operations.deletion import owe_deletion
from wallet_client.operations.gather import Gatherer
from wallet_client.operations.progress import Meter, silent
from wallet_client.operations.receipt_batch import group_by_batch
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.receipt import Receipt, ReceiptId
from wallet_client.receipts.shelf import get_receipt
from wallet_client.wallet import Wallet

SUPERSEDED = "superseded"
"""Kind of these entries of the journal."""


def keep_superseded(wallet: Wallet, receipts: Iterable[Receipt]) -> None:
    """Write down what goes later, unless it stands there; call it inside a transaction."""
    written = {entry.id for entry in wallet.store.journal.entries()}
    for receipt in receipts:
        leaf = receipt.read_leaf()
        name = f"{leaf.item_id.hex()}-{leaf.generation}-{SUPERSEDED}"
        if name not in written:
            written.add(name)
            wallet.store.journal.put(name, SUPERSEDED, receipt.to_bytes(), step="registered")


def bury_superseded(
    wallet: Wallet, receipt_ids: Collection[ReceiptId], owner: SigningKey | None = None
) -> None:
    """Owe the deletion of what stands of items that are deleted; call it inside a transaction.

    Args:
        wallet: Whose.
        receipt_ids: Of the items.
        owner: Secret: as `finish_superseded` has it.
    """
    old = [one for one in _waiting(wallet) if one.receipt.receipt_id in receipt_ids]
    if old:
        _owe(wallet, old, owner)


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of it.

    Args:
        gone: Old generations whose tombstones are owed now.
        waiting: Those that stand, since the new one was not read back everywhere.
        failed: Why, by safe.
    """

    gone: int
    waiting: int
    failed: Mapping[SafeId, SafeFailure]


@dataclass(frozen=True, slots=True)
class _Old:
    """An old generation, its entry in the journal, and what stands in its place; None where nothing does."""

    entry_id: str
    receipt: Receipt
    successor: Receipt | None


async def finish_superseded(wallet: Wallet, owner: SigningKey | None = None) -> Finished:
    """Read the new generations back, and have the old ones deleted; call it inside `changing`.

    Args:
        wallet: Whose.
        owner: Secret: signs the tombstones in the place of the wallet's key, so that `deliver` with the same
            key has them erased at once.
    """
    waiting = await asyncio.to_thread(_waiting, wallet)
    gone, failed = 0, dict[SafeId, SafeFailure]()
    for group in _by_successor(waiting):
        wrong = await _read_back(wallet, [one.successor for one in group if one.successor is not None])
        failed |= wrong
        if not wrong:
            await to_the_end(_bury, wallet, group, owner)
            gone += len(group)
    return Finished(gone, len(waiting) - gone, failed)


def _waiting(wallet: Wallet) -> list[_Old]:
    entries = [entry.id for entry in wallet.store.journal.entries() if entry.kind == SUPERSEDED]
    old = [(one, Receipt.from_bytes(wallet.store.journal.body(one))) for one in entries]
    return [_Old(entry_id, receipt, _successor(wallet, receipt.receipt_id)) for entry_id, receipt in old]


def _successor(wallet: Wallet, receipt_id: ReceiptId) -> Receipt | None:
    try:
        return get_receipt(wallet.store, receipt_id)
    except UnknownReceipt:
        return None


def _by_successor(waiting: Sequence[_Old]) -> list[list[_Old]]:
    def manifest(one: _Old) -> bytes:
        return one.successor.manifest if one.successor else b""

    return [list(group) for _, group in groupby(sorted(waiting, key=manifest), manifest)]


async def _read_back(wallet: Wallet, receipts: Sequence[Receipt]) -> dict[SafeId, SafeFailure]:
    """What is wrong with the new generations, by safe: each piece is fetched from each safe, and checked."""
    failed: dict[SafeId, SafeFailure] = {}
    for batch in await asyncio.to_thread(group_by_batch, receipts):
        with ExitStack() as files:
            meter = Meter("read back", silent, total=batch.total_bytes)
            _, wrong = await Gatherer(wallet, batch, files, meter).gather_all()
        failed |= wrong
    return failed


def _bury(wallet: Wallet, group: Sequence[_Old], owner: SigningKey | None) -> None:
    with wallet.store.transaction():
        _owe(wallet, group, owner)


def _owe(wallet: Wallet, group: Sequence[_Old], owner: SigningKey | None) -> None:
    owe_deletion(wallet, [one.receipt for one in group], owner)
    for one in group:
        wallet.store.journal.delete(one.entry_id)
