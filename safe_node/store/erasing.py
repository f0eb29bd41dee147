"""Erasing in SQLite: large blobs and whatever is due, in slices, so that other writes need not wait for it.

One at a time: who asks for what is due gets an answer once it is gone, whoever began to erase it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

from durable.sqlite import Connection
from durable.writer import WriterThread
from safe_node.store import blobs
from safe_node.store.deletion import erase_piece, piece_row

_Result = TypeVar("_Result")

SLICE_PIECES = 256
SLICE_BYTES = 8 * 1024 * 1024
"""At most so much a transaction, or one piece."""

_IS_DUE = """SELECT EXISTS (SELECT 1 FROM doomed WHERE erase_at <= ?1)
    OR EXISTS (SELECT 1 FROM tombstones WHERE erase_at <= ?1)"""
_CARRIED_OUT = "UPDATE tombstones SET erase_at = NULL WHERE erase_at <= ?"
_DUE = """SELECT p.id, p.wallet, p.batch, p.cost, p.item_id, p.generation, p.blob_id, p.blob_length
    FROM doomed d JOIN pieces p ON p.id = d.piece WHERE d.erase_at <= ?
    ORDER BY d.erase_at, d.piece LIMIT ?"""


class Reader(Protocol):
    """Runs what only reads, in a thread of its own."""

    def __call__(self, run: Callable[[Connection], _Result], /) -> Awaitable[_Result]:
        """Give what `run` gives."""
        ...


@dataclass(frozen=True, slots=True)
class Slice:
    """What one transaction erased.

    Args:
        pieces: How many; 0: nothing was due any more.
        loose_blobs: Theirs, which are still to be erased.
    """

    pieces: int
    loose_blobs: tuple[int, ...]


class Eraser:
    """Erases through the store's writer."""

    def __init__(self, writer: WriterThread, read: Reader) -> None:
        """Share the store's threads; use `SqliteStore`."""
        self._writer = writer
        self._read = read
        self._turn = asyncio.Lock()

    async def erase_blob(self, blob_id: int) -> None:
        """Erase a loose blob, slice by slice, with other writes in between."""
        while not await self._writer.submit(partial(blobs.erase_slice, blob_id=blob_id), erases=True):
            continue

    async def erase_loose(self) -> int:
        """Erase what a process that died left behind; gives the number of blobs."""
        left = await self._read(blobs.loose)
        for blob_id in left:
            await self.erase_blob(blob_id)
        return len(left)

    async def erase_due(self, now: int) -> int:
        """Erase every piece that was to be erased by then; gives their number once they are gone."""
        async with self._turn:
            if not await self._read(lambda connection: _is_due(connection, now)):
                return 0
            erased = 0
            while (done := await self._writer.submit(partial(erase_due_slice, now=now), erases=True)).pieces:
                erased += done.pieces
                for blob_id in done.loose_blobs:
                    await self.erase_blob(blob_id)
            return erased


def _is_due(connection: Connection, now: int) -> bool:
    return bool(connection.execute(_IS_DUE, (now,)).fetchone()[0])


def erase_due_slice(connection: Connection, now: int) -> Slice:
    """Note that what is due is carried out, and erase some of it. Runs inside a transaction."""
    connection.execute(_CARRIED_OUT, (now,))
    erased = size = 0
    loose = []
    for piece in [piece_row(row) for row in connection.execute(_DUE, (now, SLICE_PIECES))]:
        size += piece.cost
        if erased and size > SLICE_BYTES:
            break
        erase_piece(connection, piece)
        erased += 1
        if piece.blob_id is not None:
            loose.append(piece.blob_id)
    return Slice(erased, tuple(loose))
