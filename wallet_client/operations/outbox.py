"""What is owed to a safe: written down in one transaction with its cause, delivered in order.

A safe must get a parcel before the tombstones that follow it, else it would refuse the rest of that
parcel; so all that is owed to one safe is one queue. An unreachable safe keeps its queue until the
next delivery.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from trust.certificate import SignedCertificate
from trust.ids import ItemId, SafeId, WalletKey
from trust.manifest import ItemLeaf, Manifest
from trust.piece import block_hashes
from trust.refusals import ItemDeleted
from trust.tombstone import Tombstone, sign_tombstone
from wallet_client.errors import UnknownReceipt
from wallet_client.network.failures import SafeFailure
from wallet_client.network.fan_out import Answers, fan_out
from wallet_client.operations.journal import Owed, OwedParcel, OwedPiece, OwedTombstones
from wallet_client.pipeline.batch import expected_certificate
from wallet_client.pipeline.parcel import (
    CHUNK_BYTES,
    STREAMED_ABOVE_BYTES,
    Parcel,
    ParcelPiece,
    StreamedBlob,
)
from wallet_client.pipeline.rechunk import rechunk
from wallet_client.receipts.receipt import receipt_id_of
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.wallet import Wallet


def owe_parcel(wallet: Wallet, cause: str, parcel: Parcel, chunks: Callable[[int], Iterator[bytes]]) -> None:
    """Write down a parcel for a safe that did not take it; call it inside a transaction."""
    blob = b"".join(chunks(parcel.streamed.x)) if parcel.streamed else None
    pieces = tuple(OwedPiece(one.leaf_index, one.x, blob or one.blob) for one in parcel.pieces)
    body = OwedParcel(parcel.manifest, parcel.signature, parcel.leaves, pieces, parcel.key_shares).to_bytes()
    wallet.store.outbox.put(cause, parcel.safe_id, Owed("parcel", body).to_bytes())


def owe_tombstones(wallet: Wallet, safes: Iterable[SafeId], items: Sequence[tuple[ItemId, int]]) -> None:
    """Write down the deletion of items' generations at safes; call it inside a transaction."""
    if not items:
        return
    signed = []
    for item_id, generation in items:
        tombstone = Tombstone(WalletKey(wallet.keys.signing.public), item_id, generation, wallet.now())
        signed.append(sign_tombstone(tombstone, wallet.keys.signing))
    body = OwedTombstones(tuple(signed)).to_bytes()
    cause = f"{items[0][0].hex()}-{items[0][1]}-deleted"
    for safe_id in safes:
        wallet.store.outbox.put(cause, safe_id, Owed("tombstones", body).to_bytes())


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery came to.

    Args:
        entries: How many entries were delivered.
        failed: What went wrong, by safe; the rest of that safe's queue waits.
    """

    entries: int
    failed: dict[SafeId, SafeFailure]


async def deliver(wallet: Wallet, only: Iterable[SafeId] | None = None) -> Delivered:
    """Deliver what is owed, to all safes at once and to each in order; nothing is lost if it fails.

    Args:
        only: Safes to be served; None for all to which something is owed.
    """
    owed = {SafeId(entry.safe_id) for entry in await asyncio.to_thread(wallet.store.outbox.entries)}
    safes = owed if only is None else owed & set(only)
    answers: Answers[int] = await fan_out({safe_id: _queue_of(wallet, safe_id) for safe_id in safes})
    return Delivered(sum(answers.good.values()), answers.failed)


def _queue_of(wallet: Wallet, safe_id: SafeId) -> Callable[[], Awaitable[int]]:
    async def serve() -> int:
        entries = await asyncio.to_thread(wallet.store.outbox.entries, safe_id=safe_id)
        for entry in entries:
            owed = Owed.from_bytes(await asyncio.to_thread(wallet.store.outbox.get, entry.owner_id, safe_id))
            await _DELIVERERS[owed.kind](wallet, safe_id, entry.owner_id, owed.body)
        return len(entries)

    return serve


async def _deliver_parcel(wallet: Wallet, safe_id: SafeId, cause: str, body: bytes) -> None:
    parcel, leaves, blob = await asyncio.to_thread(_unpack, safe_id, OwedParcel.from_bytes(body))
    link = wallet.links.to(safe_id)
    try:
        if blob is not None:
            signed = await link.register_stream(parcel, rechunk((blob,), CHUNK_BYTES))
        else:
            signed = await link.register(parcel)
    except ItemDeleted:
        signed = ()
    await asyncio.to_thread(_keep_certificates, wallet, safe_id, cause, parcel, leaves, signed)


def _unpack(safe_id: SafeId, owed: OwedParcel) -> tuple[Parcel, list[ItemLeaf], bytes | None]:
    """The parcel as it was, and its blob if that is to be streamed."""
    manifest = Manifest.from_bytes(owed.manifest)
    places = {place.x: place for place in manifest.placement}
    leaves = [ItemLeaf.from_bytes(leaf) for leaf in owed.leaves]
    large = next((one for one in owed.pieces if one.blob and len(one.blob) > STREAMED_ABOVE_BYTES), None)
    streamed = None
    if large and large.blob:
        streamed = StreamedBlob(large.x, len(large.blob), tuple(block_hashes(large.blob)))
    pieces = tuple(
        ParcelPiece(
            one.leaf_index,
            None if streamed else one.blob,
            expected_certificate(manifest, leaves[one.leaf_index], places[one.x]),
        )
        for one in owed.pieces
    )
    parcel = Parcel(safe_id, owed.manifest, owed.signature, owed.leaves, pieces, owed.key_shares, streamed)
    return parcel, leaves, large.blob if large else None


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


async def _deliver_tombstones(wallet: Wallet, safe_id: SafeId, cause: str, body: bytes) -> None:
    link = wallet.links.to(safe_id)
    entries = OwedTombstones.from_bytes(body).tombstones
    for outcome in await link.delete(entries):
        if isinstance(outcome, Exception):
            raise outcome
    await asyncio.to_thread(wallet.store.outbox.delete, cause, safe_id)


_DELIVERERS: dict[str, Callable[[Wallet, SafeId, str, bytes], Awaitable[None]]] = {
    "parcel": _deliver_parcel,
    "tombstones": _deliver_tombstones,
}
