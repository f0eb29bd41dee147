"""What is owed to a safe: written down in one transaction with its cause, delivered in order.

A safe must get a parcel before the tombstones that follow it, else it would refuse the rest of that
parcel; so all that is owed to one safe is one queue. An unreachable safe keeps its queue until the
next delivery.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from rpc_edge.errors import UnexpectedStatus
from trust import refusals
from trust.certificate import SignedCertificate
from trust.ids import ItemId, SafeId, Signature, WalletKey
from trust.manifest import MAX_ITEMS, ItemLeaf, Manifest
from trust.piece import block_hashes
from trust.refusals import ItemDeleted
from trust.tombstone import Tombstone, sign_tombstone
from wallet_client.errors import UnknownReceipt
from wallet_client.network.failures import SafeFailure, is_failure_of_safe
from wallet_client.network.fan_out import fan_out
from wallet_client.operations.journal import (
    Owed,
    OwedParcel,
    OwedPiece,
    OwedTombstones,
    read_entry,
    write_entry,
)
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.pipeline.batch import expected_certificate
from wallet_client.pipeline.parcel import CHUNK_BYTES, Parcel, ParcelPiece, StreamedBlob
from wallet_client.policies.policy import Arrangement
from wallet_client.receipts.receipt import Receipt, receipt_id_of
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.wallet import Wallet

_Generation: TypeAlias = tuple[ItemId, int]

_FOR_NOW = (
    refusals.StorageFull,
    refusals.QuotaExceeded,
    refusals.RosterUnknown,
    refusals.InternalError,
    UnexpectedStatus,
)
"""The safe may take this entry another time."""

_FOR_GOOD = (
    refusals.PieceConflict,
    refusals.ManifestInvalid,
    refusals.PieceMismatch,
    refusals.KeyShareMismatch,
    refusals.NotPlacedHere,
    refusals.NotYourItem,
    refusals.Malformed,
    refusals.CallTooLarge,
    refusals.PieceNeedsStream,
)
"""The safe will never take this entry; it stays to be seen until its item is deleted."""


def owe_parcel(wallet: Wallet, cause: str, parcel: Parcel, chunks: Callable[[int], Iterator[bytes]]) -> None:
    """Write down a parcel for a safe that did not take it; call it inside a transaction."""
    pieces = tuple(OwedPiece(one.leaf_index, one.x, one.blob) for one in parcel.pieces)
    body = OwedParcel(parcel.manifest, parcel.signature, parcel.leaves, pieces, parcel.key_shares).to_bytes()
    blob = chunks(parcel.streamed.x) if parcel.streamed else ()
    wallet.store.outbox.put(cause, parcel.safe_id, write_entry(Owed("parcel", body), blob))


def owe_deletion(wallet: Wallet, receipts: Iterable[Receipt]) -> None:
    """Write down the deletion of what receipts stand for, in few messages; call it inside a transaction."""
    placements: dict[bytes, tuple[SafeId, ...]] = {}
    groups: defaultdict[tuple[SafeId, ...], list[_Generation]] = defaultdict(list)
    for receipt in receipts:
        if receipt.manifest not in placements:
            manifest = receipt.read_manifest()
            placements[receipt.manifest] = Arrangement(manifest.terms, manifest.placement).safes
        leaf = receipt.read_leaf()
        groups[placements[receipt.manifest]].append((leaf.item_id, leaf.generation))
    for safes, items in groups.items():
        owe_tombstones(wallet, safes, items)


def owe_tombstones(wallet: Wallet, safes: Iterable[SafeId], items: Sequence[_Generation]) -> None:
    """Write down the deletion of items' generations at safes; call it inside a transaction."""
    bodies = {}
    for start in range(0, len(items), MAX_ITEMS):
        part = items[start : start + MAX_ITEMS]
        cause = f"{part[0][0].hex()}-{part[0][1]}-deleted"
        bodies[cause] = OwedTombstones(tuple(_signed_tombstone(wallet, *item) for item in part)).to_bytes()
    for safe_id in safes:
        for cause, body in bodies.items():
            wallet.store.outbox.put(cause, safe_id, write_entry(Owed("tombstones", body)))


def _signed_tombstone(wallet: Wallet, item_id: ItemId, generation: int) -> tuple[bytes, Signature]:
    tombstone = Tombstone(WalletKey(wallet.keys.signing.public), item_id, generation, wallet.now())
    return sign_tombstone(tombstone, wallet.keys.signing)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery came to.

    Args:
        entries: How many entries were delivered.
        failed: What went wrong, by safe; whatever it did not get waits on.
    """

    entries: int
    failed: dict[SafeId, SafeFailure]


@dataclass(slots=True)
class _Served:
    """What came of one safe's queue.

    Args:
        entries: How many entries it took.
        failure: The last that went wrong.
        held: What it will not take yet: nothing later of the same may overtake it.
    """

    entries: int = 0
    failure: SafeFailure | None = None
    held: set[_Generation] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a safe's queue.

    Args:
        cause: The operation or deletion it belongs to.
        owed: What it says.
        blob: Secret: of a streamed piece; else empty.
    """

    cause: str
    owed: Owed
    blob: memoryview = field(repr=False)


async def deliver(wallet: Wallet, only: Iterable[SafeId] | None = None) -> Delivered:
    """Deliver what is owed, to all safes at once and to each in order; nothing is lost if it fails.

    A safe that cannot be reached ends its queue. An entry that a safe refuses waits on, and what has
    nothing to do with it goes on: a full safe must get the tombstones that make room.

    Args:
        only: Safes to be served; None for all to which something is owed.
    """
    owed = {SafeId(entry.safe_id) for entry in await asyncio.to_thread(wallet.store.outbox.entries)}
    safes = owed if only is None else owed & set(only)
    answers = await fan_out({safe_id: partial(_serve, wallet, safe_id) for safe_id in safes})
    failed = {safe_id: one.failure for safe_id, one in answers.good.items() if one.failure is not None}
    return Delivered(sum(one.entries for one in answers.good.values()), answers.failed | failed)


async def _serve(wallet: Wallet, safe_id: SafeId) -> _Served:
    """One safe's queue; tasks that want to serve the same safe take turns, so nothing goes twice."""
    served = _Served()
    async with wallet.turns[safe_id]:
        for entry in await asyncio.to_thread(wallet.store.outbox.entries, safe_id=safe_id):
            message = await asyncio.to_thread(wallet.store.outbox.get, entry.owner_id, safe_id)
            if not await _serve_one(wallet, safe_id, _Entry(entry.owner_id, *read_entry(message)), served):
                break
    return served


async def _serve_one(wallet: Wallet, safe_id: SafeId, entry: _Entry, served: _Served) -> bool:
    """Deliver one entry unless it must wait; whether the next one may be tried."""
    if served.held and not served.held.isdisjoint(_concerned(entry.owed)):
        return True
    try:
        await _DELIVERERS[entry.owed.kind](wallet, safe_id, entry)
    except Exception as error:
        if not is_failure_of_safe(error):
            raise
        served.failure = error
        if isinstance(error, _FOR_NOW):
            served.held |= _concerned(entry.owed)
        return isinstance(error, _FOR_NOW + _FOR_GOOD)
    served.entries += 1
    return True


def _concerned(owed: Owed) -> set[_Generation]:
    """What an entry is about."""
    if owed.kind == "parcel":
        leaves = [ItemLeaf.from_bytes(leaf) for leaf in OwedParcel.from_bytes(owed.body).leaves]
        return {(leaf.item_id, leaf.generation) for leaf in leaves}
    dead = [Tombstone.from_bytes(body) for body, _ in OwedTombstones.from_bytes(owed.body).tombstones]
    return {(tombstone.item_id, tombstone.generation) for tombstone in dead}


async def _deliver_parcel(wallet: Wallet, safe_id: SafeId, entry: _Entry) -> None:
    parcel, leaves = await asyncio.to_thread(_unpack, safe_id, entry)
    link = wallet.links.to(safe_id)
    try:
        if parcel.streamed is not None:
            signed = await link.register_stream(parcel, _chunks(entry.blob))
        else:
            signed = await link.register(parcel)
    except ItemDeleted:
        signed = ()
    await to_the_end(_keep_certificates, wallet, safe_id, entry.cause, parcel, leaves, signed)


def _unpack(safe_id: SafeId, entry: _Entry) -> tuple[Parcel, list[ItemLeaf]]:
    """The parcel as it was, and its leaves."""
    owed = OwedParcel.from_bytes(entry.owed.body)
    manifest = Manifest.from_bytes(owed.manifest)
    places = {place.x: place for place in manifest.placement}
    leaves = [ItemLeaf.from_bytes(leaf) for leaf in owed.leaves]
    pieces = tuple(
        ParcelPiece(
            one.leaf_index, one.blob, expected_certificate(manifest, leaves[one.leaf_index], places[one.x])
        )
        for one in owed.pieces
    )
    streamed = _streamed(pieces[0].x, entry.blob) if entry.blob else None
    parcel = Parcel(safe_id, owed.manifest, owed.signature, owed.leaves, pieces, owed.key_shares, streamed)
    return parcel, leaves


def _streamed(x: int, blob: memoryview) -> StreamedBlob:
    hashes = tuple(one for chunk in _chunks(blob) for one in block_hashes(chunk))
    return StreamedBlob(x, len(blob), hashes)


def _chunks(blob: memoryview) -> Iterator[bytes]:
    """The blob in messages, each copied as it goes."""
    return (bytes(blob[start : start + CHUNK_BYTES]) for start in range(0, len(blob), CHUNK_BYTES))


def _keep_certificates(
    wallet: Wallet,
    safe_id: SafeId,
    cause: str,
    parcel: Parcel,
    leaves: list[ItemLeaf],
    signed: tuple[SignedCertificate, ...],
) -> None:
    with wallet.store.transaction():
        for piece, one in zip(parcel.pieces, signed, strict=False):
            _add_certificate(wallet, leaves[piece.leaf_index], one)
        wallet.store.outbox.delete(cause, safe_id)


def _add_certificate(wallet: Wallet, leaf: ItemLeaf, signed: SignedCertificate) -> None:
    try:
        receipt = get_receipt(wallet.store, receipt_id_of(leaf.item_id))
    except UnknownReceipt:
        return  # deleted meanwhile; its tombstone follows in this queue
    if receipt.read_leaf() == leaf:
        update_receipt(wallet.store, receipt.with_certificates((signed,)))


async def _deliver_tombstones(wallet: Wallet, safe_id: SafeId, entry: _Entry) -> None:
    link = wallet.links.to(safe_id)
    tombstones = OwedTombstones.from_bytes(entry.owed.body).tombstones
    for outcome in await link.delete(tombstones):
        if isinstance(outcome, Exception):
            raise outcome
    await to_the_end(wallet.store.outbox.delete, entry.cause, safe_id)


_DELIVERERS: dict[str, Callable[[Wallet, SafeId, _Entry], Awaitable[None]]] = {
    "parcel": _deliver_parcel,
    "tombstones": _deliver_tombstones,
}
