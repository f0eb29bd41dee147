"""What every store of a safe promises about repair: what peers may see, and what this safe itself lacks.

Nothing here writes: what was rebuilt comes in by `SafeStore.register` or an upload, and words by the methods
that take them from their owners. Pieces that wait to be erased are given to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from safe_node.accounts import Standing
from safe_node.records import ItemName, PieceName
from safe_node.repairs import InventoryPage, OwnBatch, SharePart, ShownBatch, Word
from trust.ids import Hash, OwnerKey, WalletKey

PlacesThere = Callable[[bytes], bool]
"""Whether a manifest, by its exact bytes, places something at the peer that asks."""


class PeerStore(Protocol):
    """What one safe tells its peers, and finds out about itself."""

    async def inventory(self, after: int, places: PlacesThere) -> InventoryPage:
        """One page of the batches that place something at a peer; `after` is 0, or `next` of the last one."""
        ...

    async def shown_batch(self, manifest_hash: Hash) -> ShownBatch | None:
        """The documents of a batch, with the leaves of which a piece is kept; None where none is."""
        ...

    async def value_part(
        self, manifest_hash: Hash, x: int, leaf_indices: Sequence[int], start: int, length: int
    ) -> SharePart:
        """Part of the blobs (Secret) at one index, end to end; what is given was hashed again.

        Raises:
            PieceUnknown: One is not kept, or the part reaches beyond them.
            ItemDeleted: One waits to be erased.
            StoredPieceDamaged: One is no longer what was certified.
        """
        ...

    async def key_part(self, manifest_hash: Hash, x: int) -> SharePart:
        """The batch's key share (Secret) at one index.

        Raises:
            PieceUnknown: It is not kept.
            ItemDeleted: Everything that it belongs to waits to be erased.
            StoredPieceDamaged: It is no longer what was certified.
        """
        ...

    async def own_batch(self, manifest_hash: Hash) -> OwnBatch:
        """All that this safe keeps of a batch, doomed or not, but pieces that somebody met damaged."""
        ...

    async def buried(
        self, wallet_key: WalletKey, owner_key: OwnerKey | None, items: Collection[ItemName]
    ) -> frozenset[ItemName]:
        """Which of these items have a tombstone here that reaches them."""
        ...

    async def words(self) -> tuple[Word, ...]:
        """Every word this safe keeps, in the order in which words are to be believed."""
        ...

    async def certificates(self, caller: Standing, names: Sequence[PieceName]) -> list[bytes | None]:
        """For each name the certificate of the caller's piece, or their owner's; None where there is none."""
        ...
