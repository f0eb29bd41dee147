"""Deleting in SQLite: erase an item's pieces, keep its tombstone. Runs inside a transaction.

Rows go before the tombstone comes, so that a full database can still be emptied.
"""

from __future__ import annotations

from dataclasses import dataclass

from safe_node.decisions.costs import TOMBSTONE_BYTES
from safe_node.records import Burial, DeletionState, ItemName
from safe_node.store import blobs
from safe_node.store.base import PlanDeletion
from safe_node.store.schema import KEY_SHARES_PER_BATCH
from safe_node.store.sqlite import Connection
from safe_node.store.wallets import add_used, make_wallet, used_bytes

_PIECES = """SELECT id, batch, cost, blob_id, blob_length FROM pieces
    WHERE wallet = ? AND item_id = ? AND generation = ?"""
_EARLIER = """SELECT tombstone, signature, receipt, receipt_signature FROM tombstones
    WHERE wallet = ? AND item_id = ? AND generation = ?"""


@dataclass(frozen=True, slots=True)
class Buried:
    """What stands now, and which of the item's blobs are still to be erased, whichever call deleted them."""

    burial: Burial
    loose_blobs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    id: int
    batch: int
    cost: int
    blob_id: int | None
    blob_length: int | None


def bury(connection: Connection, burial: Burial, plan: PlanDeletion) -> Buried:
    """Decide on a tombstone and write what follows.

    Raises:
        Refusal: The plan's; nothing is written then.
    """
    wallet = make_wallet(connection, burial.wallet_key)
    name = (wallet, burial.item_id, burial.generation)
    pieces = [_Piece(*row) for row in connection.execute(_PIECES, name)]
    earlier = _earlier(connection, name, burial)
    state = DeletionState(earlier, used_bytes(connection, wallet), sum(piece.cost for piece in pieces))
    standing = plan(state, burial)
    if standing is not earlier:
        for piece in pieces:
            _erase(connection, piece, wallet, (burial.item_id, burial.generation))
        _write_tombstone(connection, name, standing)
        add_used(connection, wallet, TOMBSTONE_BYTES if earlier is None else 0)
    left = blobs.deleted_with(connection, wallet, (burial.item_id, burial.generation))
    return Buried(standing, tuple(left))


def _earlier(connection: Connection, name: tuple[object, ...], burial: Burial) -> Burial | None:
    row = connection.execute(_EARLIER, name).fetchone()
    return None if row is None else Burial(burial.wallet_key, burial.item_id, burial.generation, *row)


def _write_tombstone(connection: Connection, name: tuple[object, ...], burial: Burial) -> None:
    row = (*name, burial.tombstone, burial.signature, burial.receipt, burial.receipt_signature)
    connection.execute("INSERT OR REPLACE INTO tombstones VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _erase(connection: Connection, piece: _Piece, wallet: int, item: ItemName) -> None:
    connection.execute("DELETE FROM pieces WHERE id = ?", (piece.id,))
    add_used(connection, wallet, -piece.cost)
    if piece.blob_id is not None:
        blobs.add_loose(connection, piece.blob_id, wallet, piece.blob_length or 0, item)
    connection.execute("UPDATE batches SET pieces_left = pieces_left - 1 WHERE id = ?", (piece.batch,))
    _erase_batch_without_pieces(connection, piece.batch, wallet)


def _erase_batch_without_pieces(connection: Connection, batch: int, wallet: int) -> None:
    row = connection.execute("SELECT cost FROM batches WHERE id = ? AND pieces_left = 0", (batch,)).fetchone()
    if row is None:
        return
    first = batch * KEY_SHARES_PER_BATCH
    connection.execute(
        "DELETE FROM key_shares WHERE id >= ? AND id < ?", (first, first + KEY_SHARES_PER_BATCH)
    )
    connection.execute("DELETE FROM batches WHERE id = ?", (batch,))
    add_used(connection, wallet, -int(row[0]))
