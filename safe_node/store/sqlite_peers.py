"""PeerStore on the SQLite file of a SafeStore: its readers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from safe_node.accounts import Standing
from safe_node.records import ItemName, PieceName
from safe_node.repairs import InventoryPage, OwnBatch, SharePart, ShownBatch, Word
from safe_node.store import peer_rows
from safe_node.store.erasing import Reader
from safe_node.store.peers_base import PlacesThere
from trust.ids import Hash, OwnerKey, WalletKey


class SqlitePeers:
    """See safe_node.store.peers_base.PeerStore for what it promises."""

    def __init__(self, read: Reader) -> None:
        """Share the store's readers; use `SqliteStore.peers`."""
        self._read = read

    async def inventory(self, after: int, places: PlacesThere) -> InventoryPage:
        """One page of the batches that place something at a peer."""
        return await self._read(partial(peer_rows.inventory, after=after, places=places))

    async def shown_batch(self, manifest_hash: Hash) -> ShownBatch | None:
        """The documents of a batch."""
        return await self._read(partial(peer_rows.shown_batch, manifest_hash=manifest_hash))

    async def value_part(
        self, manifest_hash: Hash, x: int, leaf_indices: Sequence[int], start: int, length: int
    ) -> SharePart:
        """Part of the blobs at one index."""
        return await self._read(
            partial(
                peer_rows.value_part,
                manifest_hash=manifest_hash,
                x=x,
                leaf_indices=leaf_indices,
                start=start,
                length=length,
            )
        )

    async def key_part(self, manifest_hash: Hash, x: int) -> SharePart:
        """The batch's key share at one index."""
        return await self._read(partial(peer_rows.key_part, manifest_hash=manifest_hash, x=x))

    async def own_batch(self, manifest_hash: Hash) -> OwnBatch:
        """What this safe keeps of a batch."""
        return await self._read(partial(peer_rows.own_batch, manifest_hash=manifest_hash))

    async def buried(
        self, wallet_key: WalletKey, owner_key: OwnerKey | None, items: Collection[ItemName]
    ) -> frozenset[ItemName]:
        """Which items have a tombstone here."""
        return await self._read(
            partial(peer_rows.buried, wallet_key=wallet_key, owner_key=owner_key, items=items)
        )

    async def words(self) -> tuple[Word, ...]:
        """Every word this safe keeps."""
        return await self._read(peer_rows.words)

    async def certificates(self, caller: Standing, names: Sequence[PieceName]) -> list[bytes | None]:
        """The certificates of the caller's pieces."""
        return await self._read(partial(peer_rows.certificates, caller=caller, names=names))
