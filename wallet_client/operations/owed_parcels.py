"""Parcels that a safe is still to get: written down whole when it did not take them, sent as they were."""

import asyncio
from collections.abc import Callable, Iterator

from trust.certificate import SignedCertificate
from trust.ids import SafeId
from trust.manifest import ItemLeaf, Manifest
from trust.piece import block_hashes
from trust.wallet_refusals import ItemDeleted
from wallet_client.operations.journal import Owed, OwedParcel, OwedPiece, write_entry
from wallet_client.operations.uninterrupted import to_the_end
from wallet_client.pipeline.batch import expected_certificate
from wallet_client.pipeline.parcel import CHUNK_BYTES, Parcel, ParcelPiece, StreamedBlob
from wallet_client.receipts.errors import UnknownReceipt
from wallet_client.receipts.receipt import receipt_id_of
from wallet_client.receipts.shelf import get_receipt, update_receipt
from wallet_client.wallet import Wallet


def owe_parcel(wallet: Wallet, cause: str, parcel: Parcel, chunks: Callable[[int], Iterator[bytes]]) -> None:
    """Write down a parcel for a safe that did not take it; call it inside a transaction."""
    pieces = tuple(OwedPiece(one.leaf_index, one.x, one.blob) for one in parcel.pieces)
    body = OwedParcel(parcel.manifest, parcel.signature, parcel.leaves, pieces, parcel.key_shares).to_bytes()
    blob = chunks(parcel.streamed.x) if parcel.streamed else ()
    wallet.store.outbox.put(cause, parcel.safe_id, write_entry(Owed("parcel", body), blob))


async def deliver_parcel(
    wallet: Wallet, safe_id: SafeId, cause: str, owed: OwedParcel, blob: memoryview
) -> None:
    """Send it, and keep the certificates; what was deleted meanwhile needs none.

    Args:
        cause: The operation it belongs to.
        owed: What the safe is to get.
        blob: Secret: of a streamed piece; else empty.

    Raises:
        SafeFailure: The safe did not take it; it is still owed.
    """
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
