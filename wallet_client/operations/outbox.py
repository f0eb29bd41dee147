"""What is owed to a safe: written down in one transaction with its cause, delivered in order.

A safe must get a parcel before the tombstones that follow it, else it would refuse the rest of that
parcel; so all that is owed to one safe is one queue. An unreachable safe keeps its queue until the
next delivery.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from rpc_edge.errors import UnexpectedStatus
from trust import refusals
from trust.certificate import SignedCertificate
from trust.ids import ItemId, SafeId
from trust.manifest import ItemLeaf, Manifest
from trust.piece import block_hashes
from trust.refusals import ItemDeleted
from wallet_client.errors import UnknownReceipt
from wallet_client.network.failures import SafeFailure, is_failure_of_safe
from wallet_client.network.fan_out import fan_out
from wallet_client.operations.deletion import deliver_tombstones
from wallet_client.operations.journal import (
    Owed,
    OwedParcel,
    OwedPiece,
    read_entry,
    write_entry,
)
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.pipeline.batch import expected_certificate
from wallet_client.pipeline.parcel import CHUNK_BYTES, Parcel, ParcelPiece, StreamedBlob
from wallet_client.receipts.deletion import Deletion
from wallet_client.receipts.receipt import receipt_id_of
from wallet_client.receipts.shelf import get_deletion, get_receipt, update_receipt
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
    refusals.DigestMismatch,
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
        content: What the safe is to get.
        blob: Secret: of a streamed piece; else empty.
    """

    cause: str
    content: OwedParcel | Deletion
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
            read = await asyncio.to_thread(_read, wallet, safe_id, entry.owner_id)
            if not await _serve_one(wallet, safe_id, read, served):
                break
    return served


def _read(wallet: Wallet, safe_id: SafeId, cause: str) -> _Entry:
    owed, blob = read_entry(wallet.store.outbox.get(cause, safe_id))
    parcel = OwedParcel.from_bytes(owed.body) if owed.kind == "parcel" else None
    return _Entry(cause, parcel or get_deletion(wallet.store, cause), blob)


async def _serve_one(wallet: Wallet, safe_id: SafeId, entry: _Entry, served: _Served) -> bool:
    """Deliver one entry unless it must wait; whether the next one may be tried."""
    if served.held and not served.held.isdisjoint(_concerned(entry.content)):
        return True
    try:
        if isinstance(entry.content, Deletion):
            await deliver_tombstones(wallet, safe_id, entry.cause, entry.content)
        else:
            await _deliver_parcel(wallet, safe_id, entry.cause, entry.content, entry.blob)
    except Exception as error:
        if not is_failure_of_safe(error):
            raise
        served.failure = error
        if isinstance(error, _FOR_NOW):
            served.held |= _concerned(entry.content)
        return isinstance(error, _FOR_NOW + _FOR_GOOD)
    served.entries += 1
    return True


def _concerned(content: OwedParcel | Deletion) -> set[_Generation]:
    """What an entry is about."""
    if isinstance(content, Deletion):
        dead = [item.read() for item in content.items]
        return {(tombstone.item_id, tombstone.generation) for tombstone in dead}
    leaves = [ItemLeaf.from_bytes(leaf) for leaf in content.leaves]
    return {(leaf.item_id, leaf.generation) for leaf in leaves}


async def _deliver_parcel(
    wallet: Wallet, safe_id: SafeId, cause: str, owed: OwedParcel, blob: memoryview
) -> None:
    parcel, leaves = await asyncio.to_thread(_unpack, safe_id, owed, blob)
    link = wallet.links.to(safe_id)
    try:
        if parcel.streamed is not None:
            signed = await link.register_stream(parcel, _chunks(blob))
        else:
            signed = await link.register(parcel)
    except ItemDeleted:
        signed = ()
    await to_the_end(_keep_certificates, wallet, safe_id, cause, parcel, leaves, signed)


def _unpack(safe_id: SafeId, owed: OwedParcel, blob: memoryview) -> tuple[Parcel, list[ItemLeaf]]:
    """The parcel as it was, and its leaves."""
    manifest = Manifest.from_bytes(owed.manifest)
    places = {place.x: place for place in manifest.placement}
    leaves = [ItemLeaf.from_bytes(leaf) for leaf in owed.leaves]
    pieces = tuple(
        ParcelPiece(
            one.leaf_index, one.blob, expected_certificate(manifest, leaves[one.leaf_index], places[one.x])
        )
        for one in owed.pieces
    )
    streamed = _streamed(pieces[0].x, blob) if blob else None
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
