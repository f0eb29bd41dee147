"""A safe that answers wrongly: the real program, the real database, and a store that lies when it gives out.

python -m support.lying_safe --lie flip-bit --config FILE

flip-bit        one bit of each blob differs (of the key share where there is no blob)
other-item      the blob of another item, where it keeps one
old-generation  the blob of an earlier generation, which it also keeps when told to delete it
swap-key-share  another batch's key share, where it keeps one
garbage         random bytes of the right length
slow            no answer to Fetch for --seconds
other-digest    certifies another digest than it was given, over its good signature
as-told         whatever the file named by --file says when asked: one of these, or honest
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from msgspec import structs

from durable import sqlite
from safe_node.config import load_settings
from safe_node.deletions import AdmittedTombstone, Burial
from safe_node.records import AdmittedBatch, Presented, RegistrationPlan, ReleasedPiece
from safe_node.server import serve
from safe_node.store.base import (
    JudgeFetch,
    JudgeStream,
    PlanDeletion,
    PlanRegistration,
    SafeStore,
    StreamedPiece,
    Upload,
)
from safe_node.store.owners_base import OwnerStore
from safe_node.store.peers_base import PeerStore
from safe_node.store.sqlite_store import DATABASE_NAME
from trust.certificate import Certificate
from trust.digest import Digest
from trust.ids import WalletKey
from trust.refusals import Refusal

LIES = ("flip-bit", "other-item", "old-generation", "swap-key-share", "garbage", "slow")
OTHER_DIGEST = "other-digest"
HONEST = "honest"
AS_TOLD = "as-told"
_OTHER_ITEM = "SELECT content FROM pieces WHERE content IS NOT NULL AND item_id != ? ORDER BY id LIMIT 1"
_OLD = """SELECT content FROM pieces WHERE content IS NOT NULL AND item_id = ? AND generation < ?
    ORDER BY generation DESC LIMIT 1"""
_ALL_OF_ITEM = "SELECT content FROM pieces WHERE content IS NOT NULL AND item_id = ? AND generation = ?"
_OTHER_SHARE = "SELECT share FROM key_shares WHERE share != ? ORDER BY id LIMIT 1"


@dataclass
class LyingStore:
    """Takes in honestly, gives out as `lie` says.

    Args:
        store: The honest one.
        database: Its file, to find something wrong to give out.
        told: Says which lie it is now: one of LIES, or HONEST.
        seconds: How slow.
    """

    store: SafeStore
    database: Path
    told: Callable[[], str]
    seconds: float

    def __post_init__(self) -> None:
        self._kept: dict[bytes, bytes] = {}

    @property
    def owners(self) -> OwnerStore:
        """Honest."""
        return self.store.owners

    @property
    def peers(self) -> PeerStore:
        """Honest."""
        return self.store.peers

    @property
    def lie(self) -> str:
        """The lie of the moment."""
        return self.told()

    async def register(
        self, batches: Sequence[AdmittedBatch], plan: PlanRegistration
    ) -> list[tuple[bytes, ...] | Refusal]:
        """Keeps all of it, and may certify something else."""
        honest = await self.store.register(batches, plan)
        if self.lie != OTHER_DIGEST:
            return honest
        return [
            outcome if isinstance(outcome, Refusal) else tuple(map(_with_other_digest, outcome))
            for outcome in honest
        ]

    async def preview(self, batch: AdmittedBatch, plan: PlanRegistration) -> RegistrationPlan:
        """Honest."""
        return await self.store.preview(batch, plan)

    async def begin_upload(self, wallet_key: WalletKey, length: int, bytes_per_wallet: int) -> Upload:
        """Honest."""
        return await self.store.begin_upload(wallet_key, length, bytes_per_wallet)

    async def fetch(
        self, presented: Sequence[Presented], judge: JudgeFetch, budget_bytes: int
    ) -> list[ReleasedPiece | Refusal]:
        """Lies about every piece it gives out."""
        if self.lie == "slow":
            await asyncio.sleep(self.seconds)
        honest = await self.store.fetch(presented, judge, budget_bytes)
        return [
            outcome if isinstance(outcome, Refusal) else self._lie(shown, outcome)
            for shown, outcome in zip(presented, honest, strict=True)
        ]

    async def stream(self, presented: Presented, judge: JudgeStream) -> StreamedPiece:
        """Lies about the bytes, not about the block hashes."""
        if self.lie == "slow":
            await asyncio.sleep(self.seconds)
        honest = await self.store.stream(presented, judge)
        if self.lie in {"slow", OTHER_DIGEST, HONEST}:
            return honest
        head = self._lie(presented, honest.head) if honest.head.key_share else honest.head
        return replace(honest, head=replace(head, blob=None), chunks=self._changed(honest.chunks))

    async def delete(
        self, tombstones: Sequence[AdmittedTombstone], plan: PlanDeletion
    ) -> list[Burial | Refusal]:
        """Gives receipts, but remembers what it should have forgotten."""
        if self.lie == "old-generation":
            for doomed in tombstones:
                blob = self._find(_ALL_OF_ITEM, doomed.item_id, doomed.generation)
                if blob is not None:
                    self._kept[doomed.item_id] = blob
        return await self.store.delete(tombstones, plan)

    async def erase_due(self, now: int) -> int:
        """Honest."""
        return await self.store.erase_due(now)

    async def close(self) -> None:
        """Honest."""
        await self.store.close()

    def _lie(self, shown: Presented, piece: ReleasedPiece) -> ReleasedPiece:
        if self.lie in {"slow", OTHER_DIGEST, HONEST}:
            return piece
        if self.lie == "swap-key-share" and piece.key_share is not None:
            other = self._find(_OTHER_SHARE, piece.key_share)
            return replace(piece, key_share=other or _flip(piece.key_share))
        if self.lie == "garbage":
            return ReleasedPiece(_garbage(piece.blob), _garbage(piece.key_share))
        if piece.blob is None:
            return replace(piece, key_share=_flip(piece.key_share or b""))
        return replace(piece, blob=self._other_blob(shown) or _flip(piece.blob))

    def _other_blob(self, shown: Presented) -> bytes | None:
        item, generation = shown.certificate.item_id, shown.certificate.generation
        if self.lie == "other-item":
            return self._find(_OTHER_ITEM, item)
        if self.lie == "old-generation":
            return self._find(_OLD, item, generation) or self._kept.get(item)
        return None

    def _find(self, query: str, *arguments: object) -> bytes | None:
        connection = sqlite.open_reader(self.database)
        try:
            row = connection.execute(query, arguments).fetchone()
        finally:
            connection.close()
        return None if row is None else bytes(row[0])

    async def _changed(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield os.urandom(len(chunk)) if self.lie == "garbage" else _flip(chunk)


def _with_other_digest(certificate: bytes) -> bytes:
    return structs.replace(Certificate.from_bytes(certificate), digest=Digest("vacant")).to_bytes()


def _flip(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1]) if content else content


def _garbage(content: bytes | None) -> bytes | None:
    return None if content is None else os.urandom(len(content))


def main() -> None:
    """Serve, lying."""
    parser: Any = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--lie", choices=(*LIES, OTHER_DIGEST, AS_TOLD), required=True)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--seconds", type=float, default=3600.0)
    words = parser.parse_args()
    settings = load_settings(words.config)
    database = Path(settings.data_dir) / DATABASE_NAME

    def told() -> str:
        return Path(words.file).read_text() if words.lie == AS_TOLD else str(words.lie)

    asyncio.run(serve(settings, lambda store: LyingStore(store, database, told, words.seconds)))


if __name__ == "__main__":
    main()
