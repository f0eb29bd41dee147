"""Catalogue: all that this safe knows of an owner, as a stream: wallets, batches, tombstones, revivals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from kura.safe.v1 import owner_pb2 as pb
from kura.safe.v1 import safe_pb2
from safe_node.accounts import KeptBatch
from safe_node.handlers.owner_converters import write_wallet
from safe_node.handlers.safe import Safe
from trust.ids import OwnerKey


async def catalogue(safe: Safe, account: OwnerKey) -> AsyncIterator[pb.CatalogueResponse]:
    """Tell everything; what is registered or deleted meanwhile may or may not be in it."""
    store = safe.store.owners
    for wallet in await store.wallets(account):
        yield pb.CatalogueResponse(wallet=write_wallet(wallet))
    for batch_id in await store.batch_ids(account):
        for batch in await store.kept_batch(batch_id):
            yield pb.CatalogueResponse(batch=await asyncio.to_thread(_write, safe, batch))
    for tombstone, signature in await store.tombstones(account):
        signed = safe_pb2.SignedTombstone(tombstone=tombstone, signature=signature)
        yield pb.CatalogueResponse(tombstone=signed)
    for revival, signature in await store.revivals(account):
        yield pb.CatalogueResponse(revival=pb.SignedRevival(revival=revival, signature=signature))


def _write(safe: Safe, batch: KeptBatch) -> pb.CatalogueBatch:
    return pb.CatalogueBatch(
        manifest=batch.manifest,
        manifest_signature=batch.signature,
        leaf_hashes=batch.leaf_hashes,
        pieces=[
            pb.CataloguePiece(leaf_index=piece.leaf_index, leaf=piece.leaf, certificate=piece.certificate)
            for piece in batch.pieces
        ],
        signature=safe.sign([piece.certificate for piece in batch.pieces]),
    )
