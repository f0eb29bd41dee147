"""SafeStore on one SQLite file: one writer thread with group commit, two threads that read."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from durable import sqlite
from durable.sqlite import Connection
from durable.writer import WriterThread
from safe_node.decisions.costs import content_length
from safe_node.decisions.retrieval import block_checker
from safe_node.deletions import AdmittedTombstone, Burial
from safe_node.records import (
    AdmittedBatch,
    AnnouncedBlob,
    Presented,
    RegistrationPlan,
    ReleasedPiece,
)
from safe_node.store import blobs
from safe_node.store.base import (
    JudgeFetch,
    JudgeStream,
    PlanDeletion,
    PlanRegistration,
    StreamedPiece,
)
from safe_node.store.damage import mend_large, mend_small
from safe_node.store.deletion import bury
from safe_node.store.erasing import Eraser
from safe_node.store.opening import open_locked
from safe_node.store.registration import load_state, register
from safe_node.store.retrieval import checked_block, cut, fetch_pieces, stream_head
from safe_node.store.sqlite_owners import SqliteOwners
from safe_node.store.sqlite_peers import SqlitePeers
from safe_node.store.wallets import make_wallet
from trust.ids import Hash, SafeId, WalletKey
from trust.refusals import Refusal
from trust.wallet_refusals import StoredPieceDamaged

_Result = TypeVar("_Result")
DATABASE_NAME = "safe.db"
READERS = 2


class SqliteStore:
    """See safe_node.store.base.SafeStore for what it promises."""

    def __init__(self, path: Path, lock: int, writer: WriterThread, connection: Connection) -> None:
        """Take an open, migrated database and the descriptor that locks it; use `open_store`."""
        self._path = path
        self._lock = lock
        self._writer = writer
        self._connection = connection
        self._local = threading.local()
        self._opened: list[Connection] = []
        self._readers = ThreadPoolExecutor(READERS, "kura-reader", self._open_reader)
        self._eraser = Eraser(writer, self._read)
        self._damaged: set[Hash] = set()
        """Batches in which somebody met a damaged piece, and which no look since found whole."""
        self.owners = SqliteOwners(writer, self._read, self._eraser)
        self.peers = SqlitePeers(self._read, self._damaged)

    def _open_reader(self) -> None:
        self._local.connection = sqlite.open_reader(self._path)
        self._opened.append(self._local.connection)

    async def _read(self, run: Callable[[Connection], _Result]) -> _Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: run(self._local.connection))

    async def register(
        self, batches: Sequence[AdmittedBatch], plan: PlanRegistration
    ) -> list[tuple[bytes, ...] | Refusal]:
        """Write batches; give the certificates of each, or why not."""
        weight = sum(content_length(piece.content) for batch in batches for piece in batch.pieces)
        runs = [partial(self._write, batch=batch, plan=plan) for batch in batches]
        outcomes = await self._writer.submit_all(runs, weight)
        return [done if isinstance(done, Refusal) else done.certificates for done in outcomes]

    def _write(
        self, connection: Connection, batch: AdmittedBatch, plan: PlanRegistration
    ) -> RegistrationPlan:
        decided = register(connection, batch, plan)
        if batch.manifest_hash in self._damaged:
            mend_small(connection, batch)
        return decided

    def is_damaged(self, manifest_hash: Hash) -> bool:
        """Whether somebody met a damaged piece of that batch."""
        return manifest_hash in self._damaged

    async def preview(self, batch: AdmittedBatch, plan: PlanRegistration) -> RegistrationPlan:
        """What `register` would write now; raises the plan's refusal."""
        return await self._read(lambda connection: plan(load_state(connection, batch), batch))

    async def begin_upload(self, wallet_key: WalletKey, length: int, bytes_per_wallet: int) -> SqliteUpload:
        """Reserve `length` bytes for a blob."""
        begin = partial(blobs.begin, wallet_key=wallet_key, length=length, bytes_per_wallet=bytes_per_wallet)
        reserving = asyncio.create_task(self._writer.submit(begin))
        try:
            return SqliteUpload(self, self._writer, await asyncio.shield(reserving))
        except asyncio.CancelledError:
            # The caller is gone, and the reservation may stand all the same.
            await asyncio.shield(self._give_back(reserving))
            raise

    async def _give_back(self, reserving: asyncio.Task[int]) -> None:
        with suppress(Refusal):
            await self.erase_blob(await reserving)

    async def fetch(
        self, presented: Sequence[Presented], judge: JudgeFetch, budget_bytes: int
    ) -> list[ReleasedPiece | Refusal]:
        """Look up certificates; give what `judge` releases, or why not."""
        run = partial(fetch_pieces, presented=presented, judge=judge, budget_bytes=budget_bytes)
        return await self._read(partial(run, damaged=self._damaged))

    async def stream(self, presented: Presented, judge: JudgeStream) -> StreamedPiece:
        """Look up one certificate; raises the judge's refusal."""
        run = partial(stream_head, presented=presented, judge=judge, damaged=self._damaged)
        stored, head, blob = await self._read(run)
        if isinstance(stored.content, AnnouncedBlob) and stored.blob_id is not None:
            checker = block_checker(stored.content, presented.certificate.x_hash)
            read = partial(checked_block, presented=presented, blob_id=stored.blob_id, checker=checker)
            return StreamedPiece(head, blob, self._blocks(read, blob.length, stored.manifest_hash))
        return StreamedPiece(head, blob, cut(stored.content if isinstance(stored.content, bytes) else b""))

    async def _blocks(
        self, read: Callable[..., bytes], length: int, manifest_hash: Hash
    ) -> AsyncIterator[bytes]:
        number = sent = 0
        while sent < length:
            try:
                chunk = await self._read(partial(read, number=number))
            except StoredPieceDamaged:
                self._damaged.add(manifest_hash)
                raise
            number, sent = number + 1, sent + len(chunk)
            yield chunk

    async def delete(
        self, tombstones: Sequence[AdmittedTombstone], plan: PlanDeletion
    ) -> list[Burial | Refusal]:
        """Erase what tombstones name, or have it wait; give the burial that stands for each, or why not.

        Goes on to its end when the caller is gone: once a tombstone stands, its blobs are nobody's.
        """
        return await asyncio.shield(self._delete(tombstones, plan))

    async def _delete(
        self, tombstones: Sequence[AdmittedTombstone], plan: PlanDeletion
    ) -> list[Burial | Refusal]:
        runs = [partial(bury, tombstone=tombstone, plan=plan) for tombstone in tombstones]
        outcomes = await self._writer.submit_all(runs, erases=True)
        loose = [blob for done in outcomes if not isinstance(done, Refusal) for blob in done.loose_blobs]
        for blob_id in loose:
            await self._eraser.erase_blob(blob_id)
        return [done if isinstance(done, Refusal) else done.burial for done in outcomes]

    async def erase_blob(self, blob_id: int) -> None:
        """Erase a loose blob, slice by slice, with other writes in between."""
        await self._eraser.erase_blob(blob_id)

    async def erase_loose(self) -> int:
        """Erase what a process that died left behind; gives the number of blobs."""
        return await self._eraser.erase_loose()

    async def erase_due(self, now: int) -> int:
        """Erase every piece that was to be erased by then; gives their number once they are gone."""
        return await self._eraser.erase_due(now)

    async def close(self) -> None:
        """Finish what is queued, then let go of the files."""
        await self._writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        for connection in (*self._opened, self._connection):
            connection.close()
        os.close(self._lock)


class SqliteUpload:
    """See safe_node.store.base.Upload for what it promises."""

    def __init__(self, store: SqliteStore, writer: WriterThread, blob_id: int) -> None:
        """Take a reserved blob; use `SqliteStore.begin_upload`."""
        self._store = store
        self._writer = writer
        self._blob_id = blob_id
        self._blocks = 0
        self._finished = False

    async def write(self, chunk: bytes) -> None:
        """Stage the next chunk (Secret), durably."""
        write = partial(blobs.write_block, blob_id=self._blob_id, number=self._blocks, content=chunk)
        self._blocks += 1
        await self._writer.submit(write, len(chunk))

    async def finish(self, batch: AdmittedBatch, plan: PlanRegistration) -> tuple[bytes, ...]:
        """Register the batch's one piece with the staged chunks as its blob, and give its certificate."""
        decided, replaced = await self._writer.submit(partial(self._attach, batch=batch, plan=plan))
        self._finished = bool(decided.new_pieces)
        if replaced is not None:  # left to `abort`, which erases the damaged blob in the place of this one
            self._blob_id = replaced
        return decided.certificates

    def _attach(
        self, connection: Connection, batch: AdmittedBatch, plan: PlanRegistration
    ) -> tuple[RegistrationPlan, int | None]:
        # No longer loose, so that the plan does not count the blob twice.
        blobs.attach(connection, self._blob_id)
        decided = register(connection, batch, plan, self._blob_id)
        if decided.new_pieces:
            return decided, None
        mends = self._store.is_damaged(batch.manifest_hash)
        replaced = mend_large(connection, batch, self._blob_id) if mends else None
        # Another stream was quicker with the same piece: this copy is left to `abort`, or what it replaced.
        loose = self._blob_id if replaced is None else replaced
        blobs.add_loose(connection, loose, make_wallet(connection, batch.wallet_key), 0)
        return decided, replaced

    async def abort(self) -> None:
        """Erase what was staged; nothing to do after `finish`, even if that was cancelled as it committed."""
        if not self._finished:
            await self._store.erase_blob(self._blob_id)


async def open_store(data_dir: Path, safe_id: SafeId, database_bytes: int = 0) -> SqliteStore:
    """Open the database of this safe, made and migrated as needed, and erase what a crash left half-way.

    Args:
        data_dir: Its folder, made when missing, readable by the owner alone.
        safe_id: Whose records these are.
        database_bytes: The file grows no further; 0 is no limit.

    Raises:
        StoreUnusable: It cannot be opened, is another safe's, or another process has it.
    """
    path = data_dir / DATABASE_NAME
    lock, connection = await asyncio.to_thread(open_locked, path, safe_id, database_bytes)
    store = SqliteStore(path, lock, WriterThread(connection), connection)
    await store.erase_loose()
    return store
