"""PeerStore on the SQLite file of a SafeStore: its readers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

from safe_node.accounts import Standing
from safe_node.records import ItemName, PieceName
from safe_node.repairs import InventoryPage, OwnBatch, SharePart, ShownBatch, Word
from safe_node.store import peer_rows
from safe_node.store.erasing import Reader
from safe_node.store.peers_base import PlacesThere
from trust.ids import Hash, OwnerKey, WalletKey
from trust.wallet_refusals import StoredPieceDamaged


class SqlitePeers:
    """See safe_node.store.peers_base.PeerStore for what it promises."""

    def __init__(self, read: Reader, damaged: set[Hash]) -> None:
        """Share the store's readers and the batches in which somebody met damage; use `SqliteStore.peers`."""
        self._read = read
        self._damaged = damaged

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
        read = partial(peer_rows.value_part, x=x, leaf_indices=leaf_indices, start=start, length=length)
        return await self._part(read, manifest_hash)

    async def key_part(self, manifest_hash: Hash, x: int) -> SharePart:
        """The batch's key share at one index."""
        return await self._part(partial(peer_rows.key_part, x=x), manifest_hash)

    async def _part(self, read: Callable[..., SharePart], manifest_hash: Hash) -> SharePart:
        try:
            return await self._read(partial(read, manifest_hash=manifest_hash))
        except StoredPieceDamaged:
            self._damaged.add(manifest_hash)
            raise

    async def own_batch(self, manifest_hash: Hash) -> OwnBatch:
        """What this safe keeps of a batch."""
        own = await self._read(partial(peer_rows.own_batch, manifest_hash=manifest_hash))
        if manifest_hash not in self._damaged:
            return own
        intact = await self._read(partial(peer_rows.own_batch, manifest_hash=manifest_hash, intact=True))
        if intact == own:
            self._damaged.discard(manifest_hash)
        return intact

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
